"""Opening a camera while something else, such as a model, is being opened."""

from __future__ import annotations

import threading
from collections.abc import Callable

from edgeinfer.device.cameras.base import Camera


class CameraAhead:
    """Runs `open_it` on a separate thread; a camera may take a second to wake up.

    Args:
        open_it: opens the camera.
    """

    def __init__(self, open_it: Callable[[], Camera]) -> None:
        self._open_it = open_it
        self._camera: Camera | None = None
        self._error: BaseException | None = None
        self._unwanted = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="edgeinfer-open", daemon=True)
        self._thread.start()

    def take(self) -> Camera:
        """Wait for the camera and return it; the caller closes it.

        Raises:
            CameraError: it could not be opened.
        """
        self._thread.join()
        if self._error is not None:
            raise self._error
        assert self._camera is not None
        return self._camera

    def abandon(self) -> None:
        """Have the camera closed as soon as it is open, without waiting for it."""
        with self._lock:
            self._unwanted = True
            if self._camera is not None:
                self._camera.close()

    def _run(self) -> None:
        try:
            camera = self._open_it()
        except BaseException as error:
            self._error = error
            return
        with self._lock:
            self._camera = camera
            if self._unwanted:
                camera.close()

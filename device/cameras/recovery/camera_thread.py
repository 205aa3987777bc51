"""A camera on a separate thread, so that one that hangs in its driver stops nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal

from edgeinfer.device.cameras.base import Camera
from edgeinfer.device.pictures.frame import Frame

Request = Literal["read", "skip"]


class CameraThread:
    """Opens, reads and closes a camera on a thread; the caller waits as long as it wants.

    After `release`, the thread closes the camera as soon as the driver returns, and
    ends.

    Args:
        open_it: opens the camera.
        changed: notified, held, whenever something has happened.
    """

    def __init__(self, open_it: Callable[[], Camera], changed: threading.Condition) -> None:
        self._open_it = open_it
        self._changed = changed
        self._request: Request | None = None
        self._released = False
        self.camera: Camera | None = None
        """The open camera; None before that."""
        self._error: BaseException | None = None
        self.result: Frame | bool | None = None
        """What the last request gave."""
        self.busy = True
        """Whether it opens, or fulfils a request."""
        self.thread = threading.Thread(target=self._run, name="edgeinfer-camera", daemon=True)
        self.thread.start()

    @property
    def description(self) -> str:
        """What was opened, for the user."""
        return "camera" if self.camera is None else self.camera.description

    @property
    def failed(self) -> bool:
        """Whether it could not be opened, or not be read."""
        return self._error is not None

    def take_error(self) -> BaseException | None:
        """Return what ended it, and forget it.

        An error's traceback leads to the thread's frame, and from there to this object, the camera
        and its frames' memory. As long as this object led back to the error, all of that would stay
        until the garbage collector looks at everything, which in a loop it rarely does.
        """
        error, self._error = self._error, None
        return error

    def ask(self, request: Request) -> None:
        """Have a frame read or skipped; the caller holds `changed` and waits for `busy` to end."""
        self._request = request
        self.busy = True
        self._changed.notify_all()

    def release(self) -> None:
        """Have the camera closed; the caller holds `changed`."""
        self._released = True
        if self.camera is not None:
            self.camera.interrupt()
        self._changed.notify_all()

    def _run(self) -> None:
        try:
            camera = self._open_it()
        except BaseException as error:
            self._report(error=error)
            return
        with self._changed:
            self.camera = camera
        self._report()
        try:
            while (request := self._next_request()) is not None:
                try:
                    self._report(camera.read() if request == "read" else camera.skip())
                except BaseException as error:
                    self._report(error=error)
        finally:
            camera.close()

    def _next_request(self) -> Request | None:
        """Wait for what to do next; None to end."""
        with self._changed:
            while self._request is None and not self._released:
                self._changed.wait()
            request, self._request = self._request, None
            return None if self._released else request

    def _report(
        self, result: Frame | bool | None = None, error: BaseException | None = None
    ) -> None:
        with self._changed:
            self.busy = False
            if not self._released:
                self.result, self._error = result, error
            self._changed.notify_all()

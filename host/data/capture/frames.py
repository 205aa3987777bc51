"""Frames of a camera, read by a separate thread: the newest of a live one, all of a file's."""

from __future__ import annotations

import threading
import time

from edgeinfer.device.cameras.base import Camera
from edgeinfer.device.core.closing import Closing
from edgeinfer.device.loop.slot import EndOfItems, Slot
from edgeinfer.device.pictures.frame import Frame

READ_LIMIT_S = 8.0
"""How long a camera's last read may take to end."""
_INTERRUPT_AGAIN_S = 0.05

__all__ = ["EndOfItems", "FrameReader"]


class FrameReader(Closing):
    """Reads a camera until it is closed. The caller opens and closes the camera itself.

    Args:
        camera: where the frames come from.
    """

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._frames: Slot[Frame] = Slot(keep_newest=camera.live)
        self._ending = False
        self._thread = threading.Thread(target=self._read, name="edgeinfer-capture", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            while not self._ending:
                frame = self._camera.read()
                if frame is None or not self._frames.put(frame):
                    break
                del frame  # its memory may be used again
        except BaseException as error:
            self._frames.end(error)  # raised again where frames are taken
        else:
            self._frames.end()

    def next(self, timeout_s: float) -> Frame | None:
        """Return the next frame, or None if there is none within `timeout_s`.

        Raises:
            EndOfItems: the source has ended, and every frame was taken.
            EdgeinferError: the source failed.
        """
        return self._frames.take(timeout_s)

    def close(self) -> None:
        """Stop reading.

        A camera whose read does not return by then is marked `abandoned`: it must not be closed.
        """
        self._ending = True
        self._frames.close()
        deadline = time.monotonic() + READ_LIMIT_S
        while self._thread.is_alive() and time.monotonic() < deadline:
            self._camera.interrupt()
            self._thread.join(_INTERRUPT_AGAIN_S)
        if self._thread.is_alive():
            self._camera.abandoned = True

"""What every source of frames has in common."""

from __future__ import annotations

import time
from typing import Protocol

from edgeinfer.device.core.closing import Closing
from edgeinfer.device.core.errors import CameraError
from edgeinfer.device.pictures.frame import Frame

MAX_DAMAGED = 30
"""How many undecodable pictures in a row are a broken stream rather than a bad cable's noise."""
DAMAGED_IN_A_ROW = f"{MAX_DAMAGED} damaged pictures in a row"


class Camera(Closing, Protocol):
    """A source of frames. One thread reads it; the code that opened it closes it after the last
    read.

    Attributes:
        description: what was opened, for the user: name, size, rate.
        live: frames come at their own pace, and one that nobody takes is stale; only the newest
            is worth keeping. From other sources every frame is wanted.
        labelled: frames carry their true class.
        video_fps: the rate of a video file, in frames a second, as OpenCV reports it where it
            varies; None for other sources.
        skipped_files: files that could not be read and were skipped, so far.
        dropped: pictures of a live source that were too old to be shown, so far.
        recovering: it has failed and is being opened again; no frames come for now.
        abandoned: a read of it does not return. It is left to the end of the process: closing a
            device under a read can crash.
    """

    description: str = ""
    live: bool = False
    labelled: bool = False
    video_fps: float | None = None
    skipped_files: int = 0
    dropped: int = 0
    recovering: bool = False
    abandoned: bool = False

    def read(self) -> Frame | None:
        """Wait for the next frame and return it; None at the end of the source.

        Raises:
            CameraError: the source stopped delivering. A stale, damaged or black frame is never
                returned in place of a real one.
        """
        ...

    def skip(self) -> bool:
        """Skip a frame that nobody wants; False at the end of the source.

        Raises:
            CameraError: as `read`.
        """
        return self.read() is not None

    def interrupt(self) -> None:
        """Have a `read` or `skip` that waits in another thread end as if the source had ended.

        Sources that never wait for long need not do anything.
        """
        return

    def restart(self, reason: str) -> bool:
        """Start the source again because its pictures cannot be used; False if it cannot.

        Args:
            reason: what is wrong with them, for the user.
        """
        return False


def too_many_damaged(
    subject: object,
    next_step: str = "check its cable and power",
    *,
    last: str = "",
    expected: str = "",
) -> CameraError:
    """Return the error for `MAX_DAMAGED` pictures in a row that cannot be decoded.

    Args:
        subject: the source.
        next_step: what the user can do.
        last: what is known of the last one.
        expected: what it should have been.
    """
    return CameraError(
        subject,
        got=f"{DAMAGED_IN_A_ROW}{', the last one ' if last else ''}{last}",
        expected=expected,
        next_step=next_step,
    )


class Pacer:
    """Releases frames at a fixed rate, by the real clock.

    Args:
        fps: frames per second, above 0.
    """

    def __init__(self, fps: float) -> None:
        self._interval_ns = round(1e9 / fps)
        self._due_ns: int | None = None

    def wait(self) -> int:
        """Sleep until the next frame is due and return `time.monotonic_ns()`.

        A source that is too slow does not go faster afterwards: the frames it missed are not made
        up for, as with a real camera.
        """
        now = time.monotonic_ns()
        if self._due_ns is None or now > self._due_ns + self._interval_ns:
            self._due_ns = now
        elif now < self._due_ns:
            time.sleep((self._due_ns - now) / 1e9)
        self._due_ns += self._interval_ns
        return time.monotonic_ns()

"""How frames pass from the capturing thread to the one that answers."""

from __future__ import annotations

import threading
from collections import deque

from edgeinfer.device.types import Frame


class FrameSlot:
    """Holds the frames that wait for an answer, never more than `capacity`.

    Args:
        keep_newest: hold one frame; a new one replaces it and it counts as dropped. For live
            sources: an answer is always about the newest frame, and nothing piles up.
        capacity: how many wait otherwise; a full slot makes the source wait, so that none is lost.
    """

    def __init__(self, *, keep_newest: bool, capacity: int = 2) -> None:
        self._keep_newest = keep_newest
        self._capacity = 1 if keep_newest else capacity
        self._frames: deque[Frame] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._ended = False
        self._error: BaseException | None = None
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Frames that a newer one replaced."""
        with self._changed:
            return self._dropped

    def put(self, frame: Frame) -> bool:
        """Hand over a frame; wait for room unless the newest is kept.

        Returns:
            False when nobody takes frames any more.
        """
        with self._changed:
            if self._keep_newest and self._frames:
                self._frames.clear()
                self._dropped += 1
            while len(self._frames) >= self._capacity and not self._closed:
                self._changed.wait()
            if self._closed:
                return False
            self._frames.append(frame)
            self._changed.notify_all()
            return True

    def end(self, error: BaseException | None = None) -> None:
        """Say that no frame follows, because the source has ended or failed."""
        with self._changed:
            self._ended = True
            self._error = error
            self._changed.notify_all()

    def close(self) -> None:
        """Say that no frame will be taken any more; a waiting `put` returns."""
        with self._changed:
            self._closed = True
            self._frames.clear()
            self._changed.notify_all()

    def take(self, timeout_s: float) -> Frame | None:
        """Return the next frame, or None if there is none within `timeout_s`.

        Raises:
            EndOfFramesError: the source has ended and every frame was taken.
            BaseException: the error that ended the source, after its last frame was taken.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._frames or self._ended, timeout_s)
            if self._frames:
                frame = self._frames.popleft()
                self._changed.notify_all()
                return frame
            if self._error is not None:
                raise self._error
            if self._ended:
                raise EndOfFrames
            return None


class EndOfFrames(Exception):
    """The source has ended and every frame was taken."""

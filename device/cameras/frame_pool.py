"""Memory that is used again, so that a loop in its stride allocates nothing for its frames."""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

_HELD_BY_POOL_ALONE = 3
"""What `sys.getrefcount` gives for an array that only the pool knows: its list, the variable that
goes over the list, and the call's own argument."""


class FramePool:
    """Hands out pixel arrays, and again those that nobody holds any more.

    Whoever still refers to an array, or to a view into it, keeps it: a frame never changes under
    its holder. One thread takes; any may let go.

    Args:
        limit: arrays beyond this number are not used again.
    """

    def __init__(self, limit: int = 16) -> None:
        self._limit = limit
        self._arrays: list[NDArray[np.uint8]] = []

    def take(self, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """Return an array of `shape`, uint8, of any content."""
        if self._arrays and self._arrays[0].shape != shape:
            self._arrays.clear()
        for array in self._arrays:
            if sys.getrefcount(array) == _HELD_BY_POOL_ALONE:
                return array
        fresh = np.empty(shape, np.uint8)
        if len(self._arrays) < self._limit:
            self._arrays.append(fresh)
        return fresh

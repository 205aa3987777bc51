"""Memory that is used again, so that a loop in its stride allocates nothing for its frames.

Whoever keeps a frame's pixels, or a view into them, must never see them change, and nobody can be
asked to hand them back: so the memory is leased. The lease is the array that is handed out: every
view of it refers to it, however many views lie between, so that it is there as long as any of them.
A weak reference tells when it is gone, on every Python; how many refer to it does not matter.
"""

from __future__ import annotations

import math
import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


class FramePool:
    """Leases pixel arrays; the memory of those that nobody refers to any more is leased again.

    One thread takes; any may let go. Arrays may outlive the pool.

    Args:
        limit: how many arrays the pool knows at most, 1 or more. Those that are held longest are
            left to their holders.

    Attributes:
        allocated: how often memory was allocated, so far.
    """

    def __init__(self, limit: int = 16) -> None:
        self._limit = limit
        self._shape: tuple[int, ...] = ()
        self._places: list[_Place] = []
        self.allocated = 0

    def take(self, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """Return an array of `shape`, uint8, of any content."""
        if shape != self._shape:
            self._shape = shape
            self._places.clear()
        place = self._free_place()
        array: NDArray[np.uint8] = np.ndarray(shape, np.uint8, place.memory)
        place.lease = weakref.ref(array)
        self._places.append(place)
        return array

    def _free_place(self) -> _Place:
        """Take out a place that nobody holds; they lie in the order of their leases."""
        # The last one first: what was used lately may lie in the processor's caches.
        for index in reversed(range(len(self._places))):
            if self._places[index].lease() is None:
                return self._places.pop(index)
        if len(self._places) == self._limit:
            del self._places[0]
        self.allocated += 1
        return _Place(bytearray(math.prod(self._shape)), _ended)


@dataclass(slots=True)
class _Place:
    """Memory, and the array that was last made of it.

    The memory is no array, or a view would refer to it, past the array that is the lease: numpy
    shortens chains of arrays.
    """

    memory: bytearray
    lease: weakref.ref[NDArray[np.uint8]] | Any


def _ended() -> None:
    """Be the lease of memory that never had one."""

"""Memory that is used again, so that a running loop allocates nothing for its frames.

Code that keeps a frame's pixels, or a view into them, must never see them change, and nobody can be
asked to hand them back: so the memory is leased. The lease is the array that is handed out: every
view of it refers to it, however many views are between, so that it is there as long as any of them.
A weak reference tells when it is freed, on every Python; how many refer to it does not matter.
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

    One thread takes; any may release. Arrays may live longer than the pool.

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
        self._leases = 0
        self.allocated = 0

    def take(self, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """Return an array of `shape`, uint8, of any content."""
        if shape != self._shape:
            self._shape = shape
            self._places.clear()
        for place in self._places:
            if place.lease() is None:
                break
        else:
            place = self._allocate()
        array: NDArray[np.uint8] = np.ndarray(shape, np.uint8, place.memory)
        place.lease = weakref.ref(array)
        place.number = self._leases = self._leases + 1
        return array

    def _allocate(self) -> _Place:
        if len(self._places) == self._limit:
            self._places.remove(min(self._places, key=lambda place: place.number))
        self.allocated += 1
        place = _Place(bytearray(math.prod(self._shape)), _ended)
        self._places.append(place)
        return place


@dataclass(slots=True, eq=False)
class _Place:
    """Memory, the array that was last made of it, and how many leases the pool had given by then.

    The memory is not an array, or a view would refer to it, past the array that is the lease: numpy
    shortens chains of arrays.
    """

    memory: bytearray
    lease: weakref.ref[NDArray[np.uint8]] | Any
    number: int = 0


def _ended() -> None:
    """Be the lease of memory that never had one."""

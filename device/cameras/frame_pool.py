"""Memory that is used again, so that a loop in its stride allocates nothing for its frames.

Whoever keeps a frame's pixels, or a view into them, must never see them change, and nobody can be
asked to hand them back: so the memory is leased. What numpy makes of an array refers, directly or
through others, to the object that the array was made of. Here that is the lease, and its end,
whenever and in whatever thread it comes, is what gives the memory back.
"""

from __future__ import annotations

import math
import weakref
from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray


class FramePool:
    """Leases pixel arrays; the memory of those that nobody refers to any more is leased again.

    One thread takes; any may let go. Arrays may outlive the pool.

    Args:
        limit: how many arrays' memory is kept ready at most.

    Attributes:
        allocated: how often memory was allocated, so far.
    """

    def __init__(self, limit: int = 16) -> None:
        self._shape: tuple[int, ...] = ()
        self._bytes = 0
        # A lease may end at any moment, in the midst of `take` too: a deque needs no lock for that.
        self._free: deque[bytearray] = deque(maxlen=limit)
        # Weak: an array that is kept after its camera was closed must not keep all other memory.
        self._reference = weakref.ref(self)
        self.allocated = 0

    def take(self, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """Return an array of `shape`, uint8, of any content."""
        if shape != self._shape:
            self._shape, self._bytes = shape, math.prod(shape)
            self._free.clear()
        lease = _Lease(shape, np.uint8, self._free_memory())
        lease.pool = self._reference
        return lease.view(np.ndarray)

    def _free_memory(self) -> bytearray:
        while self._free:
            memory = self._free.pop()
            if len(memory) == self._bytes:  # one of pictures before may just have been given back
                return memory
        self.allocated += 1
        return bytearray(self._bytes)

    def give_back(self, memory: bytearray) -> None:
        """Take memory whose lease has ended."""
        if len(memory) == self._bytes:
            self._free.append(memory)


class _Lease(np.ndarray[Any, np.dtype[np.uint8]]):
    """What an array and all views into it refer to; while it is there, the memory is theirs.

    It has a class of its own, and memory that is no array: of a chain of arrays of one class numpy
    has a view refer to the first. And it is no `weakref.finalize`, which keeps a table and a lock.
    """

    __slots__ = ("pool",)
    pool: weakref.ref[FramePool]

    def __del__(self) -> None:
        # A view of this class, made of a lease itself, has no pool.
        pool = getattr(self, "pool", None)
        taker = None if pool is None else pool()
        if taker is not None:
            taker.give_back(self.base)

"""Memory that is used again, so that a loop in its stride allocates nothing for its frames.

Whoever keeps a frame's pixels, or a view into them, must never see them change, and nobody can be
asked to hand them back: so the memory is leased. Every view that numpy makes of an array refers,
directly or through others, to the object that the array was made from. Here that is the lease, and
its end, whenever and in whatever thread it comes, is what gives the memory back. An array would not
do in its place: numpy has a view of a view refer to the first array, past those between.
"""

from __future__ import annotations

import weakref
from collections import deque
from typing import Any, NamedTuple

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
        # A lease may end at any moment, in the midst of `take` too: a deque needs no lock for that.
        self._free: deque[_Memory] = deque(maxlen=limit)
        self.allocated = 0

    def take(self, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """Return an array of `shape`, uint8, of any content."""
        if shape != self._shape:
            self._shape = shape
            self._free.clear()
        return np.asarray(_Lease(self, self._free_memory(shape)))

    def _free_memory(self, shape: tuple[int, ...]) -> _Memory:
        while self._free:
            memory = self._free.pop()
            if memory.array.shape == shape:  # one of another may just have been given back
                return memory
        self.allocated += 1
        array = np.empty(shape, np.uint8)
        place = (array.ctypes.data, False)
        interface = {"version": 3, "typestr": "|u1", "shape": shape, "data": place}
        return _Memory(array, interface)

    def _give_back(self, memory: _Memory) -> None:
        # Others are of pictures before these.
        if memory.array.shape == self._shape:
            self._free.append(memory)


class _Memory(NamedTuple):
    """Memory, and what numpy asks of an object that shows it as an array."""

    array: NDArray[np.uint8]
    interface: dict[str, Any]


class _Lease:
    """What an array and all views into it refer to; as long as it is there, the memory is theirs.

    Not `weakref.finalize`, which keeps a table and a lock for what this does by itself.
    """

    __slots__ = ("__array_interface__", "_memory", "_pool")

    def __init__(self, pool: FramePool, memory: _Memory) -> None:
        # Weak: an array that is kept after its camera was closed must not keep all other memory.
        self._pool = weakref.ref(pool)
        self._memory = memory
        self.__array_interface__ = memory.interface

    def __del__(self) -> None:
        pool = self._pool()
        if pool is not None:
            pool._give_back(self._memory)

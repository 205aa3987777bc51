"""A queue whose `get` returns in time, whatever signals come meanwhile."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


class TimedQueue(Generic[T]):
    """A SimpleQueue for one reader, with a time limit that can be relied on.

    SimpleQueue's own waits for ever if a signal handler takes longer than it: what is left of the
    limit is negative then, and is taken for "no limit" (CPython up to 3.12 at least). A lock counts
    rightly.
    """

    def __init__(self) -> None:
        self._items: SimpleQueue[T] = SimpleQueue()
        self._arrived = threading.Lock()
        self._arrived.acquire()

    def put(self, item: T) -> None:
        """Add an item; from any thread."""
        self._items.put(item)
        # Open already: the reader knows of another one and has not looked yet.
        with suppress(RuntimeError):
            self._arrived.release()

    def get(self, timeout_s: float) -> T:
        """Return the next item.

        Raises:
            queue.Empty: there is none within the time.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                return self._items.get_nowait()
            except Empty:
                left_s = deadline - time.monotonic()
                if left_s <= 0 or not self._arrived.acquire(timeout=left_s):
                    # An item may have come in the last moment.
                    return self._items.get_nowait()

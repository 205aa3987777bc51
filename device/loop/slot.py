"""How work passes from one stage of the loop to the next."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


class EndOfItems(Exception):
    """The stage before has ended and everything that it handed over was taken."""


class _End:
    """Follows the last item."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Slot(Generic[T]):
    """Holds what waits for the next stage, never more than `capacity` items.

    One thread puts, any number take. It is made of `SimpleQueue`, which C implements: a hand-over
    costs about a microsecond while nobody has to wait.

    Args:
        keep_newest: hold one item; a new one replaces it. For live sources: an answer is always
            about the newest frame, and nothing piles up.
        capacity: how many wait otherwise; a full slot makes the stage before wait, so that nothing
            is lost.
        on_drop: takes each item that a newer one replaced.
    """

    def __init__(
        self,
        *,
        keep_newest: bool,
        capacity: int = 1,
        on_drop: Callable[[T], None] | None = None,
    ) -> None:
        self._items: SimpleQueue[T | _End] = SimpleQueue()
        self._room: SimpleQueue[None] | None = None if keep_newest else SimpleQueue()
        if self._room is not None:
            for _ in range(capacity):
                self._room.put(None)
        self._on_drop = on_drop
        self._closed = False
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Items that a newer one replaced."""
        return self._dropped

    def put(self, item: T) -> bool:
        """Hand over an item; wait for room unless the newest is kept.

        Returns:
            False when nobody takes items any more.
        """
        if self._room is not None:
            self._room.get()
        if self._closed:
            return False
        if self._room is None and not self._make_room():
            return False
        self._items.put(item)
        return True

    def _make_room(self) -> bool:
        """Take out what still waits; False where that is the end."""
        try:
            stale = self._items.get_nowait()
        except Empty:
            return True
        if isinstance(stale, _End):
            self._items.put(stale)
            return False
        self._dropped += 1
        if self._on_drop is not None:
            self._on_drop(stale)
        return True

    def end(self, error: BaseException | None = None) -> None:
        """Say that nothing follows, because the stage has ended or failed."""
        self._items.put(_End(error))

    def close(self) -> None:
        """Say that nothing will be taken any more; a waiting `put` returns."""
        self._closed = True
        if self._room is not None:
            self._room.put(None)
        self._items.put(_End(None))

    def take(self, timeout_s: float | None = None) -> T | None:
        """Return the next item, or None if there is none within `timeout_s`.

        Raises:
            EndOfItems: the stage before has ended and everything was taken, or the slot is closed.
            BaseException: the error that ended the stage before, after its last item was taken.
        """
        if self._closed:
            raise EndOfItems
        try:
            item = self._items.get(timeout=timeout_s)
        except Empty:
            return None
        if isinstance(item, _End):
            self._items.put(item)  # for others who take
            raise EndOfItems if item.error is None else item.error
        if self._room is not None:
            self._room.put(None)
        return item

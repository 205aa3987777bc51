"""Items in order, a limit that holds, and a signal whose handler lasts longer."""

from __future__ import annotations

import signal
import threading
import time
from queue import Empty
from types import FrameType

import pytest

from edgeinfer.device.loop.timed_queue import TimedQueue
from tests.support.waiting import PATIENCE_S


def test_items_come_in_order_from_several_threads() -> None:
    queue: TimedQueue[tuple[int, int]] = TimedQueue()

    def fill(writer: int) -> None:
        for number in range(1000):
            queue.put((writer, number))

    writers = [threading.Thread(target=fill, args=(index,)) for index in range(3)]
    for thread in writers:
        thread.start()
    taken = [queue.get(PATIENCE_S) for _ in range(3000)]
    for thread in writers:
        thread.join()
    for writer in range(3):
        assert [number for who, number in taken if who == writer] == list(range(1000))
    with pytest.raises(Empty):
        queue.get(0)


def test_a_reader_that_waits_is_woken() -> None:
    queue: TimedQueue[str] = TimedQueue()
    threading.Timer(0.05, queue.put, ["late"]).start()
    assert queue.get(PATIENCE_S) == "late"


def test_the_limit_holds_where_a_signal_handler_lasts_longer() -> None:
    """SimpleQueue would wait for ever here."""
    queue: TimedQueue[int] = TimedQueue()

    def handle(number: int, frame: FrameType | None) -> None:
        time.sleep(0.3)

    before = signal.signal(signal.SIGALRM, handle)
    # A reader that waits for ever is freed by a late item, which the test then sees.
    rescue = threading.Timer(60, queue.put, [1])
    rescue.start()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(Empty):
            queue.get(0.2)
    finally:
        rescue.cancel()
        signal.signal(signal.SIGALRM, before)

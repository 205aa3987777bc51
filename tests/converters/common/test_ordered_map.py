from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from edgeinfer.converters.common.ordered_map import ordered_map
from tests.support.waiting import PATIENCE_S


def test_order_is_kept_and_little_is_ahead() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for item in range(100):
            taken += 1
            yield item

    def slow_when_even(item: int) -> int:
        time.sleep(0.002 * (item % 2 == 0))
        return item * item

    for index, result in enumerate(ordered_map(slow_when_even, items(), threads=2)):
        assert result == index * index
        assert taken - index <= 8
    assert taken == 100


def test_threads_work_at_the_same_time() -> None:
    barrier = threading.Barrier(2, timeout=PATIENCE_S)
    # Each call waits for another one: with one thread this would not end well.
    assert list(ordered_map(lambda item: barrier.wait() >= 0, range(2), threads=2)) == [True, True]


def test_an_error_comes_out_and_ends_the_work() -> None:
    def fail(item: int) -> int:
        return 1 // (item - 3)

    with pytest.raises(ZeroDivisionError):
        list(ordered_map(fail, range(1000), threads=2))

"""Whether a reader's time grows with its input or with the square of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_NEGLIGIBLE_S = 0.2


def assert_linear(read: Callable[[T], object], make: Callable[[int], T], size: int) -> None:
    """Fail where an input of four times the size takes over ten times the processor time.

    Time that is too short to tell counts as linear; of several tries the best counts.

    Args:
        read: what is measured.
        make: gives an input of a size.
        size: the larger one.
    """
    tries: list[tuple[float, float]] = []
    for _ in range(3):
        small, large = (_spent_s(read, make(count)) for count in (size // 4, size))
        if large < max(_NEGLIGIBLE_S, 10 * small):
            return
        tries.append((small, large))
    raise AssertionError(f"a quarter and the whole of {size:,} took {tries} s")


def _spent_s(read: Callable[[T], object], data: T) -> float:
    start = time.process_time()
    read(data)
    return time.process_time() - start

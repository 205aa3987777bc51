"""Waiting for what has to happen, for as long as the busiest machine may need."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_S = 300.0
"""Far longer than anything takes that is waited for: only what will never happen gets here."""


def until(condition: Callable[[], object], what: object = "what was waited for") -> None:
    """Wait until a condition holds.

    Raises:
        AssertionError: it never did.
    """
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s, f"{what} did not happen"
        time.sleep(0.005)

"""What edgeinfer logs, for tests."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest


class _Listener(logging.Handler):
    def __init__(self, hear: Callable[[str], object]) -> None:
        super().__init__()
        self._hear = hear

    def emit(self, record: logging.LogRecord) -> None:
        self._hear(record.getMessage())


@contextmanager
def hearing(hear: Callable[[str], object]) -> Iterator[None]:
    """Hand over the line of each warning, on the thread that logs it."""
    logger, listener = logging.getLogger("edgeinfer"), _Listener(hear)
    logger.addHandler(listener)
    try:
        yield
    finally:
        logger.removeHandler(listener)


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """The lines of the warnings that the test has edgeinfer log."""
    lines: list[str] = []
    with hearing(lines.append):
        yield lines

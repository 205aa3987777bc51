"""Writes log records to a stream."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from edgeinfer.device.cli.log.rate_limit import RateLimit
from edgeinfer.device.cli.say import line_cleared

LOGGER = "edgeinfer"
"""The logger for everything that edgeinfer logs."""


class StreamHandler(logging.Handler):
    """Writes records to a stream; safe to use by several threads.

    If the stream is closed or full, records are lost: there is no other place to report that, and
    the work continues.

    Args:
        stream: the stream; None if the process has no stderr.
        formatter: their format.
        limit: leaves equal records out; None writes all.
    """

    def __init__(
        self, stream: TextIO | None, formatter: logging.Formatter, limit: RateLimit | None = None
    ) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self._stream = stream
        self._limit = limit
        if limit is not None:
            self.addFilter(limit)

    def handle(self, record: logging.LogRecord) -> bool:
        """Filter and write under one lock, so that the first of equal records is written."""
        self.acquire()
        try:
            return bool(super().handle(record))
        finally:
            self.release()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        if self._stream is None:
            return
        text = self.format(record)
        encoding = self._stream.encoding or "utf-8"
        with suppress(OSError, ValueError), line_cleared():  # ValueError: it was closed
            self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            self._stream.flush()

    def catch_up(self, *, at_end: bool = False) -> None:
        """Write the last of the records that were left out, if no equal one was written since.

        Args:
            at_end: write them even if they are newer than the interval.
        """
        if self._limit is None:
            return
        self.acquire()
        try:
            for record in self._limit.overdue(at_end=at_end):
                self.emit(record)
        finally:
            self.release()


@contextmanager
def handling(handler: logging.Handler, level: int) -> Iterator[None]:
    """Give a handler what edgeinfer logs, from a level up, inside the `with` block."""
    logger = logging.getLogger(LOGGER)
    before = logger.level
    logger.setLevel(level)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)

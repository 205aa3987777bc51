"""The program's handler of log records: writes them to a stream."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from edgeinfer.device.cli.log.rate_limit import RateLimit

LOGGER = "edgeinfer"
"""All that edgeinfer logs goes through this logger."""


class StreamHandler(logging.Handler):
    """Writes records to a stream; safe to use by several threads.

    A stream that is closed or full takes nothing: there is no other place to say so, and the work
    goes on.

    Args:
        stream: where they go; None where the process has no stderr.
        formatter: their shape.
        limit: how often the same is told; None for each time.
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
        """Filter and write under one lock: of two like records the one that counts comes first."""
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
        with suppress(OSError, ValueError):  # ValueError: it was closed
            self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            self._stream.flush()

    def catch_up(self, *, at_end: bool = False) -> None:
        """Write the last of the records that were left out, where none like them came since.

        Args:
            at_end: write them though they are younger than the interval.
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
    """Let a handler have what edgeinfer logs from a level on, while the context lasts."""
    logger = logging.getLogger(LOGGER)
    before = logger.level
    logger.setLevel(level)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)

"""A log into a string, at a time that the test sets."""

from __future__ import annotations

import io
import logging

from edgeinfer.device.cli.log.formats import LogFormat, formatter
from edgeinfer.device.cli.log.handler import StreamHandler
from edgeinfer.device.cli.log.rate_limit import RateLimit


class Clock:
    """Seconds that the test turns."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def logger_to(handler: logging.Handler) -> logging.Logger:
    """Return a logger that belongs to nobody else."""
    logger = logging.Logger("edgeinfer.tests")
    logger.addHandler(handler)
    return logger


class Scene:
    """A logger whose handler writes into a string."""

    def __init__(self, style: LogFormat = "text", before: str = "") -> None:
        self.stream = io.StringIO()
        self.clock = Clock()
        self.limit = RateLimit(clock=self.clock)
        self.handler = StreamHandler(self.stream, formatter(style, before), self.limit)
        self.log = logger_to(self.handler)

    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()

"""What the delegates of a loop went through, told at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from edgeinfer.device.loop.stream import Stream


@contextmanager
def telling_counts(stream: Stream, tell: Callable[[str, str], None]) -> Iterator[None]:
    """Tell at the end what the delegates went through, a line for each that had something to bear.

    Args:
        stream: whose models are looked at; those that it has at the end.
        tell: takes an event's name and the line.
    """
    try:
        yield
    finally:
        for model in stream.models:
            counts = str(getattr(model.runner, "counts", ""))
            if counts:
                tell("delegate", f"delegate: {getattr(model.runner, 'delegate', '')}: {counts}")

"""What the delegates of a loop went through, told at its end."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from edgeinfer.device.core.events import event
from edgeinfer.device.loop.stream import Stream

_LOG = logging.getLogger(__name__)


@contextmanager
def telling_counts(stream: Stream) -> Iterator[None]:
    """Tell at the end what the delegates went through, a line for each that had something to bear.

    Args:
        stream: whose models are looked at; those that it has at the end.
    """
    try:
        yield
    finally:
        for model in stream.models:
            counts = str(getattr(model.runner, "counts", ""))
            if counts:
                delegate = getattr(model.runner, "delegate", "")
                _LOG.info("delegate: %s: %s", delegate, counts, extra=event("delegate"))

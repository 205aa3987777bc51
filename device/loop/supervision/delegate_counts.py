"""What happened to the delegates of a loop, logged at its end."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from edgeinfer.device.core.events import event
from edgeinfer.device.loop.stream import Stream

_LOG = logging.getLogger(__name__)


@contextmanager
def log_delegate_counts(stream: Stream) -> Iterator[None]:
    """Log at the end what happened to the delegates: a line for each that failed or was restarted.

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

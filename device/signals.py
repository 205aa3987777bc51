"""Ctrl-C and SIGTERM as a wish to stop that is granted at the next good moment."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest:
    """Whether someone asked the loop to stop; a plain flag, safe to set in a signal handler."""

    def __init__(self) -> None:
        self.requested = False


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Turn the first SIGINT or SIGTERM into a `StopRequest`.

    A second signal does what it did before, for a loop that hangs. Outside of the main thread,
    where Python allows no handlers, the request is only ever set by others.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    def ask(number: int, frame: FrameType | None) -> None:
        request.requested = True
        restore()

    try:
        for number in previous:
            signal.signal(number, ask)
        yield request
    finally:
        restore()

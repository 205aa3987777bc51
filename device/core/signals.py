"""Ctrl-C and SIGTERM as a request to stop, SIGHUP as one to reload, met at a good moment."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType


class StopRequest:
    """Whether someone asked the loop to stop; a plain flag, safe to set in a signal handler.

    Attributes:
        requested: someone did.
        done: the loop has ended and all that it gave out is written.
    """

    def __init__(self) -> None:
        self.requested = False
        self.done = False


class ReloadRequest:
    """Whether someone asked to load the model again; the code that loads it clears the flag."""

    def __init__(self) -> None:
        self.requested = False


@contextmanager
def stop_on_signals(limit_s: float | None = None) -> Iterator[StopRequest]:
    """Turn the first SIGINT or SIGTERM into a `StopRequest`.

    A second signal does what it did before, for a loop that hangs. Outside of the main thread,
    where Python allows no handlers, the request is only ever set by others.

    Args:
        limit_s: the process ends at the latest so long after the signal, whatever hangs: with exit
            code 0 if the request is `done`, else 1. None: only when everything is closed.
    """
    request = StopRequest()

    def ask() -> None:
        request.requested = True
        if limit_s is not None:
            threading.Thread(
                target=_end_process, args=(request, limit_s), name="exit-limit", daemon=True
            ).start()

    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    def handle(number: int, frame: FrameType | None) -> None:
        ask()
        restore()

    try:
        for number in previous:
            signal.signal(number, handle)
        yield request
    finally:
        restore()


@contextmanager
def reload_on_hangup() -> Iterator[ReloadRequest]:
    """Turn each SIGHUP into a `ReloadRequest`, as daemons do; outside the main thread none."""
    request = ReloadRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    previous = signal.getsignal(signal.SIGHUP)

    def handle(number: int, frame: FrameType | None) -> None:
        request.requested = True

    try:
        signal.signal(signal.SIGHUP, handle)
        yield request
    finally:
        signal.signal(signal.SIGHUP, previous)


@contextmanager
def interrupt_on_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the work as Ctrl-C does, so that others' machines are left clean.

    Under nohup SIGHUP stays ignored; outside of the main thread nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = [
        number
        for number in (signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is not signal.SIG_IGN
    ]
    previous = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _end_process(request: StopRequest, limit_s: float) -> None:
    """End a process that a driver that never returns would keep running for ever."""
    time.sleep(limit_s)
    with suppress(OSError, ValueError, AttributeError):  # AttributeError: there is no stderr
        sys.stderr.write(f"warning: something did not stop in {limit_s:g} s; ended without it\n")
        sys.stderr.flush()
    os._exit(0 if request.done else 1)

"""One at a time: whoever changes something on the board holds the lock."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from edgeinfer.device.errors import ReleaseError
from edgeinfer.device.releases.layout import Layout
from edgeinfer.device.releases.told import parse_told

_POLL_S = 0.2


class LockedError(ReleaseError):
    """Somebody else changes something just now."""


@contextmanager
def locked(layout: Layout, command: str, *, wait_s: float = 0.0) -> Iterator[int]:
    """Hold the lock; the kernel gives it back when the process ends, however it does.

    Args:
        layout: whose lock.
        command: what it is held for, to be told to others.
        wait_s: how long to wait for it.

    Yields:
        The lock's descriptor. A program that inherits it holds the lock as well: one that outlives
        a killed agent is not disturbed by the next.

    Raises:
        LockedError: somebody else holds it.
        ReleaseError: there is nothing to lock.
    """
    deadline_s = time.monotonic() + wait_s
    while (descriptor := _try(layout)) is None:
        if time.monotonic() >= deadline_s:
            raise LockedError(
                "the board's releases",
                got=f"are being changed by {_holder(layout)}",
                expected="one at a time",
                next_step="wait until it has ended",
            )
        time.sleep(_POLL_S)
    try:
        holder = json.dumps({"pid": os.getpid(), "command": command})
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, holder.encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _try(layout: Layout) -> int | None:
    """Return the lock's descriptor, or None where others hold it."""
    while True:
        try:
            descriptor = os.open(
                layout.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644
            )
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ReleaseError(
                layout.prefix, got="is not set up", next_step="run `releases.pyz setup`"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _same(descriptor, layout):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # removed with the prefix meanwhile: another file has the name


def _same(descriptor: int, layout: Layout) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(layout.lock))
    except FileNotFoundError:
        return False


def _holder(layout: Layout) -> str:
    """Say who holds the lock."""
    try:
        holder = parse_told(layout.lock.read_text())
        return f"`{holder['command']}` (process {holder['pid']})"
    except (OSError, ValueError, LookupError, TypeError):
        return "another program"

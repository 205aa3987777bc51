"""One at a time: a program that changes something on the board holds the lock."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edgeinfer.device.core.errors import ReleaseError, printable
from edgeinfer.device.releases.ownership import user_name
from edgeinfer.device.releases.paths import Layout
from edgeinfer.device.releases.untrusted_json import parse_json

_POLL_S = 0.2


class LockedError(ReleaseError):
    """Somebody else changes something just now."""


@contextmanager
def locked(layout: Layout, command: str, *, wait_s: float = 0.0) -> Iterator[int]:
    """Hold the lock; the kernel gives it back when the process ends, however it does.

    Args:
        layout: whose lock.
        command: what it is held for, to be shown to others.
        wait_s: how long to wait for it.

    Yields:
        The lock's descriptor. A program that inherits it holds the lock as well: one that runs
        longer than a killed agent is not disturbed by the next.

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
                layout.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
            )
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ReleaseError(
                layout.prefix, got="is not set up", next_step="run `releases.pyz setup`"
            ) from error
        try:
            # Every user who may read a file may hold its lock, and those of earlier agents were
            # readable.
            os.fchmod(descriptor, 0o600)
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
    """Say who holds the lock: who wrote so, if the kernel does not name another."""
    try:
        record = parse_json(layout.lock.read_text())
        written, command = int(record["pid"]), str(record["command"])
    except (OSError, ValueError, LookupError, TypeError):
        written, command = 0, ""
    holders = _processes_holding(layout)
    if written in holders or (not holders and written):
        return f"`{command}` (process {written})"
    return " and ".join(map(_described, holders)) or "another program"


def _processes_holding(layout: Layout) -> list[int]:
    """Return the processes that hold the lock, as the kernel lists them.

    A lock that was inherited is listed under the process that took it.
    """
    try:
        inode = os.stat(layout.lock).st_ino
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        # "1: FLOCK  ADVISORY  WRITE 359 00:13:11691 0 EOF"; "->" marks those that wait for it.
        words = line.split()
        if len(words) == 8 and words[1] == "FLOCK" and words[5].endswith(f":{inode}"):
            found.append(int(words[4]))
    return [pid for pid in dict.fromkeys(found) if pid > 0 and _may_hold(pid, layout)]


def _may_hold(pid: int, layout: Layout) -> bool:
    """Return whether a process has the lock's file open, or has ended and left it to another.

    Files of other disks may have the same number.
    """
    try:
        lock = os.stat(layout.lock)
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return True
    for name in names:
        with suppress(OSError):
            if os.path.samestat(os.stat(f"/proc/{pid}/fd/{name}"), lock):
                return True
    return False


def _described(pid: int) -> str:
    try:
        name = Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
        user = os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return f"process {pid}"
    return f"{printable(name)} (process {pid} of {user_name(user)})"

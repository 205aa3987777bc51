"""What the loop says of itself, `--output status:FILE`, as the agent reads it."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import Any

from edgeinfer.device.releases.untrusted_json import parse_json

_MOST_BYTES = 1 << 20


def read_status(path: Path) -> dict[str, Any] | None:
    """Return the loop's status; None where there is none that can be read.

    The file is written by the service's user, who is trusted with nothing: it is opened without
    following a link or waiting for a pipe, and read up to a bound.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with open(descriptor, "rb", closefd=False) as file:
            record = parse_json(file.read(_MOST_BYTES))
    except (OSError, ValueError):
        return None
    finally:
        os.close(descriptor)
    return record if isinstance(record, dict) else None


def whole(status: dict[str, Any] | None, key: str) -> int:
    """Return a count of the status, 0 where it is not one."""
    value = None if status is None else status.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def age_s(status: dict[str, Any] | None) -> float:
    """Return how long ago the status was written, in seconds; infinite without one."""
    updated = None if status is None else status.get("updated")
    if not isinstance(updated, int | float) or isinstance(updated, bool):
        return float("inf")
    return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - updated)

"""Whether the program writes to the journal."""

from __future__ import annotations

import os
from collections.abc import Mapping


def under_journald(descriptor: int, environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether a file descriptor is the journal's.

    systemd sets `JOURNAL_STREAM` to the device and inode of the stream. A process that a service
    starts with another stderr inherits the variable, but not the stream (systemd.exec(5)).
    """
    wanted = environment.get("JOURNAL_STREAM")
    if not wanted:
        return False
    try:
        status = os.fstat(descriptor)
    except OSError:
        return False
    return wanted == f"{status.st_dev}:{status.st_ino}"

"""Waiting for processes that nobody here is the parent of."""

from __future__ import annotations

import time
from pathlib import Path

from tests.support.waiting import PATIENCE_S


def ends(pid: int, limit_s: float = PATIENCE_S) -> bool:
    """True once a process has ended, False where it has not within the limit."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return True
        if "State:\tZ" in status:
            return True
        time.sleep(0.05)
    return False

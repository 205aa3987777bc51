"""The clock: boards without a battery start in the past until they get the time by network."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Sequence

from edgeinfer.device.diagnose.doctor.finding import Finding, broken, note, ok
from edgeinfer.device.diagnose.doctor.system import System

EARLIEST_YEAR, LATEST_YEAR = 2026, 2100
"""This version was written in 2026."""

_TIME_ERROR = 5
"""What adjtimex returns if nothing keeps the clock right; include/uapi/linux/timex.h."""
_TIMEX_BYTES = 512
"""More than struct timex takes anywhere (208 bytes on 64-bit systems); zeros ask, set nothing."""


class ClockCheck:
    """Whether the time is right, and something keeps it right."""

    title = "Clock"

    def run(self, system: System) -> Sequence[Finding]:
        """Check the year, and ask the kernel whether something sets its clock."""
        return [judge_clock(time.gmtime(), synchronized())]


def synchronized() -> bool | None:
    """Return whether NTP keeps the kernel's clock right; None if the kernel does not say."""
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(
            ctypes.create_string_buffer(_TIMEX_BYTES)
        )
    except (AttributeError, OSError):
        return None
    if state < 0:
        return None if ctypes.get_errno() else False
    return bool(state != _TIME_ERROR)


def judge_clock(now: time.struct_time, kept: bool | None) -> Finding:
    """Judge the time, and whether NTP keeps it right."""
    text = time.strftime("%Y-%m-%d %H:%M UTC", now)
    if not EARLIEST_YEAR <= now.tm_year <= LATEST_YEAR:
        return broken(
            "clock",
            text,
            expected=f"a year from {EARLIEST_YEAR} to {LATEST_YEAR}",
            fix="connect it to a network and run `sudo timedatectl set-ntp true`, "
            "or `sudo date -s '2026-01-31 12:00'` with the right time",
        )
    if kept is None:
        return ok("clock", f"{text}; the kernel does not say whether NTP sets it")
    if not kept:
        return note(
            "clock",
            f"{text}, but NTP does not set it",
            expected="a clock that NTP sets: time stamps, certificates and updates need it",
            fix="run `sudo timedatectl set-ntp true`, then check with `timedatectl`",
        )
    return ok("clock", f"{text}, set by NTP")

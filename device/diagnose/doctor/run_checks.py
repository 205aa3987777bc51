"""All checks, one after another; none of them can end the doctor or block it for ever."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence

from edgeinfer.device.diagnose.doctor.checks.accelerators import AcceleratorsCheck
from edgeinfer.device.diagnose.doctor.checks.board import BoardCheck
from edgeinfer.device.diagnose.doctor.checks.cameras import CamerasCheck
from edgeinfer.device.diagnose.doctor.checks.clock import ClockCheck
from edgeinfer.device.diagnose.doctor.checks.heat import HeatCheck
from edgeinfer.device.diagnose.doctor.checks.importers import ImportersCheck
from edgeinfer.device.diagnose.doctor.checks.libraries import LibrariesCheck
from edgeinfer.device.diagnose.doctor.checks.memory import MemoryCheck
from edgeinfer.device.diagnose.doctor.checks.model import ModelCheck
from edgeinfer.device.diagnose.doctor.checks.python import PythonCheck
from edgeinfer.device.diagnose.doctor.checks.runtimes import RuntimesCheck
from edgeinfer.device.diagnose.doctor.checks.storage import StorageCheck
from edgeinfer.device.diagnose.doctor.finding import Check, Finding, broken, note
from edgeinfer.device.diagnose.doctor.system import System

CHECKS: tuple[Check, ...] = (
    BoardCheck(),
    PythonCheck(),
    LibrariesCheck(),
    RuntimesCheck(),
    AcceleratorsCheck(),
    CamerasCheck(),
    ModelCheck(),
    HeatCheck(),
    StorageCheck(),
    ImportersCheck(),
    MemoryCheck(),
    ClockCheck(),
)
"""In this order: what other checks need comes first."""

_LIMIT_S = 180.0
"""For one whole check. Child processes have their own, shorter limits; this one is for what can
hang in the kernel: a network file system that was lost, a driver that is stuck."""


def run_checks(
    system: System,
    checks: Sequence[Check] = CHECKS,
    *,
    limit_s: float = _LIMIT_S,
    begin: Callable[[Check], None] = lambda check: None,
) -> Iterator[tuple[Check, list[Finding]]]:
    """Run each check and yield it with its findings.

    Args:
        system: what is looked at.
        checks: the checks, in this order.
        limit_s: the longest time that one may take, in seconds.
        begin: called before each.
    """
    for check in checks:
        begin(check)
        yield check, _run(check, system, limit_s)


def _run(check: Check, system: System, limit_s: float) -> list[Finding]:
    findings: list[Finding] = []

    def look() -> None:
        try:
            findings.extend(check.run(system))
        except Exception as error:  # a machine may be broken in ways that nobody expected
            if os.environ.get("EDGEINFER_DEBUG"):
                raise
            findings.append(
                note(
                    check.title,
                    f"this check failed ({type(error).__name__}: {error})",
                    fix="run `EDGEINFER_DEBUG=1 edgeinfer doctor` and report what it prints",
                )
            )

    # A daemon thread: if it hangs in the kernel, the program can still end.
    thread = threading.Thread(target=look, name=f"doctor: {check.title}", daemon=True)
    thread.start()
    thread.join(limit_s)
    if thread.is_alive():
        return [
            *findings,
            broken(
                check.title,
                f"did not answer within {limit_s:.0f} s",
                fix="look for a device or network folder that hangs: `sudo dmesg | tail`",
            ),
        ]
    return findings

"""Accelerators: the device, this user's access to it, and the library that drives it.

What is said of a library that does not load are the sentences of `edgeinfer run`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from edgeinfer.boards import detect_board
from edgeinfer.device.diagnose.doctor.checks.edgetpu import (
    judge_edgetpu,
    judge_package,
    judge_pcie,
    package_version,
)
from edgeinfer.device.diagnose.doctor.child import ChildEnd, run_probe
from edgeinfer.device.diagnose.doctor.device_access import access_fix, holders
from edgeinfer.device.diagnose.doctor.finding import Finding, broken, fault_of, note, ok
from edgeinfer.device.diagnose.doctor.system import System
from edgeinfer.device.runtime.delegates.find import Device, find_devices, find_library
from edgeinfer.device.runtime.delegates.spec import KNOWN_DELEGATES, KnownDelegate

_EDGETPU, _GPU = "edgetpu", "gpu"

ON_THE_CPU = "; models run on the CPU"


class AcceleratorsCheck:
    """Whether accelerators are there, may be used, and have a library that does not crash."""

    title = "Accelerators"

    def run(self, system: System) -> Sequence[Finding]:
        """Look at the Edge TPU, and at others where something of them is there."""
        findings = []
        for known in KNOWN_DELEGATES.values():
            devices = find_devices(known.name, root=system.root) or ()
            if known.name == _EDGETPU or _is_told(known, devices, system):
                findings += _look(known, devices, system)
        return findings


def _is_told(known: KnownDelegate, devices: Sequence[Device], system: System) -> bool:
    """True where something of an accelerator is there; every desktop has a GPU."""
    return (
        find_library(known.library, root=system.root) is not None
        or (bool(devices) and known.name != _GPU)
        or detect_board(system.root).accelerator == known.name
    )


def _look(known: KnownDelegate, devices: Sequence[Device], system: System) -> list[Finding]:
    findings = judge_devices(known, devices, system)
    users = {holders(system, device.node) for device in devices if device.node is not None}
    if known.name == _EDGETPU and users and all(users):
        # Opening it a second time fails, and may disturb whoever is at work.
        got = f"in use by {', '.join(sorted(users))}, so it was not tried"
        return [*findings, ok(known.library, got)]
    limit_s = system.timeout_s / 2
    arguments = (known.name, str(system.root), str(limit_s))
    end = run_probe("delegate", *arguments, timeout_s=system.timeout_s)
    findings.append(judge_library(known, end, connected=bool(devices), system=system))
    version = package_version(system) if known.name == _EDGETPU else ""
    if version and end.facts.get("runtime") and findings[-1].state != "broken":
        findings += judge_package(version, str(end.facts["runtime"]))
    return findings


def judge_devices(known: KnownDelegate, devices: Sequence[Device], system: System) -> list[Finding]:
    """Say of each device whether this user may use it, and whether one is missing."""
    subject = name_of(known)
    if known.name == _EDGETPU:
        findings = [judge_edgetpu(device, system) for device in devices] + judge_pcie(system)
    else:
        findings = [
            ok(subject, device.name)
            if device.usable or device.node is None
            else broken(
                subject, f"permission denied for {device.node}", fix=access_fix(device.node)
            )
            for device in devices
        ]
    board = detect_board(system.root)
    if not findings and board.accelerator == known.name:
        got = f"not found, although a board {board.name} has one"
        fix = "load its kernel driver; `sudo dmesg | tail -50` says what it lacks"
        findings.append(broken(subject, got, fix=fix))
    return findings


def judge_library(
    known: KnownDelegate, end: ChildEnd, *, connected: bool, system: System
) -> Finding:
    """Say what loading a delegate's library in a process of its own showed.

    Args:
        known: which.
        end: how `probe_delegate` ended.
        connected: whether the accelerator itself was found.
        system: the machine.
    """
    library, facts = known.library, end.facts
    file = find_library(library, root=system.root)
    if facts.get("loaded"):
        return ok(library, f"loads with {facts['runtime']}" + (f" from {file}" if file else ""))
    if "error" not in facts:  # it did not come to that
        got, fix = f"could not be tried ({end.reason})", "mend the runtime first, see above"
        return broken(library, got, fix=fix) if connected else note(library, got, fix=fix)
    fault = _with_command(known, fault_of(end, library, fix=known.package))
    absent = facts.get("kind") == "OSError" and file is None
    idle = facts.get("how") == "refused" and facts.get("kind") == "ValueError"
    if not connected and (absent or idle):
        fix = f"only with {known.device}: {fault.fix}" if absent else fault.fix
        return note(library, f"{fault.got}{ON_THE_CPU}", fix=fix)
    if absent:
        return broken(library, f"{fault.got}, but there is {known.device}", fix=fault.fix)
    return fault


def _with_command(known: KnownDelegate, fault: Finding) -> Finding:
    """Add to what `run` says the command to type, where there is one."""
    needed = re.match(r"needs (lib\S+\.so\S*),", fault.got)
    if needed is not None and needed[1].startswith("libusb-1.0"):
        command = "`sudo apt install libusb-1.0-0`"
    elif needed is not None:
        command = f"`apt-file search {needed[1]}` names it"
    elif known.name == _EDGETPU and fault.fix == known.package:
        command = "`sudo apt install libedgetpu1-std`"
    else:
        return fault
    return replace(fault, fix=f"{fault.fix}; {command}")


def name_of(known: KnownDelegate) -> str:
    """Return an accelerator's name without its article."""
    return known.device.partition(" ")[2]

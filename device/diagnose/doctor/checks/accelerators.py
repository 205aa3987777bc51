"""Accelerators: the device, this user's access to it, and the library that drives it.

For a library that does not load it prints the same sentences as `edgeinfer run`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from edgeinfer.boards import detect_board
from edgeinfer.device.accelerators.accelerator import Accelerator, Device
from edgeinfer.device.accelerators.registry import accelerator_names, named_accelerator
from edgeinfer.device.core.errors import DelegateError
from edgeinfer.device.diagnose.doctor.child import ChildEnd, run_probe
from edgeinfer.device.diagnose.doctor.device_access import holders
from edgeinfer.device.diagnose.doctor.finding import (
    Finding,
    broken,
    fault_of,
    from_error,
    note,
    ok,
)
from edgeinfer.device.diagnose.doctor.look import Look, look_of
from edgeinfer.device.diagnose.doctor.system import System
from edgeinfer.device.runtime.delegates.find import find_library

ON_THE_CPU = "; models run on the CPU"


class AcceleratorsCheck:
    """Whether accelerators are connected, may be used, and have a library that does not crash."""

    title = "Accelerators"

    def run(self, system: System) -> Sequence[Finding]:
        """Check those that can be plugged in, and others if a part of them is found."""
        findings = []
        for name in accelerator_names():
            try:
                accelerator = named_accelerator(name)
            except DelegateError as error:
                findings.append(from_error(error))
                continue
            devices = accelerator.devices(system.root) or ()
            if accelerator.plugged or _is_reported(accelerator, devices, system):
                findings += _look(accelerator, devices, system)
        return findings


def _is_reported(accelerator: Accelerator, devices: Sequence[Device], system: System) -> bool:
    """Return whether a part of an accelerator is found; every desktop has a GPU."""
    return (
        find_library(accelerator.library, root=system.root) is not None
        or (bool(devices) and not accelerator.boardless)
        or detect_board(system.root).accelerator == accelerator.name
    )


def _look(accelerator: Accelerator, devices: Sequence[Device], system: System) -> list[Finding]:
    look = look_of(accelerator)
    findings = look.judge_devices(accelerator, devices, system)
    board = detect_board(system.root)
    if not findings and board.accelerator == accelerator.name:
        got = f"not found, although a board {board.name} has one"
        fix = "load its kernel driver; `sudo dmesg | tail -50` says what is missing"
        findings.append(broken(accelerator.title, got, fix=fix))
    users = {holders(system, device.node) for device in devices if device.node is not None}
    if not look.shared and users and all(users):
        # Opening it a second time fails, and may disturb the program that uses it.
        got = f"in use by {', '.join(sorted(users))}, so it was not tried"
        return [*findings, ok(accelerator.library, got)]
    limit_s = system.timeout_s / 2
    arguments = (accelerator.name, str(system.root), str(limit_s))
    end = run_probe("delegate", *arguments, timeout_s=system.timeout_s)
    finding = judge_library(accelerator, look, end, connected=bool(devices), system=system)
    findings.append(finding)
    if end.facts.get("runtime") and finding.state != "broken":
        findings += look.judge_package(system, str(end.facts["runtime"]))
    return findings


def judge_library(
    known: Accelerator, look: Look, end: ChildEnd, *, connected: bool, system: System
) -> Finding:
    """Return what loading a delegate's library in a separate process showed.

    Args:
        known: the accelerator.
        look: how it is checked.
        end: how `probe_delegate` ended.
        connected: whether the accelerator itself was found.
        system: the machine.
    """
    library, facts = known.library, end.facts
    file = find_library(library, root=system.root)
    if facts.get("loaded"):
        return ok(library, f"loads with {facts['runtime']}" + (f" from {file}" if file else ""))
    if "error" not in facts:  # it failed before that
        got, fix = f"could not be tried ({end.reason})", "fix the runtime first, see above"
        return broken(library, got, fix=fix) if connected else note(library, got, fix=fix)
    fault = _with_command(known, look, fault_of(end, library, fix=known.package))
    absent = facts.get("kind") == "OSError" and file is None
    idle = facts.get("how") == "refused" and facts.get("kind") == "ValueError"
    if not connected and (absent or idle):
        fix = f"only with {known.device}: {fault.fix}" if absent else fault.fix
        return note(library, f"{fault.got}{ON_THE_CPU}", fix=fix)
    if absent:
        return broken(library, f"{fault.got}, but there is {known.device}", fix=fault.fix)
    return fault


def _with_command(known: Accelerator, look: Look, fault: Finding) -> Finding:
    """Add the command to type, if there is one, to the sentence of `run`."""
    needed = re.match(r"needs (lib\S+\.so\S*),", fault.got)
    if needed is not None and needed[1].startswith("libusb-1.0"):
        command = "`sudo apt install libusb-1.0-0`"
    elif needed is not None:
        command = f"`apt-file search {needed[1]}` names it"
    elif look.command and fault.fix == known.package:
        command = f"`{look.command}`"
    else:
        return fault
    return replace(fault, fix=f"{fault.fix}; {command}")

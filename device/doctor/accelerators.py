"""Accelerators: the device, this user's access to it, and the library that drives it."""

from __future__ import annotations

from collections.abc import Sequence

from edgeinfer.device.doctor.access import access_fix, holders, may_use
from edgeinfer.device.doctor.child import run_probe
from edgeinfer.device.doctor.delegate_causes import (
    EDGE_TPU,
    ETHOS_U,
    VX,
    Accelerator,
    judge_library,
    judge_package,
)
from edgeinfer.device.doctor.edgetpu_devices import (
    USB_3_MBIT_S,
    EdgeTpu,
    find_edgetpus,
    has_usb_rule,
)
from edgeinfer.device.doctor.finding import Finding, broken, note, ok
from edgeinfer.device.doctor.system import System

_LIBRARY_FOLDERS = ("/usr/lib", "/usr/lib/*-linux-*", "/usr/local/lib", "/lib", "/opt/*/lib")

_ADD_USB_RULE = (
    """run `printf 'SUBSYSTEM=="usb",ATTRS{idVendor}=="%s",GROUP="plugdev",MODE="0664"\\n' """
    """1a6e 18d1 | sudo tee /etc/udev/rules.d/60-edgetpu.rules`, """
    "then `sudo udevadm control --reload`, and plug it in again"
)


class AcceleratorsCheck:
    """Whether accelerators are there, may be used, and have a library that does not crash."""

    title = "Accelerators"

    def run(self, system: System) -> Sequence[Finding]:
        """Look at the Edge TPU, and at others where something of them is there."""
        findings = _edgetpu(system)
        for accelerator in (VX, ETHOS_U):
            findings += _other(accelerator, system)
        return findings


def _edgetpu(system: System) -> list[Finding]:
    devices = find_edgetpus(system)
    findings = [finding for device in devices for finding in judge_edgetpu(device, system)]
    users = {holders(system, device.node) for device in devices if device.node is not None}
    if users and all(users):
        # Opening it a second time fails, and may disturb whoever is at work.
        got = f"in use by {', '.join(sorted(users))}, so it was not tried"
        return [*findings, ok(EDGE_TPU.library, got)]
    end = run_probe("delegate", EDGE_TPU.library, timeout_s=system.timeout_s)
    usable = any(device.node is not None and may_use(device.node) for device in devices)
    findings.append(judge_library(EDGE_TPU, end, connected=bool(devices), usable=usable))
    version = package_version(system, ("libedgetpu1-std", "libedgetpu1-max"))
    runtime = end.facts.get("runtime")
    if version and runtime and not end.crash:
        package = judge_package(version, str(runtime))
        findings += [package] if package else []
    return findings


def judge_edgetpu(device: EdgeTpu, system: System) -> list[Finding]:
    """Say whether this user may use an Edge TPU, and whether its port is fast."""
    if device.node is None:
        return [
            broken(
                "Edge TPU",
                f"{device.name}: there is no /dev/apex_0, its driver is not loaded",
                fix="run `sudo apt install gasket-dkms`, then `sudo modprobe apex`",
            )
        ]
    if not may_use(device.node):
        fix = access_fix(device.node)
        if device.usb_mbit_s is not None and not has_usb_rule(system):
            fix = _ADD_USB_RULE
        return [broken("Edge TPU", f"{device.name}: permission denied for {device.node}", fix=fix)]
    if device.usb_mbit_s is not None and 0 < device.usb_mbit_s < USB_3_MBIT_S:
        return [
            note(
                "Edge TPU",
                f"{device.name}: on USB 2 ({device.usb_mbit_s} Mbit/s), which makes it slower",
                expected="USB 3 (5000 Mbit/s)",
                fix="plug it into a blue port, with the cable that came with it",
            )
        ]
    return [ok("Edge TPU", f"{device.name}, {device.node}")]


def _other(accelerator: Accelerator, system: System) -> list[Finding]:
    """Judge an accelerator of which a device or the library is there; nothing else is told."""
    nodes = [node for pattern in accelerator.nodes for node in system.glob(pattern)]
    files = [
        path
        for folder in _LIBRARY_FOLDERS
        for path in system.glob(f"{folder}/{accelerator.library}")
    ]
    if not nodes and not files:
        return []
    findings = []
    for node in nodes:
        if may_use(node):
            findings.append(ok(accelerator.name, str(node)))
        else:
            findings.append(
                broken(accelerator.name, f"permission denied for {node}", fix=access_fix(node))
            )
    library = str(files[0]) if files else accelerator.library
    end = run_probe("delegate", library, timeout_s=system.timeout_s)
    usable = any(may_use(node) for node in nodes)
    return [*findings, judge_library(accelerator, end, connected=bool(nodes), usable=usable)]


def package_version(system: System, names: Sequence[str]) -> str:
    """Return the version of the first of these Debian packages that is installed; else empty."""
    for entry in system.text("/var/lib/dpkg/status").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in entry.splitlines() if ": " in line)
        if fields.get("Package") in names and fields.get("Status", "").endswith(" installed"):
            return fields.get("Version", "")
    return ""

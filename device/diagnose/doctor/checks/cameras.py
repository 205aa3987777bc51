"""Cameras: which are connected, and why one cannot be used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgeinfer.device.cameras.network.urls import without_secrets
from edgeinfer.device.cameras.v4l2.devices import BUSY, NO_CAPTURE, examine, find_cameras
from edgeinfer.device.core.errors import CameraError
from edgeinfer.device.diagnose.doctor.checks.csi import is_internal, judge_csi
from edgeinfer.device.diagnose.doctor.child import SOURCE_VARIABLE, ChildEnd, run_probe
from edgeinfer.device.diagnose.doctor.device_access import access_fix, holders, may_use
from edgeinfer.device.diagnose.doctor.finding import Finding, broken, fault_of, from_error, note, ok
from edgeinfer.device.diagnose.doctor.system import System

_BLACK = 8
"""The mean brightness (0 to 255) below which a picture is black."""


class CamerasCheck:
    """Whether cameras are connected, may be opened and are free; whether the named one works."""

    title = "Cameras"

    def run(self, system: System) -> Sequence[Finding]:
        """Check every video device, Picamera2 if it is needed, and `--camera`."""
        nodes = video_nodes(system)
        names = {node: sysfs_name(system, node) for node in nodes}
        cameras = [node for node in nodes if not is_internal(names[node])]
        findings = [each for node in cameras for each in judge_node(system, node, names[node])]
        internal = [node for node in nodes if is_internal(names[node])]
        if internal:
            findings.append(
                ok(
                    "no cameras",
                    f"{len(internal)} of /dev/video* are decoders and similar parts of the chip: "
                    + ", ".join(node.name for node in internal),
                )
            )
        csi = judge_csi(system, list(names.values()))
        findings += csi
        if not cameras and not csi and system.camera is None:
            findings.append(
                note(
                    "camera",
                    "none is connected",
                    fix="connect one and check with `v4l2-ctl --list-devices`; "
                    "`--camera simulated` needs none",
                )
            )
        if system.camera is not None:
            findings.append(_try_source(system, system.camera))
        return findings


def video_nodes(system: System) -> list[Path]:
    """Return the video devices, by number."""
    nodes = set(system.glob("/dev/video*"))
    if system.root == Path("/"):
        nodes |= {camera.path for camera in find_cameras()}
    numbered = [node for node in nodes if node.name.removeprefix("video").isdecimal()]
    return sorted(numbered, key=lambda node: int(node.name.removeprefix("video")))


def sysfs_name(system: System, node: Path) -> str:
    """Return the driver's name for a video device; empty if /sys does not have it."""
    return system.text(f"/sys/class/video4linux/{node.name}/name")


def judge_node(system: System, node: Path, name: str) -> list[Finding]:
    """Return whether a camera may be opened and is free; nothing if a device has no pictures."""
    if node.exists() and not may_use(node):
        return [broken(node.name, f"{name or node}: permission denied", fix=access_fix(node))]
    try:
        return [ok(node.name, f"{examine(node)}")]
    except CameraError as error:
        if error.code == f"camera.{NO_CAPTURE}":
            return []
        if error.code == f"camera.{BUSY}":
            return [
                note(
                    node.name,
                    f"{name or node} is in use by {holders(system, node) or 'another program'}",
                    fix=f"stop that program if you do not need it; `sudo fuser -v {node}` names it",
                )
            ]
        return [from_error(error, subject=node.name, fix="unplug it and plug it in again")]


def _try_source(system: System, source: str) -> Finding:
    """Open a source as `run --camera` does and read from it."""
    model = "" if system.model is None else str(system.model)
    # Not as an argument, which other users of the machine can see: it may contain a password.
    secret = {SOURCE_VARIABLE: source}
    trust = "" if system.tls_ca is None else str(system.tls_ca), str(int(system.tls_insecure))
    end = run_probe("camera", model, *trust, timeout_s=system.timeout_s, environ=secret)
    return judge_source(f"camera {without_secrets(source)}".rstrip(), end)


def judge_source(subject: str, end: ChildEnd) -> Finding:
    """Return what reading from a source showed."""
    facts = end.facts
    if "error" in facts:
        fix = "connect it again, or name another source with --camera"
        return fault_of(end, subject, fix=fix)
    warning = facts.get("warning")
    if end.code != 0 or "brightness" not in facts:
        got = f"{facts.get('description', 'it')} delivers no picture ({warning or end.reason})"
        return broken(subject, got, fix="unplug it and plug it in again, or restart the board")
    got = f"{facts['description']}, delivers pictures"
    if warning:
        fix = "check its cable and power" if facts.get("live") else "fix or remove that file"
        return note(subject, f"{got}, but: {warning}", fix=fix)
    if facts["brightness"] < _BLACK:
        return note(
            subject,
            f"{got}, but they are black (brightness {facts['brightness']:.0f} of 255)",
            fix="take the cap off the lens, or turn on the light",
        )
    return ok(subject, got)

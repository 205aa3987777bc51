"""Cameras: the V4L2 shim's under real programs, and devices of a made-up /sys and /dev."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeinfer.device.diagnose.doctor import child
from edgeinfer.device.diagnose.doctor.checks.cameras import (
    CamerasCheck,
    judge_source,
    video_nodes,
)
from edgeinfer.device.diagnose.doctor.child import ChildEnd
from edgeinfer.device.diagnose.doctor.finding import Finding
from edgeinfer.device.diagnose.doctor.system import System
from tests.device.cameras.network.cameras_over_http import responds, whole
from tests.device.cameras.raw_server import raw_server
from tests.device.conftest import RunPython
from tests.support.waiting import PATIENCE_S

Write = Callable[[str, str], Path]

LOOK = """
import dataclasses, json, sys
from edgeinfer.device.diagnose.doctor.checks.cameras import CamerasCheck
from edgeinfer.device.diagnose.doctor.system import System
system = System(camera=sys.argv[1] or None, timeout_s=float(sys.argv[2]))
print(json.dumps([dataclasses.asdict(f) for f in CamerasCheck().run(system)]))
"""


def look(
    run: RunPython, source: str = "", limit_s: float = PATIENCE_S, **settings: str
) -> dict[str, dict[str, Any]]:
    done = run(LOOK, source, str(limit_s), **settings)
    assert done.returncode == 0, done.stderr
    return {finding["subject"]: finding for finding in json.loads(done.stdout)}


def found(system: System) -> dict[str, Finding]:
    return {finding.subject: finding for finding in CamerasCheck().run(system)}


def test_a_camera_that_works(run_with_camera: RunPython) -> None:
    findings = look(run_with_camera, "0")
    assert findings["video0"]["state"] == "ok"
    assert findings["camera 0"]["state"] == "ok"
    assert "640x480 YUYV" in findings["camera 0"]["got"]
    assert findings["camera 0"]["got"].endswith("delivers pictures")


def test_address_that_gives_single_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    picture = cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))[1].tobytes()
    with raw_server(responds(lambda *_: whole(picture), keep=True)) as server:
        system = System(camera=server.url, timeout_s=PATIENCE_S)
        finding = found(system)[f"camera {server.url}"]
        assert (finding.state, finding.got.endswith("delivers pictures")) == ("ok", True)
        refused = System(camera=server.url, tls_insecure=True, timeout_s=PATIENCE_S)
        finding = found(refused)[f"camera {server.url}"]
        assert finding.state == "broken"
        assert "is given for http://" in finding.got


def test_a_camera_in_use_is_a_note_and_a_fault_where_it_is_asked_for(
    run_with_camera: RunPython,
) -> None:
    findings = look(run_with_camera, "0", MODE="busy")
    assert findings["video0"]["state"] == "note"
    assert "is in use by another program" in findings["video0"]["got"]
    assert findings["camera 0"]["state"] == "broken"


@pytest.mark.parametrize(
    ("mode", "got"), [("denied", "permission denied"), ("absent", "no such camera")]
)
def test_a_named_camera_that_cannot_be_opened(
    run_with_camera: RunPython, mode: str, got: str
) -> None:
    findings = look(run_with_camera, "0", MODE=mode)
    assert findings["camera 0"]["state"] == "broken"
    assert findings["camera 0"]["got"] == got
    assert findings["camera 0"]["fix"]


def test_a_camera_that_falls_silent(run_with_camera: RunPython) -> None:
    # Starting counts as well: where it does not get as far as to hear nothing, it gets more time.
    for limit_s in (8, 30, 120):
        findings = look(run_with_camera, "0", limit_s=limit_s, FAULT="silent", FAULT_AFTER="2")
        assert findings["camera 0"]["state"] == "broken"
        if "delivers no picture" in findings["camera 0"]["got"]:
            return
    pytest.fail(findings["camera 0"]["got"])


def test_a_device_that_captures_nothing_is_not_a_camera(run_with_camera: RunPython) -> None:
    assert "video0" not in look(run_with_camera, MODE="no-capture")


def test_other_sources(sample_bundle: Path, class_folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    for source in ("simulated", str(class_folder)):
        system = System(root=root, camera=source, model=sample_bundle)
        assert found(system)[f"camera {source}"].state == "ok"
    missing = str(tmp_path / "missing.mp4")
    assert found(System(root=root, camera=missing))[f"camera {missing}"].state == "broken"


def test_a_source_with_faults_that_goes_on_is_a_note() -> None:
    facts = {
        "description": "a camera",
        "live": True,
        "brightness": 99.0,
        "warning": "it was unplugged",
    }
    finding = judge_source("camera 0", ChildEnd(code=0, facts=facts))
    assert finding.state == "note"
    assert finding.got.endswith("but: it was unplugged")


def test_black_pictures_are_a_note() -> None:
    end = ChildEnd(code=0, facts={"description": "a camera", "brightness": 1.2})
    assert judge_source("0", end).state == "note"
    assert judge_source("0", ChildEnd(code=0, facts={"description": "x"})).state == "broken"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("rtsp://me:secret@127.0.0.1:9/live", "camera rtsp://***@127.0.0.1:9/live"),
        ("gst:no-such user-pw=secret ! appsink", "camera gst:no-such ..."),
    ],
)
def test_a_password_is_not_shown(source: str, shown: str) -> None:
    found = CamerasCheck().run(System(camera=source, timeout_s=10))
    assert found[-1].subject == shown
    assert not any("secret" in f"{finding}" for finding in found)


DENIED = """
import dataclasses, json, os, sys; from pathlib import Path
from edgeinfer.device.diagnose.doctor.checks.cameras import judge_node
from edgeinfer.device.diagnose.doctor.system import System
node = Path(sys.argv[1])
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
print(json.dumps([dataclasses.asdict(f) for f in judge_node(System(), node, "USB Camera")]))
"""


def test_a_camera_that_this_user_may_not_open() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        node = Path(folder) / "video0"
        node.touch(mode=0o000)
        command = [sys.executable, "-c", DENIED, str(node)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    (finding,) = json.loads(done.stdout)
    assert finding["state"] == "broken"
    assert finding["got"] == "USB Camera: permission denied"
    assert "sudo" in finding["fix"]


def test_no_camera_at_all(tmp_path: Path) -> None:
    assert found(System(root=tmp_path))["camera"].state == "note"


def test_devices_inside_the_chip_are_not_cameras(write: Write, tmp_path: Path) -> None:
    for number, name in {
        10: "bcm2835-codec-decode",
        13: "bcm2835-isp-output0",
        19: "rpivid",
    }.items():
        write(f"/dev/video{number}", "")
        write(f"/sys/class/video4linux/video{number}/name", name + "\n")
    findings = found(System(root=tmp_path / "root"))
    assert findings["no cameras"].got.endswith("video10, video13, video19")
    assert findings["camera"].state == "note"


def test_devices_come_by_number(write: Write, tmp_path: Path) -> None:
    for name in ("video10", "video2", "video-codec"):
        write(f"/dev/{name}", "")
    nodes = video_nodes(System(root=tmp_path / "root"))
    assert [node.name for node in nodes] == ["video2", "video10"]


def test_a_source_is_not_an_argument_of_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[list[str], dict[str, str]]] = []

    def run(command: Sequence[str], *, timeout_s: float, environ: Mapping[str, str]) -> ChildEnd:
        started.append((list(command), dict(environ)))
        return ChildEnd(code=1)

    monkeypatch.setattr(child, "run_child", run)
    (found,) = [
        finding
        for finding in CamerasCheck().run(System(camera="rtsp://eye:hunter2@10.0.0.9/1"))
        if "10.0.0.9" in finding.subject
    ]
    (command, environ) = started[-1]
    assert not any("hunter2" in word for word in command)
    assert environ[child.SOURCE_VARIABLE] == "rtsp://eye:hunter2@10.0.0.9/1"
    assert "hunter2" not in f"{found}"

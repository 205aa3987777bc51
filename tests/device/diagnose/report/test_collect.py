"""Reports of this machine, by the child processes that make them for users."""

from __future__ import annotations

import getpass
import json
import shutil
import socket
import zipfile
from pathlib import Path
from typing import Any

import pytest

from edgeinfer.device.diagnose.doctor.finding import broken, ok
from edgeinfer.device.diagnose.doctor.system import System
from edgeinfer.device.diagnose.report.collect import (
    SCHEMA,
    ReportOptions,
    collect_parts,
    document,
)
from edgeinfer.device.diagnose.report.text import as_json, markdown

SHORT = ReportOptions(seconds=0.01, cold_starts=0)

SECRETS = ("hunter2", "s3cr3t", "anna", "10.1.2.3", "SN12345678", "dc:a6:32:01:02:03", "attic")


@pytest.fixture
def machine(tmp_path: Path, sample_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    """Return a machine whose files, model and camera are full of secrets."""
    monkeypatch.setenv("USER", "anna")
    monkeypatch.setenv("HOME", str(tmp_path / "home" / "anna"))
    root = tmp_path / "root"
    for name, content in (
        ("etc/hostname", "attic"),
        ("etc/os-release", 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian of attic"\n'),
        ("proc/device-tree/model", "Raspberry Pi 5 Model B, SN12345678\0"),
        ("proc/cpuinfo", "Serial : SN12345678\n"),
        ("proc/meminfo", "MemTotal: 4194304 kB\nSwapTotal: 0 kB\n"),
        ("sys/class/net/eth0/address", "dc:a6:32:01:02:03"),
    ):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    bundle = tmp_path / "home" / "anna" / "attic.edgebundle"
    bundle.parent.mkdir(parents=True)
    shutil.copy(sample_bundle, bundle)
    return System(root=root, model=bundle, camera="rtsp://anna:hunter2@10.1.2.3/s3cr3t")


def test_no_secret_is_in_a_report(machine: System) -> None:
    texts = "rtsp://anna:hunter2@10.1.2.3/s3cr3t fails at attic (SN12345678, dc:a6:32:01:02:03)"
    findings = [
        ("Board", ok("board", texts)),
        ("Cameras", broken("camera hunter2", texts, expected=texts, fix=texts)),
    ]
    parts = collect_parts(machine, findings, SHORT)
    said: Any = document(parts)
    for written in (markdown(parts), as_json(parts)):
        assert not [secret for secret in SECRETS if secret.lower() in written.lower()]
        assert "<address>" in written
    assert said["schema"] == SCHEMA
    states = [said[name]["state"] for name in ("verify", "benchmark", "cameras")]
    assert states == ["done"] * 3
    assert said["verify"]["frames"] == 10
    assert said["machine"]["board"]["name"] == "rpi5"
    assert said["machine"]["packages"]["numpy"]
    assert {"preprocess", "invoke"} <= {stage["stage"] for stage in said["benchmark"]["stages"]}
    block = markdown(parts).split("```json\n")[1].split("\n```")[0]
    assert json.loads(block).keys() == said.keys()


def test_without_a_model_the_parts_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    parts = {part.key: part for part in collect_parts(System(), [], SHORT)}
    for key in ("verify", "benchmark"):
        (line,) = parts[key].lines
        assert line.startswith("not run: no bundle is installed in ")
    host, user = socket.gethostname(), getpass.getuser()
    written = as_json(list(parts.values()))
    assert f'"{host}"' not in written
    assert f"/{user}/" not in written or user == "root"


def test_models_that_cannot_be_verified_or_opened(tmp_path: Path) -> None:
    plain, damaged = tmp_path / "x.tflite", tmp_path / "x.edgebundle"
    plain.write_bytes(b"no model")
    with zipfile.ZipFile(damaged, "w") as archive:
        archive.writestr("readme", "not a bundle")
    of_plain = {part.key: part.lines[0] for part in collect_parts(System(model=plain), [], SHORT)}
    assert of_plain["verify"].endswith("x.tflite is not a bundle, so it has no golden frames")
    assert of_plain["benchmark"].startswith("failed: ")
    absent = collect_parts(System(model=tmp_path / "absent"), [], SHORT)
    assert absent[2].lines[0].endswith("absent is not a file")
    of_damaged = collect_parts(System(model=damaged), [], SHORT)
    assert "x.edgebundle" in of_damaged[2].lines[0]
    assert of_damaged[2].lines[0].startswith("failed: ")

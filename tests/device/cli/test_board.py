"""`edgeinfer inspect --board`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeinfer.device.bundle.writer import write_bundle
from tests.device.bundle.examples import MEMBERS, manifest
from tests.device.tflite_examples import dense_model, encode
from tests.program import edgeinfer, error_line


@pytest.fixture
def dense(tmp_path: Path) -> Path:
    path = tmp_path / "dense.tflite"
    path.write_bytes(encode(dense_model()))
    return path


def test_where_each_operator_runs(dense: Path) -> None:
    lines = edgeinfer("inspect", dense, "--board", "coral-usb").stdout.splitlines()
    start = lines.index("board coral-usb: Coral USB Accelerator, on any machine")
    assert lines[start + 1 : start + 4] == [
        "1 of 1 operators will be mapped to the Edge TPU",
        "    index  operator                  target   why",
        "        0  FULLY_CONNECTED           edgetpu  supported",
    ]
    document = json.loads(edgeinfer("inspect", dense, "--board", "coral-usb", "--json").stdout)
    assert document["kind"] == "tflite"
    assert (document["board"], document["accelerator"]) == ("coral-usb", "edgetpu")
    assert document["ops"] == [
        {"op": "FULLY_CONNECTED", "index": 0, "target": "edgetpu", "reason": "supported"}
    ]
    assert document["parameter_bytes"] == 16


def test_a_version_that_is_too_new(tmp_path: Path) -> None:
    path = tmp_path / "new.tflite"
    path.write_bytes(encode(dense_model(version=12)))
    document = json.loads(edgeinfer("inspect", path, "--board", "coral-dev", "--json").stdout)
    assert document["mapped"] == 0
    assert document["ops"][0]["target"] == "cpu"
    assert "version 12 is newer" in document["ops"][0]["reason"]


def test_a_bundle_by_variant(tmp_path: Path) -> None:
    path = tmp_path / "example.edgebundle"
    write_bundle(path, manifest(), MEMBERS | {"variants/cpu.tflite": encode(dense_model())})
    assert "1 of 1 operators" in edgeinfer("inspect", path, "--board", "coral-usb").stdout
    document = json.loads(edgeinfer("inspect", path, "--board", "coral-usb", "--json").stdout)
    assert document["board_variants"]["cpu"]["ops"] == document["ops"]


def test_a_board_without_an_accelerator(dense: Path) -> None:
    shown = edgeinfer("inspect", dense, "--board", "rpi4").stdout
    assert "all operators run on the CPU: the board has no accelerator" in shown
    document = json.loads(edgeinfer("inspect", dense, "--board", "rpi4", "--json").stdout)
    assert document["accelerator"] is None
    assert [op["target"] for op in document["ops"]] == ["cpu"]


@pytest.mark.parametrize("name", ["coral", "", "../profiles/rpi4", "x\x1b[2J"])
def test_an_unknown_board_names_the_known_ones(name: str, dense: Path) -> None:
    line = error_line(edgeinfer("inspect", dense, "--board", name), code=2)
    assert "is no board known here" in line
    assert "coral-dev, coral-usb, generic-aarch64" in line


def test_run_does_not_load_the_rules(run_python_modules: set[str]) -> None:
    assert not {name for name in run_python_modules if "edgetpu" in name}


@pytest.fixture
def run_python_modules(dense: Path) -> set[str]:
    """What a process has loaded that opens a model as `edgeinfer run` does."""
    import subprocess
    import sys

    code = (
        "import sys, edgeinfer.device.cli.run\n"
        "from edgeinfer.device.runtime import Runner\n"
        "from pathlib import Path\n"
        "Runner(Path(sys.argv[1]).read_bytes(), subject='x')\n"
        "print(*sys.modules)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code, str(dense)], capture_output=True, text=True, check=True
    )
    return set(finished.stdout.split())

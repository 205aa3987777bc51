"""`edgeinfer inspect --board`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from edgeinfer.device.cli.boards.option import named_board
from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.models.bundle.writer import write_bundle
from tests.device.models.bundle.examples import MEMBERS, manifest
from tests.device.tflite_examples import dense_model, encode
from tests.support.program import edgeinfer, edgeinfer_here, error_line


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
    document = json.loads(edgeinfer_here("inspect", path, "--board", "coral-dev", "--json").stdout)
    assert document["mapped"] == 0
    assert document["ops"][0]["target"] == "cpu"
    assert "version 12 is newer" in document["ops"][0]["reason"]


def test_a_bundle_by_variant(tmp_path: Path) -> None:
    path = tmp_path / "example.edgebundle"
    write_bundle(path, manifest(), MEMBERS | {"variants/cpu.tflite": encode(dense_model())})
    assert "1 of 1 operators" in edgeinfer_here("inspect", path, "--board", "coral-usb").stdout
    document = json.loads(edgeinfer_here("inspect", path, "--board", "coral-usb", "--json").stdout)
    assert document["board_variants"]["cpu"]["ops"] == document["ops"]


def test_a_board_without_an_accelerator(dense: Path) -> None:
    shown = edgeinfer_here("inspect", dense, "--board", "rpi4").stdout
    assert "all operators run on the CPU: the board has no accelerator" in shown
    document = json.loads(edgeinfer_here("inspect", dense, "--board", "rpi4", "--json").stdout)
    assert document["accelerator"] is None
    assert [op["target"] for op in document["ops"]] == ["cpu"]


@pytest.mark.parametrize("name", ["coral", "", "../profiles/rpi4", "x\x1b[2J"])
def test_an_unknown_board_names_the_known_ones(name: str, dense: Path) -> None:
    line = error_line(edgeinfer_here("inspect", dense, "--board", name), code=2)
    assert "is not a known board" in line
    assert "coral-dev, coral-dev-mini, coral-usb, generic-aarch64" in line


@pytest.mark.parametrize(
    ("script", "words", "told"),
    [
        (
            'echo Operator Count Status; echo FULLY_CONNECTED 1 Mapped to Edge TPU; cp "$4" '
            '"$3/model_edgetpu.tflite"',
            ["edgetpu_compiler of unknown version maps 1 operators", "  as predicted"],
            {"compiler_mapped": 1, "compiler_differences": []},
        ),
        (
            'echo Operator Count Status; echo FULLY_CONNECTED 1 Operation not supported; cp "$4" '
            '"$3/model_edgetpu.tflite"',
            ["  differs: FULLY_CONNECTED: 0 mapped, 1 predicted"],
            {"compiler_mapped": 0},
        ),
        ("echo Invalid model; exit 1", ["code 1: Invalid model"], {"compiler": "refused"}),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_the_compilers_word_where_it_is_installed(
    script: str,
    words: list[str],
    told: dict[str, object],
    packed: bool,
    dense: Path,
    tmp_path: Path,
) -> None:
    """The compiler is a stand-in here: a script that says what a real one might."""
    program = tmp_path / "edgetpu_compiler"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    model = dense
    if packed:
        model = tmp_path / "x.edgebundle"
        write_bundle(model, manifest(), MEMBERS | {"variants/cpu.tflite": dense.read_bytes()})
    path = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    shown = edgeinfer_here("inspect", model, "--board", "coral-usb", env=path).stdout
    for text in words:
        assert text in shown
    document = json.loads(
        edgeinfer_here("inspect", model, "--board", "coral-usb", "--json", env=path).stdout
    )
    assert told.items() <= document.items()


def test_without_the_compiler_it_is_said_how_to_get_it(dense: Path, tmp_path: Path) -> None:
    shown = edgeinfer_here(
        "inspect", dense, "--board", "coral-usb", env={"PATH": str(tmp_path)}
    ).stdout
    assert "edgetpu_compiler is not installed: it is a Debian package" in shown


def test_run_does_not_load_the_rules(run_python_modules: set[str]) -> None:
    assert not {name for name in run_python_modules if "edgetpu" in name}


@pytest.fixture
def run_python_modules(dense: Path) -> set[str]:
    """What a process has loaded that opens a model as `edgeinfer run` does."""
    import subprocess
    import sys

    code = (
        "import sys, edgeinfer.device.cli.commands.run\n"
        "from edgeinfer.device.runtime.runner import Runner\n"
        "from pathlib import Path\n"
        "Runner(Path(sys.argv[1]).read_bytes(), subject='x')\n"
        "print(*sys.modules)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code, str(dense)], capture_output=True, text=True, check=True
    )
    return set(finished.stdout.split())


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("raspberrypi4", "did you mean 'rpi4'?"),
        ("Raspberry Pi 5", "did you mean 'rpi5'?"),
        ("pi4", "did you mean 'rpi4'?"),
        ("toaster", ""),
    ],
)
def test_a_mistyped_board_gets_the_one_that_was_meant(typed: str, meant: str) -> None:
    with pytest.raises(UsageError, match="is not a known board") as caught:
        named_board(typed)
    assert caught.value.next_step == meant

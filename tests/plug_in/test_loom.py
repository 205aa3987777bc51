"""An accelerator of another package works everywhere, and no line of edgeinfer knows it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.device.pictures.decode import encode_png
from tests.converters.targets.test_edgetpu import chain
from tests.converters.targets.test_vx_and_gpu import float_model
from tests.device.tflite_examples import operator_code
from tests.plug_in.loom import NAME
from tests.support.checkout import ROOT
from tests.support.program import edgeinfer, error_line

ENTRY_POINTS = f"""\
[edgeinfer.accelerators]
{NAME} = tests.plug_in.loom:ACCELERATOR
broken = tests.plug_in.nowhere:ACCELERATOR
[edgeinfer.accelerators.converters]
{NAME} = tests.plug_in.loom:TARGET
"""
BOARD = f"""\
title = "A board with a Loom"
architecture = "x86_64"
accelerator = "{NAME}"
delegate = "libreference_delegate.so"
connection = "built-in"
"""


@pytest.fixture
def environ(tmp_path: Path, reference_delegate: Path) -> dict[str, str]:
    """What finds the package, laid out as pip would have installed it, its library and a board."""
    info = tmp_path / "installed" / "loom-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: loom\nVersion: 1\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    (tmp_path / "loom-board.toml").write_text(BOARD)
    shutil.copy(reference_delegate, tmp_path)
    return {
        "PYTHONPATH": f"{info.parent}:{ROOT}",
        "EDGEINFER_BOARDS": str(tmp_path),
        "LD_LIBRARY_PATH": str(tmp_path),
    }


def test_its_board_and_what_it_takes(
    environ: dict[str, str], sample_bundle: Path, tmp_path: Path
) -> None:
    shown = edgeinfer("boards", "show", "loom-board", env=environ).stdout
    assert "accelerator    loom, built-in" in shown
    for options in (("--board", "loom-board"), ("--accelerator", NAME)):
        told = edgeinfer("inspect", sample_bundle, *options, env=environ).stdout
        assert (
            "13 of 14 operators will run on the Loom, in 2 parts; first left: 12 MEAN"
            in " ".join(told.split())
        )
    compiled = tmp_path / "compiled.tflite"
    compiled.write_bytes(chain(operator_code("CUSTOM", custom="loom-op")))
    table = edgeinfer("inspect", compiled, env=environ).stdout
    assert "compiled for Loom: needs its delegate" in table
    assert any(line.split()[:2] == ["loom-board", NAME] for line in table.splitlines())


def test_a_bundle_for_it_is_made_and_runs_on_it(environ: dict[str, str], tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_quantizer", reason="converting needs the host extra")
    model, pictures, bundle = (tmp_path / name for name in ("x.tflite", "seen", "x.edgebundle"))
    model.write_bytes(float_model())
    pictures.mkdir()
    generator = np.random.default_rng(0)
    for number in range(12):
        pixels = generator.integers(0, 255, (2, 2, 3)).astype(np.uint8)
        (pictures / f"{number}.png").write_bytes(encode_png(pixels))
    command = (
        *("convert", model, "--pictures", pictures, "--input-range", "-1..1"),
        *("-o", bundle, "--no-install", "--json"),
    )
    done = edgeinfer(*command, "--board", "loom-board", "--require-mapped", "100%", env=environ)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[NAME]["mapped"] == 2
    verified = json.loads(edgeinfer("verify", bundle, "--json", env=environ).stdout)
    assert (verified["variant"], verified["variant_reason"]) == (
        NAME,
        "on libreference_delegate.so",
    )
    elsewhere = error_line(edgeinfer("verify", bundle))
    assert "variants.loom: delegate is 'loom', expected one of edgetpu, ethos-u" in elsewhere


def test_the_doctor_tries_its_library_and_names_what_is_broken(environ: dict[str, str]) -> None:
    found = json.loads(edgeinfer("doctor", "--json", env=environ).stdout)
    told = {item["subject"]: item for item in found if item["check"] == "Accelerators"}
    assert told["libreference_delegate.so"]["state"] == "ok"
    assert "cannot be imported (ModuleNotFoundError" in told["the accelerator 'broken'"]["got"]

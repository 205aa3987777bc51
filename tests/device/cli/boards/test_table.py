"""`edgeinfer inspect`: what each board would do with a model."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from edgeinfer.boards import load_profile, profile_names
from edgeinfer.device.cli.boards.table import board_fits, fits_json, fits_lines
from edgeinfer.device.diagnose.inspect.description import ModelDescription, describe_file
from edgeinfer.device.models.bundle.writer import write_bundle
from edgeinfer.device.tflite.model import OperatorCode, TfliteModel
from edgeinfer.device.tflite.reader import read_tflite
from tests.device.graph_examples import image, model
from tests.device.models.bundle.examples import MEMBERS, manifest
from tests.device.tflite_examples import declares, dense_model, encode
from tests.support.program import edgeinfer, edgeinfer_here, error_line


def described(graph: TfliteModel) -> ModelDescription:
    return ModelDescription(name="x.tflite", size_bytes=1, model=graph, labels=None)


def table(graph: TfliteModel) -> str:
    return "\n".join(fits_lines(board_fits(described(graph))))


PIXELS = image(1, 8, 8, 4)


def test_a_row_for_each_board_with_an_accelerator_and_one_for_the_others() -> None:
    steps = [("RELU", [0], [1]), ("TOPK_V2", [1], [2]), ("RELU", [2], [3])]
    text = table(model([PIXELS] * 4, steps))
    lines = text.splitlines()
    assert lines[2].split() == ["coral-dev", "edgetpu", "1", "of", "3", "1", "0.0", "of", "1,024"]
    assert lines[3].split()[0] == "coral-dev-mini"
    assert lines[4].split() == ["coral-usb", "edgetpu", "1", "of", "3", "1", "0.0"]
    # A board into which one is plugged has no separate row.
    assert "-coral-usb" not in text
    assert lines[5] == "    first left: 1 TOPK_V2 (the Edge TPU has no such operator)"
    assert "  imx8mp          vx                2 of 3      2  0.0 of 6,144" in lines
    assert "  imx93           ethos-u           ? of 3      ?  0.0 of 2,048" in lines
    assert "vela decides what the NPU takes: edgeinfer convert --board imx93" in text
    assert "  any             gpu               1 of 3      1  0.0" in lines
    assert "1 of them with 8-bit numbers, computed in floating point" in text
    assert "  CPU only: generic-aarch64, generic-armv7l" in text
    assert "(0.0 of 512 MiB or more)" in text
    assert max(map(len, lines)) <= 80


def test_what_does_not_fit_is_said() -> None:
    """Two tensors of 300 MiB: too much for boards of 512 MiB, not for larger ones."""
    large = image(1, 300, 1024, 1024)
    fits = board_fits(described(model([large, large], [("RELU", [0], [1])], inputs=[0])))
    assert {fit.board for fit in fits if fit.fits is False} == {
        *("rpi-zero2w", "rpi3"),
        *("rpi-zero2w-coral-usb", "rpi3-coral-usb"),
    }
    text = "\n".join(fits_lines(fits))
    assert (
        "  rpi3-coral-usb        edgetpu           1 of 1      1  600.0 of 512: does not fit"
        in text
    )
    assert "rpi4-coral-usb" not in text
    assert "CPU only, does not fit: rpi-zero2w, rpi3 (600.0 of 512 MiB or more)" in text
    small = [replace(fit, memory_mib=256) for fit in fits]
    assert "600.0 of 256: does not fit" in "\n".join(fits_lines(small))


def test_a_compiled_model_runs_nowhere_else() -> None:
    graph = model([PIXELS, PIXELS], [("edgetpu-custom-op", [0], [1])])
    codes = read_codes("edgetpu-custom-op")
    fits = board_fits(described(replace(graph, operator_codes=codes)))
    assert {fit.board for fit in fits if fit.runs} == {
        name for name in profile_names() if load_profile(name).accelerator == "edgetpu"
    }
    text = "\n".join(fits_lines(fits))
    assert "imx8mp          vx           does not run: compiled for another accelerator" in text
    assert "CPU only: does not run, it needs its accelerator" in text


def read_codes(custom: str) -> tuple[OperatorCode, ...]:
    return read_tflite(declares("CUSTOM", 1, custom), subject="x").operator_codes


def test_the_variant_that_was_made_for_a_board_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "x.edgebundle"
    start = manifest()
    cpu = start.variants["cpu"]
    variants = {
        "cpu": cpu,
        "ethos-u65-256": replace(cpu, file="variants/u.tflite", delegate="ethos-u"),
        "gpu": replace(cpu, file="variants/gpu.tflite", delegate="gpu"),
    }
    dense = encode(dense_model())
    members = MEMBERS | {"variants/cpu.tflite": dense, "variants/gpu.tflite": dense}
    members |= {"variants/u.tflite": declares("CUSTOM", 1, "ethos-u")}
    write_bundle(path, replace(start, variants=variants), members)
    document = fits_json(board_fits(describe_file(path)))
    boards, others = document["boards"], document["accelerators"]
    assert isinstance(boards, dict)
    assert isinstance(others, dict)
    assert boards["imx93"]["variant"] == "ethos-u65-256"
    assert (boards["imx93"]["mapped"], boards["imx93"]["runs"]) == (0, True)
    assert boards["imx8mp"]["variant"] == boards["coral-usb"]["variant"] == "cpu"
    assert others["gpu"]["variant"] == "gpu"


@pytest.fixture
def dense(tmp_path: Path) -> Path:
    path = tmp_path / "dense.tflite"
    path.write_bytes(encode(dense_model()))
    return path


def test_inspect_has_the_table_and_json_has_every_board(dense: Path) -> None:
    shown = edgeinfer("inspect", dense).stdout
    assert "  coral-usb       edgetpu           1 of 1      1  0.0" in shown
    document = json.loads(edgeinfer("inspect", dense, "--json").stdout)
    assert set(document["boards"]) == set(profile_names())
    assert document["boards"]["imx8mp"] == {
        "accelerator": "vx",
        "variant": None,
        "runs": True,
        "mapped": 1,
        "total": 1,
        "partitions": 1,
        "first_left": None,
        "memory_bytes": 22,
        "memory_mib": load_profile("imx8mp").memory_mib,
        "fits": True,
    }
    assert document["boards"]["imx93"]["mapped"] is None
    assert document["boards"]["rpi4"]["mapped"] == 0
    assert document["accelerators"]["gpu"]["mapped"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--board", "imx8mp"), "1 of 1 operators will run on the NPU (VX delegate), in 1 part"),
        (("--accelerator", "gpu"), "1 of 1 operators will run on the GPU, in 1 part"),
        (("--accelerator", "edgetpu"), "1 of 1 operators will be mapped to the Edge TPU"),
        (("--board", "imx93"), "it is not compiled: vela decides"),
    ],
)
def test_operator_by_operator(arguments: tuple[str, ...], words: str, dense: Path) -> None:
    shown = edgeinfer_here("inspect", dense, *arguments).stdout
    assert words in shown
    assert "boards  " not in shown
    document = json.loads(edgeinfer_here("inspect", dense, *arguments, "--json").stdout)
    (only,) = document["ops"]
    assert set(only) == {"op", "index", "target", "reason"}
    assert "boards" not in document


def test_a_board_and_an_accelerator_are_one_too_many(dense: Path) -> None:
    done = edgeinfer_here("inspect", dense, "--board", "imx8mp", "--accelerator", "gpu")
    assert "--accelerator: is given together with --board" in error_line(done, code=2)


def test_nothing_heavy_is_imported_for_the_table(dense: Path) -> None:
    code = (
        "import sys; from edgeinfer.device.cli.main import cli\n"
        f"cli(['inspect', {str(dense)!r}], standalone_mode=False)\n"
        "heavy = {'cv2', 'tensorflow', 'keras', 'ai_edge_litert', 'tflite_runtime', 'matplotlib'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("heavy: []\n")
    assert "boards" in done.stdout

"""ONNX and PyTorch through the whole of convert; a small program answers in the importer's place.

The importers themselves are tried by `tests/system/importers`.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import edgeinfer as package
from edgeinfer.converters.importers.source import ONNX_PLAN, TORCH_PLAN
from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.tflite.reader import read_tflite
from tests.converters.importers.fakes import fake_environment, good_code
from tests.support.program import edgeinfer_here, error_line

pytest.importorskip("ai_edge_quantizer", reason="conversion needs the host extra")

RANGE = ("--mean", 127.5, "--std", 127.5)


@pytest.fixture
def importers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "edgeinfer" / "importers"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    generator = np.random.default_rng(1)
    for index in range(16):
        pixels = generator.integers(0, 256, (8, 12, 3)).astype(np.uint8)
        write_atomically(folder / f"{index}.png", encode_png(pixels))
    return folder


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "net.onnx"
    path.write_bytes(b"the fake importer does not read it")
    return path


def test_an_onnx_file_becomes_a_bundle_that_verifies(
    importers: Path, net: Path, pictures: Path, tmp_path: Path
) -> None:
    fake_environment(ONNX_PLAN, importers, good_code(tmp_path))
    out = tmp_path / "net.edgebundle"
    done = edgeinfer_here(
        *("convert", net, "--pictures", pictures, "--no-install", "--out", out, "--json"),
        *("--calibration-images", 8, "--golden-frames", 3, "--min-agreement", 0.5, *RANGE),
    )
    assert done.returncode == 0, done.stderr
    assert "onnx2tf has read" in done.stderr
    assert "differ by at most 1.0e-08" in done.stderr
    assert "not installed yet" not in done.stderr
    with open_bundle(out) as bundle:
        assert bundle.manifest.name == "net"
        assert bundle.manifest.provenance["source"] == "net.onnx"
        model = read_tflite(bundle.member("variants/cpu.tflite"), subject="x")
    assert model.fully_integer
    assert model.inputs[0].shape == (1, 8, 12, 3)


def test_a_function_of_a_file(
    importers: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs in the folder of the user, with the name of the function and the size."""
    checked = (
        "assert (job['function'], job['size'], job['channels']) == ('build', [8, 12], 3); "
        "assert os.getcwd() == os.path.dirname(job['model']); "
    )
    fake_environment(TORCH_PLAN, importers, checked + good_code(tmp_path))
    (tmp_path / "model.py").write_text("def build(): ...\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    done = edgeinfer_here(
        *("convert", "model.py:build", "--input-size", "12x8", "--pictures", pictures),
        *("--no-install", "--golden-frames", 3, *RANGE),
        *("--min-agreement", 0.5, "--precision", "float32"),
    )
    assert done.returncode == 0, done.stderr
    assert "model.py:build: your own code runs in the importer's process" in done.stderr
    with open_bundle(tmp_path / "model.edgebundle") as bundle:
        assert bundle.manifest.provenance["source"] == "model.py:build"


@pytest.mark.parametrize(
    ("code", "options", "message"),
    [
        (
            "time.sleep(600)",
            ("--import-timeout", 1),
            "onnx2tf did not end within 1 s; give it more",
        ),
        ("os.kill(os.getpid(), signal.SIGSEGV)", (), "onnx2tf was killed by SIGSEGV"),
        ("output.write_bytes(b'x'); answer(difference=0, scale=1)", (), "no usable .tflite model"),
        (
            "raise OSError(28, os.strerror(28))",
            (),
            "onnx2tf cannot write (no space left on device)",
        ),
    ],
)
def test_an_importer_that_fails_is_one_line_and_leaves_nothing(
    code: str,
    options: tuple[object, ...],
    message: str,
    importers: Path,
    net: Path,
    pictures: Path,
    tmp_path: Path,
) -> None:
    fake_environment(ONNX_PLAN, importers, code)
    out = tmp_path / "out" / "net.edgebundle"
    done = edgeinfer_here("convert", net, "--pictures", pictures, "--out", out, *options, *RANGE)
    line = error_line(done)
    assert line.startswith(f"error: {net}: ")
    assert message in line
    assert not out.parent.exists()


def test_what_the_result_is_not_fit_for_names_the_users_file(
    importers: Path, net: Path, pictures: Path, tmp_path: Path
) -> None:
    fake_environment(ONNX_PLAN, importers, good_code(tmp_path))
    labels = tmp_path / "labels.txt"
    labels.write_text("a\nb\nc\n", encoding="utf-8")
    done = edgeinfer_here("convert", net, "--pictures", pictures, "--labels", labels, *RANGE)
    assert error_line(done).startswith(f"error: {net}: 3 labels for 2 outputs")


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("net.onnx", ("--precision", "int16x8"), "--precision: int16x8 for net.onnx"),
        ("net.onnx", ("--backend", "tensorflow"), "--backend: tensorflow for net.onnx"),
        ("net.tflite", ("--import-timeout", "9"), "--import-timeout: is given for a model that no"),
    ],
)
def test_options_are_obeyed_or_refused_before_anything_is_installed(
    model: str,
    options: tuple[str, ...],
    message: str,
    importers: Path,
    net: Path,
    pictures: Path,
) -> None:
    net.with_name("net.tflite").write_bytes(b"....TFL3")
    done = edgeinfer_here("convert", net.with_name(model), "--pictures", pictures, *options, *RANGE)
    assert message in error_line(done, 2)
    assert not importers.exists()


def test_in_python(importers: Path, net: Path, pictures: Path, tmp_path: Path) -> None:
    checked = "assert job['size'] == [8, 12]; "
    fake_environment(ONNX_PLAN, importers, checked + good_code(tmp_path))
    foreign = package.ForeignModel(
        pictures=pictures, min_agreement=0.5, input_range="-1..1", input_size=(12, 8)
    )
    out = tmp_path / "net.edgebundle"
    with pytest.raises(UsageError, match="foreign: is not given"):
        package.convert(net, out, progress=package.Silent())
    result = package.convert(
        net,
        out,
        package.ConvertOptions(calibration_images=8, golden_frames=3),
        foreign=foreign,
        import_timeout_s=60,
        progress=package.Silent(),
    )
    assert json.loads(json.dumps(dict(result.manifest.provenance)))["source"] == "net.onnx"

"""Teachable Machine's ZIPs, straight as downloaded, through the whole of convert and adopt."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeinfer.converters.tensorflow.import_model import float_tflite
from edgeinfer.converters.tensorflow.worker.job import Here
from edgeinfer.device.models.bundle.reader import read_manifest
from edgeinfer.device.models.model import Model
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.classification.prediction import Classification
from tests.converters.tensorflow.keras2_models import (
    pixels,
    quantized,
    save,
    teachable_machine,
    tf_keras,
)
from tests.support.program import edgeinfer_here, error_line

CLASSES = ("my cat", "dog", "Class 3")
NUMBERED = "".join(f"{number} {name}\n" for number, name in enumerate(CLASSES))


def pack(path: Path, model: Path | bytes, name: str, labels: str = NUMBERED) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("labels.txt", labels)
        archive.writestr(name, model if isinstance(model, bytes) else model.read_bytes())
    return path


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, picture in enumerate(pixels((40, 60, 3), 24)):
        (folder / f"{number}.png").write_bytes(encode_png(picture))
    return folder


@pytest.mark.slow
@pytest.mark.usefixtures("warm_tensorflow")
def test_a_keras_zip_is_converted_and_answers_as_keras_2(pictures: Path, tmp_path: Path) -> None:
    tf_keras()
    model = teachable_machine()
    path = pack(tmp_path / "converted_keras.zip", save(model, tmp_path / "m.h5"), "keras_model.h5")
    out = tmp_path / "out.edgebundle"
    done = edgeinfer_here(
        *("convert", path, "--pictures", pictures, "--out", out, "--precision", "float32"),
        "--no-install",
    )
    assert done.returncode == 0, done.stderr
    assert "Teachable Machine" in done.stderr
    manifest = read_manifest(out)
    assert manifest.labels == CLASSES
    assert manifest.preprocess.crop == "center-crop"
    assert (manifest.preprocess.mean, manifest.preprocess.std) == ((127.5,) * 3, (127.5,) * 3)
    assert_answers(out, model, atol=1e-4)


@pytest.mark.slow
@pytest.mark.usefixtures("warm_tensorflow")
def test_tensorflow_lite_zips_are_adopted(pictures: Path, tmp_path: Path) -> None:
    tf_keras()
    model = teachable_machine()
    content = float_tflite(save(model, tmp_path / "m.h5"), tensorflow=Here())
    small = quantized(content, PreprocessSpec(size=(32, 32)), pixels((32, 32, 3), 32))
    for form, name, off in ((content, "model_unquant.tflite", 1e-4), (small, "model.tflite", 0.02)):
        path = pack(tmp_path / "converted_tflite.zip", form, name)
        out = tmp_path / f"{name}.edgebundle"
        done = edgeinfer_here("adopt", path, "--out", out, "--no-install")
        assert done.returncode == 0, done.stderr
        manifest = read_manifest(out)
        assert manifest.labels == CLASSES
        assert_answers(out, model, atol=off)
    told = ("--input-range", "0..255", "--crop", "stretch", "--out", tmp_path / "told.edgebundle")
    path = pack(tmp_path / "converted_tflite.zip", content, "model_unquant.tflite")
    assert edgeinfer_here("adopt", path, *told, "--no-install").returncode == 0
    manifest = read_manifest(tmp_path / "told.edgebundle")
    assert (manifest.preprocess.mean, manifest.preprocess.crop) == ((0.0,) * 3, "stretch")


def test_a_zip_without_a_model_is_one_line(tmp_path: Path) -> None:
    path = pack(tmp_path / "photos.zip", b"picture", "cat.jpg")
    for command in ("convert", "adopt"):
        line = error_line(edgeinfer_here(command, path))
        assert line.startswith(f"error: {path}: has no model that edgeinfer reads: ")


def assert_answers(bundle: Path, model: Any, *, atol: float) -> None:
    """Compare with Keras on pictures of the input's size, of which nothing is cropped or resized.

    A tolerance of INT8 is that of test_keras2, some steps of 1/256.
    """
    with Model.open(bundle) as opened:
        for picture in pixels((32, 32, 3), 3):
            answer = opened.predict(picture)
            assert isinstance(answer, Classification)
            (truth,) = model(picture[None].astype(np.float32) / 127.5 - 1, training=False).numpy()
            np.testing.assert_allclose(answer.probabilities, truth, atol=atol)

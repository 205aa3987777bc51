"""Whatever takes a file's path takes it as text, as a `Path`, and as any other `os.PathLike`."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import edgeinfer.device
from edgeinfer.device.cameras.open import open_camera
from edgeinfer.device.core.errors import BundleError, EdgeinferError, ImageError, ModelError
from edgeinfer.device.core.paths import AnyPath
from edgeinfer.device.diagnose.benchmark.benchmark import BenchmarkOptions, benchmark_model
from edgeinfer.device.diagnose.inspect.description import describe_file
from edgeinfer.device.models.bundle.reader import open_bundle, read_manifest
from edgeinfer.device.models.bundle.writer import write_bundle
from edgeinfer.device.models.input_size import model_input_size
from edgeinfer.device.models.model import Model, open_models
from edgeinfer.device.models.verify import verify_bundle
from edgeinfer.device.pictures.decode import (
    encode_png,
    read_image,
    read_image_bytes,
    read_image_size,
)
from edgeinfer.device.tasks.labels import read_label_file
from tests.device.models.bundle.examples import MEMBERS, manifest

PICTURE = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)


class Elsewhere:
    """A path of a library that has its own."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __fspath__(self) -> str:
        return str(self._path)


KINDS: dict[str, Callable[[Path], AnyPath]] = {"str": str, "Path": Path, "PathLike": Elsewhere}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Callable[[Path], AnyPath]:
    return KINDS[request.param]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(encode_png(PICTURE))
    return path


def test_a_bundle(kind: Callable[[Path], AnyPath], sample_bundle: Path) -> None:
    path = kind(sample_bundle)
    with Model.open(path) as model:
        assert model.name == "fashion-mnist"
    with open_bundle(path) as bundle:
        assert bundle.path == sample_bundle
        assert read_manifest(path) == bundle.manifest
    assert verify_bundle(path).frames == 10
    assert describe_file(path).name == str(sample_bundle)
    assert model_input_size(path) == (28, 28)
    models = open_models(path, 2)
    assert [model.name for model in models] == ["fashion-mnist"] * 2
    for model in models:
        model.close()
    options = BenchmarkOptions(seconds=0.01, cold_starts=0, threads=(1,))
    assert benchmark_model(path, options).model.name == "fashion-mnist"


def test_a_plain_model(
    kind: Callable[[Path], AnyPath], sample_bundle: Path, tmp_path: Path
) -> None:
    path = tmp_path / "plain.tflite"
    with open_bundle(sample_bundle) as bundle:
        path.write_bytes(bundle.member("variants/cpu.tflite"))
    with Model.open(kind(path)) as model:
        assert model.name == "plain"
    assert describe_file(kind(path)).name == str(path)
    assert model_input_size(kind(path)) == (28, 28)


def test_the_loop(kind: Callable[[Path], AnyPath], sample_bundle: Path, photo: Path) -> None:
    with edgeinfer.device.open(kind(sample_bundle), camera=kind(photo.parent)) as stream:
        assert len(list(stream)) == 1
    with open_camera(kind(photo.parent)) as source:
        assert source.read() is not None


def test_pictures_and_labels(kind: Callable[[Path], AnyPath], photo: Path) -> None:
    assert (read_image(kind(photo)) == PICTURE).all()
    assert read_image_size(kind(photo)) == (4, 4)
    assert read_image_bytes(kind(photo)) == photo.read_bytes()
    labels = photo.with_name("labels.txt")
    labels.write_text("cat\ndog\n")
    assert read_label_file(kind(labels)) == ("cat", "dog")


def test_what_is_written(kind: Callable[[Path], AnyPath], tmp_path: Path) -> None:
    path = tmp_path / "made" / "example.edgebundle"
    write_bundle(kind(path), manifest(), MEMBERS)
    with open_bundle(path) as bundle:
        assert set(bundle.manifest.members) == set(MEMBERS)


@pytest.mark.parametrize(
    ("read", "error"),
    [
        (Model.open, ModelError),
        (edgeinfer.device.open, EdgeinferError),
        (open_bundle, BundleError),
        (read_manifest, BundleError),
        (verify_bundle, BundleError),
        (describe_file, ModelError),
        (benchmark_model, ModelError),
        (read_image, ImageError),
        (read_image_size, ImageError),
        (read_label_file, ModelError),
    ],
)
def test_errors_name_the_path(
    kind: Callable[[Path], AnyPath],
    tmp_path: Path,
    read: Callable[[AnyPath], object],
    error: type[EdgeinferError],
) -> None:
    path = tmp_path / "absent"
    with pytest.raises(error) as caught:
        read(kind(path))
    assert str(caught.value).startswith(f"{path}: ")


def test_the_types_say_so() -> None:
    assert os.PathLike[str] in AnyPath.__args__
    for public in (Model.open, edgeinfer.device.open):
        first = next(iter(inspect.signature(public).parameters.values()))
        assert first.annotation == "AnyPath"

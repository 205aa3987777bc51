"""Other people's float models that the system cannot read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeinfer.converters.run_folder.trained_run import read_trained
from edgeinfer.converters.tensorflow.import_model import float_tflite, source_kind
from edgeinfer.converters.tensorflow.worker.job import Here
from edgeinfer.device.core.errors import ModelError
from tests.device.core.model_file import foreign_examples as foreign


def test_a_disk_that_cannot_be_read_is_reported_as_such(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.symlink_to("/proc/self/mem")  # its first page gives EIO
    with pytest.raises(ModelError, match=r"cannot be read \(input/output error\)"):
        float_tflite(path, tensorflow=Here())


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    os.mkfifo(path)
    with pytest.raises(ModelError, match="is not a file"):
        float_tflite(path, tensorflow=Here())


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "a.edgebundle",
            b"PK\3\4",
            "is a bundle, expected a folder that .*; name what the bundle was made of",
        ),
        (
            "words.txt",
            b"words",
            "is not a model that edgeinfer knows, expected a folder that `edge",
        ),
        (
            "a.zip",
            foreign.packed("labels.txt", "keras_model.h5"),
            "is a ZIP that contains keras_model.h5, .*; unpack it and give keras_model.h5",
        ),
        ("a.pth", foreign.TORCH_LEGACY, "is a PyTorch file of weights, without .* model.py:funct"),
        (
            "a.pb",
            foreign.FROZEN_GRAPH,
            "is a frozen TensorFlow graph, expected a folder .*; make",
        ),
        (
            "a.h5",
            foreign.LFS_POINTER,
            "is a Git LFS pointer, .*; fetch the file with `git lfs",
        ),
        ("a.jpg", foreign.JPEG, "is a picture, expected a folder that `edgeinfer train` made"),
        ("a.keras", b"\x89HDF\r\n\x1a\n", r"is an HDF5 file, expected the name to end in \.h5 or"),
        (
            "a.h5",
            b"PK\3\4" + bytes(26) + b"metadata.json",
            "is a Keras model, expected the name to",
        ),
    ],
)
def test_files_that_cannot_be_a_source(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=said):
        source_kind(tmp_path / name)


def test_the_folder_around_a_run(tmp_path: Path) -> None:
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "trained.json").touch()
    with pytest.raises(ModelError, match=f"is a folder around cats, .*; give {tmp_path}/cats$"):
        source_kind(tmp_path)
    with pytest.raises(ModelError, match=f"is a folder around cats, .*; give {tmp_path}/cats$"):
        read_trained(tmp_path)

"""Other people's float models that the system cannot read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeinfer.converters.tensorflow.import_model import float_tflite, source_kind
from edgeinfer.converters.tensorflow.worker.job import Here
from edgeinfer.device.core.errors import ModelError


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

"""Other people's float models that the system does not give out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeinfer.converters.tensorflow.import_model import float_tflite
from edgeinfer.converters.tensorflow.worker.job import Here
from edgeinfer.device.core.errors import ModelError


def test_a_disk_that_cannot_be_read_is_no_output(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.symlink_to("/proc/self/mem")  # its first page gives EIO
    with pytest.raises(ModelError, match=r"cannot be read \(input/output error\)"):
        float_tflite(path, tensorflow=Here())


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    os.mkfifo(path)
    with pytest.raises(ModelError, match="is no file"):
        float_tflite(path, tensorflow=Here())

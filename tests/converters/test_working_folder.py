"""What `convert` starts, from a working folder with untrusted modules."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from edgeinfer.converters.measure.timing import time_models
from edgeinfer.converters.run_folder.trained_run import KERAS_FILE
from edgeinfer.converters.runtime_support.op_versions import load_check
from edgeinfer.converters.tensorflow.import_model import float_tflite
from edgeinfer.converters.tensorflow.worker.process import TensorflowProcess
from tests.support.untrusted_folder import UntrustedFolder, work_in_untrusted_folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UntrustedFolder:
    return work_in_untrusted_folder(tmp_path / "untrusted", monkeypatch)


@pytest.fixture(scope="module")
def model(sample_bundle: Path) -> bytes:
    with zipfile.ZipFile(sample_bundle) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".tflite")]
        return archive.read(name)


def test_loading_by_both_runtimes(model: bytes, folder: UntrustedFolder) -> None:
    assert all(check.ok for check in load_check(model, subject="sample"))
    assert folder.imported() == []


@pytest.mark.slow
def test_timing(model: bytes, folder: UntrustedFolder) -> None:
    pytest.importorskip("tensorflow", reason="conversion needs the host extra")
    assert time_models({"a": model}, "a", rounds=1)["a"].ms > 0
    assert folder.imported() == []


@pytest.mark.slow
def test_converting_anothers_model(trained_folder: Path, folder: UntrustedFolder) -> None:
    with TensorflowProcess() as tensorflow:
        assert float_tflite(trained_folder / KERAS_FILE, tensorflow=tensorflow)
    assert folder.imported() == []

"""A small real model, and a library that replaces the Edge TPU's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.runtime.runner import Runner


@pytest.fixture(scope="session")
def model(sample_bundle: Path) -> bytes:
    """The sample's INT8 model."""
    with open_bundle(sample_bundle) as bundle:
        return bundle.member("variants/cpu.tflite")


@pytest.fixture
def cpu(model: bytes) -> Runner:
    """The model on the builtin kernels, whose answers the reference delegate gives."""
    return Runner(model, subject="sample", runtime="ai-edge-litert", kernels="builtin")


@pytest.fixture
def libedgetpu(reference_delegate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A libedgetpu.so.1 that the dynamic loader finds: the reference delegate."""
    folder = tmp_path / "lib"
    folder.mkdir()
    shutil.copy(reference_delegate, folder / "libedgetpu.so.1")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(folder))
    return folder / "libedgetpu.so.1"

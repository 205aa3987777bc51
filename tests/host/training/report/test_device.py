"""What a run says of the machine that trained it."""

from __future__ import annotations

import os

import pytest

from edgeinfer.host.training.report import device

pytestmark = pytest.mark.slow


def test_without_a_gpu_the_processor_trains() -> None:
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        pytest.skip("this machine has a GPU")
    assert device.training_device().startswith(f"CPU ({os.cpu_count()} cores, ")


def test_a_gpu_that_is_used_is_named_and_one_that_is_not_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert device.device_note("NVIDIA L4") == "training on NVIDIA L4"
    monkeypatch.setattr(device, "has_gpu", lambda: True)
    assert "edgeinfer[host-gpu]" in device.device_note("CPU (4 cores, x86_64)")
    monkeypatch.setattr(device, "has_gpu", lambda: False)
    assert device.device_note("CPU (4 cores, x86_64)") == ""

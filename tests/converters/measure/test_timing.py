"""Times of models compared, on the real interpreter; only clear differences count."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from edgeinfer.converters.measure.timing import time_models
from edgeinfer.converters.measure.timing_worker import InvokeTime
from edgeinfer.converters.quantize.calibration import activation_histograms, choose_ranges
from edgeinfer.converters.quantize.litert import quantize_int8
from edgeinfer.device.core.errors import ModelError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def models(sample_bundle: Path) -> dict[str, bytes]:
    """A trained ResNet8 for 28x28 pixels, and a network of a thousandth of its arithmetic."""
    keras = pytest.importorskip("keras", reason="conversion needs the host extra")
    from tests.converters.keras_models import float_model

    with zipfile.ZipFile(sample_bundle) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".tflite")]
        large = archive.read(name)
    image = keras.Input((8, 8, 1))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(image))
    return {"large": large, "small": float_model(keras.Model(image, x))}


def test_the_model_of_less_arithmetic_is_faster(models: dict[str, bytes]) -> None:
    times = time_models(models, "large", rounds=3)
    assert set(times) == {"small", "large"}
    small, large = times["small"], times["large"]
    assert small.ratio > 2
    assert 0 < small.ms < large.ms
    assert small.ratio_low <= small.ratio <= small.ratio_high
    assert large == InvokeTime(ms=large.ms, ratio=1.0, ratio_low=1.0, ratio_high=1.0)


def test_a_damaged_model_is_refused_by_name(models: dict[str, bytes]) -> None:
    with pytest.raises(ModelError, match="truncated"):
        time_models(
            {"large": models["large"], "truncated": models["small"][:500]}, "large", rounds=1
        )


def test_fewer_channels_are_faster_on_every_processor() -> None:
    keras = pytest.importorskip("keras", reason="conversion needs the host extra")
    from tests.converters.keras_models import SHAPE, SPEC, float_model, pictures

    def network(channels: int) -> bytes:
        x = image = keras.Input(SHAPE)
        for _ in range(5):
            x = keras.layers.Conv2D(channels, 3, padding="same")(x)
        content = float_model(keras.Model(image, keras.layers.GlobalAveragePooling2D()(x)))
        histograms = activation_histograms(content, SPEC, lambda: pictures(1))
        return quantize_int8(content, choose_ranges(histograms, "min-max"), subject="network")

    # Kernels for AMX fill 64 channels, so that 16 of them would take nearly as long.
    times = time_models({"64": network(64), "16": network(16)}, "64", rounds=3)
    assert times["16"].ratio > 4

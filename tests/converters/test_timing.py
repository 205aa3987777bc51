"""Times of models beside each other, on the real interpreter; only clear differences count."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from edgeinfer.converters.timing import InvokeTime, time_models
from edgeinfer.device.errors import ModelError

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
    with pytest.raises(ModelError, match="torn"):
        time_models({"large": models["large"], "torn": models["small"][:500]}, "large", rounds=1)

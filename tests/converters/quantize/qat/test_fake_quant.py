"""The fake-quantized model against the converters' INT8 models on the runtime's integer kernels."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from edgeinfer.converters.quantize.calibration import (
    CalibrationMethod,
    activation_histograms,
    choose_ranges,
)
from edgeinfer.converters.quantize.qat.fake_quant import FakeQuantModel
from edgeinfer.converters.quantize.qat.lowering import int8_graph
from edgeinfer.converters.quantize.quantize import Backend
from edgeinfer.device.core.errors import ConversionError
from edgeinfer.device.tflite.reader import read_tflite

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def models() -> ModuleType:
    """Imported when it is wanted: it brings TensorFlow."""
    pytest.importorskip("tensorflow", reason="conversion needs the host extra")
    from tests.converters import qat_models

    return qat_models


TENSORFLOW = (
    *("fused_pool", "concatenation", "squeezed", "single_norm", "shared_norm", "others", "dense"),
    *("nested", "pyramid", "with_softmax"),
)
# TensorFlow's calibration gives one of the tensors that an addition reads the sum's range as well,
# probably because it looks when the sum is in that tensor's memory. Ours has no such fault.
OURS = ("plain_cnn", "shared_conv", "single_norm", "squeezed", "pyramid")


@pytest.mark.parametrize(
    ("backend", "build"),
    [("tensorflow", build) for build in TENSORFLOW]
    + [("ai-edge-quantizer", build) for build in OURS],
)
def test_the_model_computes_what_the_int8_model_does(
    backend: Backend, build: str, models: ModuleType
) -> None:
    found = models.compare(getattr(models, build), backend)
    assert found.graph.uncovered == []
    # Rounding moves an answer by a quarter of a step on average, and more as layers add up. What is
    # left of that are ties that the kernels' integer arithmetic breaks otherwise.
    unrounded = found.steps_off(found.fake_quant.run(found.inputs, rounded=False))
    assert unrounded > 0.15
    assert found.steps_off(found.fake_quant.run(found.inputs)) < unrounded / 3


def test_a_rounding_left_out_or_added_is_seen(models: ModuleType) -> None:
    import tensorflow as tf

    found = models.compare(models.single_norm)
    faithful = found.steps_off(found.fake_quant.run(found.inputs))
    rounding = [step for step in found.graph.steps if step.rounding == "own"]
    assert len(rounding) == 3
    for step in rounding:
        step.rounding = "kept"
        assert found.steps_off(found.fake_quant.run(found.inputs)) > 5 * faithful
        step.rounding = "own"
    last = rounding[-1]
    relu = last.relu
    assert relu is not None

    def rounded_before(x: Any) -> Any:
        return relu(tf.quantization.fake_quant_with_min_max_vars(x, -2.5, 7.5))

    last.relu = rounded_before
    assert found.steps_off(found.fake_quant.run(found.inputs)) > 5 * faithful


def test_every_tensor_has_the_scale_that_the_converter_gives_it(models: ModuleType) -> None:
    found = models.compare(models.squeezed)
    graph = read_tflite(found.tflite, subject="x").subgraphs[0]
    computed = [*graph.inputs, *(op.outputs[0] for op in graph.operators)]
    results = [graph.tensors[index].quantization for index in computed]
    theirs = {result.scales[0] for result in results if result is not None}
    assert sorted(found.fake_quant.scales()) == pytest.approx(sorted(theirs), rel=1e-5)


def test_a_dense_layer_can_have_one_scale(models: ModuleType) -> None:
    found = models.compare(models.dense, per_tensor_dense=True)
    off = found.steps_off(found.fake_quant.run(found.inputs))
    per_channel = FakeQuantModel(found.graph)
    per_channel.calibrate(lambda: [found.inputs], "min-max")
    assert off < 0.1
    assert off < found.steps_off(per_channel.run(found.inputs)) / 3


def test_layers_that_cannot_be_covered_are_named(models: ModuleType) -> None:
    import keras

    L = keras.layers
    image = keras.Input((12, 12, 3))
    x = L.LayerNormalization(name="odd")(models.conv(image))
    x = L.Conv2D(2, 1, activation="elu", name="curved")(x)
    graph = int8_graph(keras.Model(image, L.PReLU(name="learned")(x)))
    assert graph.uncovered == ["odd", "curved", "learned"]


def test_models_that_do_not_fit_are_refused(models: ModuleType) -> None:
    import keras

    L = keras.layers
    image, other = keras.Input((12, 12, 3)), keras.Input((12, 12, 3))
    two = keras.Model([image, other], L.Add()([image, other]), name="two")
    with pytest.raises(ConversionError, match="two: has 2 inputs, expected one, the picture"):
        int8_graph(two)
    rows = L.LSTM(4, name="memory")(L.Reshape((12, 36))(image))
    with pytest.raises(ConversionError, match="memory: is a recurrent layer"):
        int8_graph(keras.Model(image, rows))

    class Own(keras.Model):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return inputs

    with pytest.raises(ConversionError, match="not a functional or Sequential"):
        int8_graph(Own(name="own"))


@pytest.mark.parametrize("method", ["min-max", "percentile", "mse"])
def test_ranges_are_those_of_our_calibration(method: CalibrationMethod, models: ModuleType) -> None:
    found = models.compare(models.single_norm)
    source = found.source
    found.fake_quant.calibrate(lambda: [source.inputs], method)
    histograms = activation_histograms(source.float32, models.SPEC, lambda: source.pictures)
    ranges = choose_ranges(histograms, method)
    # The pool's result has the range of what it reads.
    theirs = [(high - low) / 255 for name, (low, high) in ranges.items() if "max_pool" not in name]
    assert sorted(found.fake_quant.scales()) == pytest.approx(sorted(theirs)[-4:], rel=0.02)

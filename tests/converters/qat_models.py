"""Models of random weights, in INT8 and as fake-quantized models; it imports TensorFlow."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.quantize.calibration import (
    activation_histograms,
    choose_ranges,
)
from edgeinfer.converters.quantize.litert import quantize_int8
from edgeinfer.converters.quantize.qat.fake_quant import FakeQuantModel
from edgeinfer.converters.quantize.qat.graph import Graph
from edgeinfer.converters.quantize.qat.lowering import int8_graph
from edgeinfer.converters.quantize.quantize import Backend
from edgeinfer.converters.tensorflow.convert_job import (
    FLOAT_FILE,
    SMALL_FILE,
    ConvertJob,
    calibration_inputs,
)
from edgeinfer.device.preprocess import PreprocessSpec, tensor_table
from edgeinfer.device.runtime.runner import Runner

L = keras.layers
SPEC = PreprocessSpec(size=(12, 12))


def conv(x: Any, **options: Any) -> Any:
    return L.Conv2D(4, 3, padding="same", **options)(x)


def plain_cnn(x: Any) -> Any:
    """What the architectures of edgeinfer are made of."""
    x = L.Activation("linear")(conv(x, use_bias=False))
    x = L.ReLU()(L.BatchNormalization()(x))
    x = L.ReLU(6.0)(L.BatchNormalization()(L.DepthwiseConv2D(3, use_bias=False)(x)))
    y = L.BatchNormalization()(conv(x))
    x = L.ReLU()(L.Add()([x, y]))
    x = L.MaxPooling2D()(L.Dropout(0.5)(x))
    return L.Dense(5)(L.GlobalAveragePooling2D()(x))


def fused_pool(x: Any) -> Any:
    return conv(L.ReLU()(L.AveragePooling2D(2)(conv(x))))


def concatenation(x: Any) -> Any:
    x = conv(x)
    return conv(L.Concatenate()([x, L.MaxPooling2D(2, 1, padding="same")(conv(x)), conv(x) * 0.1]))


def squeezed(x: Any) -> Any:
    x = conv(x, activation="swish")
    gate = L.Conv2D(4, 1, activation="hard_sigmoid")(L.GlobalAveragePooling2D(keepdims=True)(x))
    other = L.Conv2D(4, 1, activation="sigmoid")(L.GlobalAveragePooling2D(keepdims=True)(x))
    return L.Activation("hard_swish")(conv(L.Multiply()([L.Multiply()([x, gate]), other])))


def single_norm(x: Any) -> Any:
    return L.ReLU()(L.BatchNormalization()(L.MaxPooling2D()(conv(x))))


def shared_norm(x: Any) -> Any:
    """The norm's result is read twice, so ReLU is a separate operator."""
    x = L.BatchNormalization()(conv(x))
    return L.Add()([x, L.ReLU()(x)])


def shared_conv(x: Any) -> Any:
    """The convolution's result is read twice, so the norm cannot be folded."""
    x = conv(x)
    return L.Add()([x, L.BatchNormalization()(x)])


def others(x: Any) -> Any:
    x = L.SeparableConv2D(4, 3, activation="relu")(L.ZeroPadding2D()(x))
    x = L.ReLU()(L.BatchNormalization()(L.Conv2DTranspose(4, 3, strides=2)(x)))
    return L.UpSampling2D(2, interpolation="bilinear")(L.UpSampling2D()(conv(x, strides=2)))


def dense(x: Any) -> Any:
    x = L.ReLU()(L.BatchNormalization()(L.Dense(6, use_bias=False)(L.Flatten()(x))))
    return L.Dense(3)(x)


def nested(x: Any) -> Any:
    inner = keras.Sequential([keras.Input((12, 12, 4)), L.BatchNormalization(), L.ReLU()])
    return conv(inner(conv(x)))


def pyramid(x: Any) -> Any:
    """Outputs at two depths, the coarse features enlarged and added to the fine ones."""
    fine = L.ReLU()(L.BatchNormalization()(conv(x)))
    coarse = L.ReLU()(L.BatchNormalization()(conv(fine, strides=2)))
    large = L.Resizing(12, 12, interpolation="nearest")(coarse)
    both = L.ReLU(6.0)(L.Add()([conv(fine), large]))
    return [L.Conv2D(2, 1)(both), L.Conv2D(3, 1)(coarse), L.Conv2D(1, 1)(both)]


def with_softmax(x: Any) -> Any:
    return L.Dense(4, activation="softmax")(L.GlobalMaxPooling2D()(conv(x)))


@dataclass(frozen=True, kw_only=True)
class Converted:
    """A model of random weights, and what TensorFlow makes of it.

    Attributes:
        model: the Keras model.
        pictures: those that calibrated it.
        inputs: the same as real values.
        float32: its `.tflite` bytes.
        int8: the same, quantized by TensorFlow.
    """

    model: Any
    pictures: NDArray[np.uint8]
    inputs: NDArray[np.float32]
    float32: bytes
    int8: bytes


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One model in INT8 and its fake-quantized model.

    Attributes:
        source: what both were made of.
        graph: the model's.
        fake_quant: calibrated as the INT8 model was.
        inputs: what the INT8 model's input holds, as real values.
        tflite: the INT8 model.
        int8: its answers, output by output.
        steps: of the outputs.
    """

    source: Converted
    graph: Graph
    fake_quant: FakeQuantModel
    inputs: NDArray[np.float32]
    tflite: bytes
    int8: list[NDArray[np.float64]]
    steps: list[float]

    def steps_off(self, answers: list[Any]) -> float:
        """How many of an output's steps answers are off the INT8 model's, on average.

        Of several outputs it is the one that is most off.
        """
        if self.graph.softmax:
            answers = [tf.round(tf.nn.softmax(answer) * 256) / 256 for answer in answers]
        return max(
            float(np.abs(answer.numpy() - int8).mean() / step)
            for answer, int8, step in zip(answers, self.int8, self.steps, strict=True)
        )


@lru_cache
def converted(build: Callable[[Any], Any], *, per_tensor_dense: bool = False) -> Converted:
    """Convert a model of random weights, once."""
    generator = np.random.default_rng(0)
    image = keras.Input((12, 12, 3))
    model = keras.Model(image, build(image))
    for variable in model.variables:
        values = generator.normal(0, 0.4, variable.shape)
        if variable.name in ("gamma", "moving_variance"):
            values = np.abs(values) + 0.5
        variable.assign(values)
    pictures = generator.integers(0, 256, (24, 12, 12, 3), np.uint8)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model.save(folder / "model.keras")
        (folder / "pictures.raw").write_bytes(pictures.tobytes())
        job = ConvertJob(
            model=str(folder / "model.keras"),
            subject="model.keras",
            preprocess=SPEC,
            calibration_images=str(folder / "pictures.raw"),
            output_folder=str(folder),
            per_tensor_dense=per_tensor_dense,
        )
        job.run(Silent())
        return Converted(
            model=model,
            pictures=pictures,
            inputs=np.concatenate([batch for (batch,) in calibration_inputs(job)]),
            float32=(folder / FLOAT_FILE).read_bytes(),
            int8=(folder / SMALL_FILE).read_bytes(),
        )


def compare(
    build: Callable[[Any], Any],
    backend: Backend = "tensorflow",
    *,
    per_tensor_dense: bool = False,
) -> Compared:
    """Run a random model as INT8 and as a new fake-quantized model, on the calibration inputs."""
    source = converted(build, per_tensor_dense=per_tensor_dense)
    model, inputs, content = source.model, source.inputs, source.int8
    if backend == "ai-edge-quantizer":
        histograms = activation_histograms(source.float32, SPEC, lambda: source.pictures)
        content = quantize_int8(source.float32, choose_ranges(histograms, "min-max"), subject="x")
    runner = Runner(content, subject="x", runtime="ai-edge-litert", kernels="builtin")
    spec = runner.inputs[0]
    table = tensor_table(SPEC, spec)
    raw = table[np.arange(3), source.pictures].astype(np.int8)
    answers = [
        [
            spec.dequantize(output)[0]
            for spec, output in zip(runner.outputs, runner.invoke([one[None]]), strict=True)
        ]
        for one in raw
    ]
    graph = int8_graph(model)
    fake_quant = FakeQuantModel(graph, per_tensor_dense=per_tensor_dense)
    exact = fake_quant.run(inputs, rounded=False)
    if graph.softmax:
        exact = [tf.nn.softmax(exact[0])]
    for mine, right in zip(exact, tf.nest.flatten(model(inputs)), strict=True):
        np.testing.assert_allclose(mine.numpy(), right.numpy(), atol=1e-4)
    fake_quant.calibrate(lambda: [inputs[:16], inputs[16:]], "min-max")
    image_tensor = fake_quant.input_tensor()
    assert (image_tensor.scale, image_tensor.zero_point) == (spec.scale, spec.zero_point)
    return Compared(
        source=source,
        graph=graph,
        fake_quant=fake_quant,
        inputs=spec.dequantize(raw).astype(np.float32),
        tflite=content,
        int8=[np.stack(output).astype(np.float64) for output in zip(*answers, strict=True)],
        steps=[output.scale for output in runner.outputs],
    )

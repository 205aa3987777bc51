"""Models that Keras 2 makes, as people have them, and what a `.tflite` answers."""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.quantize.calibration import activation_histograms, choose_ranges
from edgeinfer.converters.quantize.litert import quantize_int8
from edgeinfer.device.preprocess import PreprocessSpec

CASES = Path(__file__).parents[4] / "shared" / "cases" / "models" / "keras2"

Numbers = NDArray[np.float32]


def tf_keras() -> Any:
    """Return Keras 2; `make test` installs it without its dependencies."""
    pytest.importorskip("tensorflow", reason="conversion needs the [host] extra")
    return pytest.importorskip("tf_keras", reason="run: pip install --no-deps tf_keras==2.21.0")


def teachable_machine(side: int = 32, classes: int = 3) -> Any:
    """Return a model of the nesting that Teachable Machine exports, with a smaller base.

    The base with its pooling is one Sequential, two dense layers are another, and a third has both.
    Weights are random, but large enough for answers that differ from picture to picture.
    """
    keras = tf_keras()
    keras.utils.set_random_seed(3)
    layers = keras.layers

    def wide(seed: int, deviation: float = 0.7) -> Any:
        return keras.initializers.RandomNormal(stddev=deviation, seed=seed)

    image = layers.Input((side, side, 3))
    first = layers.Conv2D(8, 3, strides=2, activation="relu", kernel_initializer=wide(1))(image)
    depth = layers.DepthwiseConv2D(3, depthwise_initializer=wide(2))(first)
    base = keras.Model(image, layers.ReLU(6.0)(layers.BatchNormalization()(depth)))
    features = keras.Sequential([base, layers.GlobalAveragePooling2D()])
    dense = layers.Dense(100, activation="relu", input_shape=(8,), kernel_initializer=wide(3))
    last = layers.Dense(classes, "softmax", use_bias=False, kernel_initializer=wide(4, 0.05))
    model = keras.Sequential([features, keras.Sequential([dense, last])])
    model.build((None, side, side, 3))
    return model


def save(model: Any, path: Path) -> Path:
    """Save a model; Keras 2 warns that `.h5` is an old format, which is why people have it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model.save(path)
    return path


def tflite_answers(content: bytes, *inputs: Numbers) -> list[list[Numbers]]:
    """Return the real values of each output, for each input."""
    module = importlib.import_module("ai_edge_litert.interpreter")
    interpreter = module.Interpreter(
        model_content=content,
        experimental_op_resolver_type=module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    (source,) = interpreter.get_input_details()
    answers = []
    for values in inputs:
        scale, zero_point = source["quantization"]
        if scale:
            rounded = np.round(values / scale) + zero_point
            bounds = np.iinfo(source["dtype"])
            values = rounded.clip(bounds.min, bounds.max).astype(source["dtype"])
        interpreter.set_tensor(source["index"], values)
        interpreter.invoke()
        answers.append(
            [
                _real(interpreter.get_tensor(output["index"]), *output["quantization"])
                for output in interpreter.get_output_details()
            ]
        )
    return answers


def _real(values: Any, scale: float, zero_point: int) -> Numbers:
    real = (values.astype(np.float32) - zero_point) * scale if scale else values
    return np.asarray(real, np.float32)


def pixels(shape: tuple[int, int, int], count: int) -> list[NDArray[np.uint8]]:
    """Return pictures of noise, each of another brightness and colour."""
    generator = np.random.default_rng(11)
    light = generator.integers(40, 256, (count, 1, 1, 3))
    return list((generator.random((count, *shape)) * light).astype(np.uint8))


def quantized(content: bytes, spec: PreprocessSpec, pictures: list[NDArray[np.uint8]]) -> bytes:
    """Return the INT8 form that `convert` makes, calibrated with pictures."""
    histograms = activation_histograms(content, spec, lambda: iter(pictures), progress=Silent())
    return quantize_int8(content, choose_ranges(histograms, "min-max"), subject="model")

"""Small Keras models for what changes float graphs, and their float `.tflite` bytes."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.quantize.all_tensors import WatchedModel
from edgeinfer.converters.run_folder.trained_run import KERAS_FILE
from edgeinfer.converters.tensorflow.import_model import float_tflite
from edgeinfer.converters.tensorflow.worker.job import Here
from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.device.preprocess import PreprocessSpec

SIZE = (16, 12)
SPEC = PreprocessSpec(size=SIZE)
SHAPE = (12, 16, 3)


def float_model(model: Any) -> bytes:
    """Return a Keras model as float `.tflite` bytes, converted in this process, which made it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, KERAS_FILE)
        model.save(path)
        return float_tflite(path, tensorflow=Here())


def uneven_model() -> Any:
    """Layers with a residual sum; channels differ up to 100 times; pointwise ones without bias.

    Only the next layer's weights make up for that, as it comes about in training.
    """
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    image = keras.Input(SHAPE)
    first = layers.Conv2D(8, 3, padding="same", activation="relu", name="first")(image)
    depth = layers.DepthwiseConv2D(3, padding="same", activation="relu", name="depth")(first)
    point = layers.Conv2D(8, 1, use_bias=False, name="point")(depth)
    added = layers.ReLU()(
        layers.Add()([layers.Conv2D(8, 1, use_bias=False, name="side")(first), point])
    )
    pooled = layers.GlobalAveragePooling2D()(layers.MaxPooling2D(2)(added))
    model = keras.Model(image, layers.Dense(3, name="logits")(pooled))
    factors = np.geomspace(0.03, 3, 8, dtype=np.float32)
    _scale(model, "depth", "point", np.roll(factors, 3))
    for producer in ("point", "side"):
        model.get_layer(producer).set_weights(
            [weights * factors for weights in model.get_layer(producer).get_weights()]
        )
    kernel, bias = model.get_layer("logits").get_weights()
    model.get_layer("logits").set_weights([kernel / factors[:, None], bias])
    return model


def _scale(model: Any, producer: str, consumer: str, factors: Any) -> None:
    kernel, bias = model.get_layer(producer).get_weights()
    model.get_layer(producer).set_weights([kernel * factors[:, None], bias * factors])
    (weights,) = model.get_layer(consumer).get_weights()
    model.get_layer(consumer).set_weights([weights / factors[:, None]])


@lru_cache
def uneven_float() -> bytes:
    """Return `uneven_model` as float `.tflite` bytes, made once."""
    return float_model(uneven_model())


def pictures(count: int = 8) -> list[Pixels]:
    """Return pictures of noise."""
    generator = np.random.default_rng(1)
    return [generator.integers(0, 256, SHAPE, np.uint8) for _ in range(count)]


def outputs(content: bytes) -> NDArray[np.float64]:
    """Return what a float model answers to the pictures, a row each."""
    watched = WatchedModel(content, SPEC)
    values = []
    for pixels in pictures():
        watched.run(pixels)
        values.append(watched.value(watched.graph.outputs[0])[0])
    return np.array(values)

"""A Keras model's calls: complete, in order, and able to give the model's own answers again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from edgeinfer.converters.tensorflow.trace import Trace, functional
from edgeinfer.device.core.errors import ConversionError

keras = pytest.importorskip("keras", reason="tracing needs the host extra")
layers, ops = keras.layers, keras.ops
SHAPE = (6, 8, 3)


def _branches() -> Any:
    image = keras.Input(SHAPE)
    left = layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    right = layers.Conv2D(4, 1)(image)
    joined = layers.Concatenate()([layers.Add()([left, right]), right])
    return keras.Model(image, layers.Dense(2)(layers.GlobalAveragePooling2D()(joined)))


def _nested() -> Any:
    inner = keras.Sequential([keras.Input(SHAPE), layers.Conv2D(3, 1), layers.ReLU()])
    image = keras.Input(SHAPE)
    # Used twice, so that one layer has two calls.
    return keras.Model(image, layers.Flatten()(inner(inner(image))))


def _operations() -> Any:
    image = keras.Input(SHAPE)
    return keras.Model(image, ops.mean(ops.multiply(image / 2.0, 3.0), axis=(1, 2)))


def _shared() -> Any:
    image = keras.Input(SHAPE)
    shared = layers.Conv2D(3, 3, padding="same")
    return keras.Model(image, layers.Add()([shared(image), shared(shared(image))]))


def _sequential() -> Any:
    return keras.Sequential([keras.Input(SHAPE), layers.Flatten(), layers.Dense(3)])


@pytest.mark.parametrize("make", [_branches, _nested, _operations, _shared, _sequential])
def test_the_calls_one_after_another_give_the_models_answer(make: Callable[[], Any]) -> None:
    model = make()
    trace = Trace()
    (source,), (sink,) = trace.follow(functional(model))
    pictures = np.random.default_rng(0).normal(size=(2, *SHAPE)).astype(np.float32)
    values = {source: ops.convert_to_tensor(pictures)}
    for call in trace.calls:
        result = call.run(*(values[number] for number in call.inputs))
        assert call.shape[1:] == tuple(result.shape)[1:]
        assert call.rank == result.ndim
        assert call.output not in values
        values[call.output] = result
    assert np.array_equal(np.asarray(values[sink]), np.asarray(model(pictures)))


def test_layers_that_do_nothing_in_inference_are_left_out() -> None:
    image = keras.Input(SHAPE)
    x = layers.Activation("linear")(layers.Dropout(0.5)(image))
    x = layers.GaussianNoise(1.0)(layers.Flatten()(x))
    trace = Trace()
    (source,), (sink,) = trace.follow(keras.Model(image, layers.Identity()(x)))
    (call,) = trace.calls
    assert isinstance(call.layer, layers.Flatten)
    assert (call.inputs, call.output) == ([source], sink)


def test_a_nested_model_that_does_nothing_is_its_input() -> None:
    inner = keras.Sequential([keras.Input(SHAPE), layers.Dropout(0.5)])
    image = keras.Input(SHAPE)
    trace = Trace()
    inputs, outputs = trace.follow(keras.Model(image, inner(image)))
    assert (trace.calls, inputs) == ([], outputs)


def test_numbers_are_given_once() -> None:
    trace = Trace()
    image = keras.Input(SHAPE)
    number = trace.number(image)
    assert trace.number(image) == number
    assert len({number, trace.fresh(), trace.fresh(), trace.number(keras.Input(SHAPE))}) == 4


def _recurrent() -> Any:
    words = keras.Input((5, 4))
    return keras.Model(words, layers.LSTM(3, name="memory")(words))


def _several() -> Any:
    image = keras.Input(SHAPE)
    return keras.Model(image, ops.split(image, 2, axis=1))


@pytest.mark.parametrize(
    ("make", "said"), [(_recurrent, "memory: is a recurrent layer"), (_several, "several results")]
)
def test_layers_that_cannot_be_followed_are_named(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(ConversionError, match=said):
        Trace().follow(make())


def test_a_model_of_a_custom_class_is_refused() -> None:
    class Own(keras.Model):  # type: ignore[misc,name-defined]
        def call(self, image: Any) -> Any:
            return image

    with pytest.raises(ConversionError, match="not a functional or Sequential"):
        functional(Own())

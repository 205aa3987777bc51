"""Keras files and SavedModels as functions of one image, with their outputs by name."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeinfer.converters.tensorflow.keras_file import saved_model_outputs


class UnfitModelError(Exception):
    """The model is not one of single images; the text says why."""


@dataclass(frozen=True, kw_only=True)
class OneImage:
    """A model that answers one image.

    Attributes:
        image: the input, a TensorSpec with batch 1.
        answer: from the image to the outputs by name.
        outputs: their names, in the model's order.
        kept: what holds more than the variables that `answer` reads, or None.
    """

    image: Any
    answer: Callable[[Any], dict[str, Any]]
    outputs: tuple[str, ...]
    kept: Any


@contextmanager
def importable(folder: str) -> Iterator[None]:
    """Put a folder of packages before all others on the path."""
    if folder:
        sys.path.insert(0, folder)
    try:
        yield
    finally:
        if folder:
            sys.path.remove(folder)


def of_keras_file(keras: Any, path: str, *, safe: bool) -> OneImage:
    """Return a `.keras` or `.h5` file as a function, with training off.

    Args:
        keras: the Keras that reads it: the module `keras` or `tf_keras`.
        path: the file.
        safe: whether to refuse pickled functions.

    Raises:
        UnfitModelError: it does not take one image of a fixed size.
    """
    import tensorflow as tf

    # Otherwise the numbers in names, which go into the file, go on from the model before.
    keras.backend.clear_session()
    model = keras.models.load_model(path, compile=False, safe_mode=safe)
    inputs, outputs = getattr(model, "inputs", None), getattr(model, "outputs", None)
    if not inputs or not outputs:
        raise UnfitModelError("does not say the size of its input, as keras.Input(SHAPE) does")
    _require_one([_shape(tensor.shape) for tensor in inputs])
    _without_drawing(keras, model)
    names = _distinct(
        getattr(model, "output_names", None) or [f"output_{i}" for i, _ in enumerate(outputs)]
    )

    def answer(image: Any) -> dict[str, Any]:
        # Augmentation is on unless a caller turns training off.
        return dict(zip(names, tf.nest.flatten(model(image, training=False)), strict=True))

    # With a fixed batch of 1 there are no SHAPE, STRIDED_SLICE or PACK operators.
    image = tf.TensorSpec((1, *inputs[0].shape[1:]), tf.float32, "image")
    # Not the model itself: TensorFlow would trace each of its layers as well.
    return OneImage(image=image, answer=answer, outputs=names, kept=None)


def _without_drawing(keras: Any, model: Any) -> None:
    """Have layers of Keras 3 draw no seeds: some do so even where they need no random numbers.

    A seed is a variable that each answer changes, which no board's runtime has to have.
    """
    import tensorflow as tf

    seeds = getattr(getattr(keras, "random", None), "SeedGenerator", None)
    if seeds is None:
        return
    for layer in model._flatten_layers():
        for value in vars(layer).values():
            if isinstance(value, seeds):
                value.next = lambda ordered=True: tf.zeros(2, tf.uint32)


def of_saved_model(folder: Path) -> OneImage:
    """Return a SavedModel's default signature as a function.

    Raises:
        UnfitModelError: it has none, or one that does not take one image of a fixed size.
    """
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder))
    if "serving_default" not in loaded.signatures:
        raise UnfitModelError("has no signature 'serving_default'")
    function = loaded.signatures["serving_default"]
    _, inputs = function.structured_input_signature
    _require_one([_shape(spec.shape) for spec in inputs.values()])
    ((name, spec),) = inputs.items()
    found = saved_model_outputs(folder)
    if set(found) != set(function.structured_outputs):
        found = tuple(sorted(function.structured_outputs, key=_by_number))

    def answer(image: Any) -> dict[str, Any]:
        answered = function(**{name: image})
        return {output: answered[output] for output in found}

    image = tf.TensorSpec((1, *spec.shape[1:]), spec.dtype, "image")
    return OneImage(image=image, answer=answer, outputs=found, kept=loaded)


def _distinct(names: list[str]) -> tuple[str, ...]:
    """Return the names, with numbers behind those that come again."""
    return tuple(
        f"{name}_{names[:place].count(name)}" if name in names[:place] else name
        for place, name in enumerate(names)
    )


def _by_number(name: str) -> list[tuple[int, str]]:
    """Sort `output_2` before `output_10`."""
    return [(int(part) if part.isdecimal() else -1, part) for part in re.split(r"(\d+)", name)]


def _shape(shape: Any) -> tuple[int | None, ...]:
    return tuple(None if size is None else int(size) for size in shape)


def _require_one(inputs: list[tuple[int | None, ...]]) -> None:
    if len(inputs) != 1:
        raise UnfitModelError(f"has {len(inputs)} inputs, expected one image")
    (shape,) = inputs
    if len(shape) != 4 or shape[3] not in (1, 3):
        raise UnfitModelError(f"its input is {shape}, expected (batch, height, width, 1 or 3)")
    if None in shape[1:]:
        raise UnfitModelError(
            f"its input is {shape}, with sizes that vary; expected fixed height and width, "
            "as keras.Input((224, 224, 3)) in front of it gives"
        )

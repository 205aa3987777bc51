"""Other people's Keras models and SavedModels to float `.tflite`: the job.

Loading and converting can end the process (native code) or take long, so the job is for a
separate process.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.tensorflow.convert_job import (
    FLOAT_FILE,
    SAVED_FOLDER,
    Done,
    converter_lost,
)
from edgeinfer.device.core.errors import ConversionError
from edgeinfer.device.core.processes import ProcessEnd

_CUSTOM_LAYER = re.compile(
    r"(?:Could not locate class|Unknown layer:|Unknown layer|Could not find) '?([\w>.]+)'?"
)


_CHANGE = "change it, or save it again"


class UnfitModelError(Exception):
    """The model is not one of single images; the text says why."""


@dataclass(frozen=True, kw_only=True)
class ImportJob:
    """What to read.

    Attributes:
        model: a `.keras` or `.h5` file, or a SavedModel's folder.
        subject: its name in errors.
        output_folder: receives FLOAT_FILE, float32 with batch 1, and SAVED_FOLDER, from which it
            was made.
    """

    answer: ClassVar[type[Done]] = Done
    model: str
    subject: str
    output_folder: str

    def run(self, progress: Progress) -> Done:
        """Write the model with batch 1.

        Raises:
            ConversionError: it has several inputs, or sizes that vary.
        """
        import tensorflow as tf

        model, folder = Path(self.model), Path(self.output_folder)
        saved = folder / SAVED_FOLDER
        try:
            if model.is_dir():
                _fix_batch(model, saved)
            else:
                _export(model, saved)
        except UnfitModelError as error:
            raise ConversionError(self.subject, got=str(error), next_step=_CHANGE) from error
        converter = tf.lite.TFLiteConverter.from_saved_model(str(saved))
        (folder / FLOAT_FILE).write_bytes(converter.convert())
        return Done()

    def failed(self, reason: str, error: Exception) -> ConversionError:
        """Return the error for an exception of Keras or TensorFlow; it names a user's own layer."""
        return ConversionError(self.subject, got=_reason(error), next_step=_CHANGE)

    def lost(self, end: ProcessEnd) -> ConversionError:
        """Return the error for a converter that ended its process."""
        return converter_lost(self.subject, end)


def _export(model: Path, saved: Path) -> None:
    import keras

    keras.backend.clear_session()
    loaded = keras.saving.load_model(model, compile=False)
    _require_one([_shape(tensor.shape) for tensor in loaded.inputs])
    # With a fixed batch of 1 there are no SHAPE, STRIDED_SLICE or PACK operators.
    signature = keras.InputSpec(
        shape=(1, *loaded.inputs[0].shape[1:]), dtype="float32", name="image"
    )
    loaded.export(saved, format="tf_saved_model", input_signature=[signature], verbose=False)


def _fix_batch(model: Path, saved: Path) -> None:
    """Write a SavedModel again whose default signature takes one image."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(model))
    if "serving_default" not in loaded.signatures:
        raise UnfitModelError("has no signature 'serving_default'")
    function = loaded.signatures["serving_default"]
    _, inputs = function.structured_input_signature
    _require_one([_shape(spec.shape) for spec in inputs.values()])
    ((name, spec),) = inputs.items()

    def answer(image: Any) -> Any:
        return function(**{name: image})

    module = tf.Module()
    module.kept = loaded
    shape = (1, *spec.shape[1:])
    module.answer = tf.function(answer, input_signature=[tf.TensorSpec(shape, spec.dtype, "image")])
    tf.saved_model.save(module, str(saved), signatures=module.answer.get_concrete_function())


def _shape(shape: Any) -> tuple[int | None, ...]:
    return tuple(None if size is None else int(size) for size in shape)


def _require_one(inputs: list[tuple[int | None, ...]]) -> None:
    if len(inputs) != 1:
        raise UnfitModelError(f"has {len(inputs)} inputs, expected one")
    (shape,) = inputs
    if len(shape) != 4 or shape[3] not in (1, 3):
        raise UnfitModelError(f"its input is {shape}, expected (batch, height, width, 1 or 3)")
    if None in shape[1:]:
        raise UnfitModelError(
            f"its input is {shape}, with sizes that vary; expected fixed height and width, "
            "as keras.Input((224, 224, 3)) in front of it gives"
        )


def _reason(error: BaseException) -> str:
    """Return the reason on one line; it names a layer that only its own program knows."""
    text = f"{type(error).__name__}: {' '.join(str(error).split())}"
    cause: BaseException | None = error
    while cause is not None:
        found = _CUSTOM_LAYER.search(str(cause))
        if found:
            name = found[1].split(">")[-1]
            return f"has the custom layer '{name}', which only its own program knows"
        cause = cause.__cause__ or cause.__context__
    return f"cannot be converted ({text[:300]})"

"""Other people's Keras models and SavedModels to float `.tflite`: the jobs.

Loading and converting can end the process (native code) or take long, so the jobs are for a
separate process.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from edgeinfer.converters.common.library_error import library_reason
from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.tensorflow.convert_job import FLOAT_FILE, SAVED_FOLDER, converter_lost
from edgeinfer.converters.tensorflow.keras_file import Generation, KerasFile, read_keras_file
from edgeinfer.converters.tensorflow.leading_scale import with_visible_scale
from edgeinfer.converters.tensorflow.named_outputs import with_named_outputs
from edgeinfer.converters.tensorflow.one_image import (
    OneImage,
    UnfitModelError,
    importable,
    of_keras_file,
    of_saved_model,
)
from edgeinfer.converters.tensorflow.worker.job import load_tensorflow
from edgeinfer.device.core.errors import ConversionError
from edgeinfer.device.core.processes import ProcessEnd
from edgeinfer.device.tflite.reader import read_tflite

_CUSTOM_LAYER = re.compile(
    r"(?:Could not locate class|Unknown layer:|Unknown layer|Could not find) '?([\w>.]+)'?"
)
_CHANGE = "change it, or save it again"
# Their results differ from run to run, so no picture has one right answer.
_RANDOM = re.compile(r"(?:Stateless)?(?:Truncated|Parameterized)?Random[A-Z]\w*|Multinomial")


@dataclass(frozen=True, kw_only=True)
class KerasFileJob:
    """What to read of a Keras file before Keras does.

    Attributes:
        model: a `.keras` or `.h5` file.
        subject: its name in errors.
    """

    answer: ClassVar[type[KerasFile]] = KerasFile
    model: str
    subject: str

    def run(self, progress: Progress) -> KerasFile:
        """Read it; see `read_keras_file`."""
        try:
            return read_keras_file(Path(self.model))
        except ConversionError as error:
            raise ConversionError(
                self.subject,
                got=error.got,
                expected=error.expected,
                next_step=error.next_step,
            ) from error

    def failed(self, reason: str, error: Exception) -> ConversionError:
        """Return the error for an exception of the library that reads it."""
        return ConversionError(
            self.subject, got=f"cannot be converted ({reason})", next_step=_CHANGE
        )

    def lost(self, end: ProcessEnd) -> ConversionError:
        """Return the error for a file that ended the process which read it."""
        return ConversionError(
            self.subject, got=f"reading it {end.text}", expected="a Keras file", next_step=_CHANGE
        )


@dataclass(frozen=True, kw_only=True)
class ImportAnswer:
    """What was read.

    Attributes:
        outputs: the names of the model's outputs, in its own order.
    """

    outputs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ImportJob:
    """What to convert.

    Attributes:
        model: a `.keras` or `.h5` file, or a SavedModel's folder.
        subject: its name in errors.
        output_folder: receives FLOAT_FILE, float32 with batch 1, and SAVED_FOLDER, from which it
            was made.
        generation: which Keras reads a file.
        packages: a folder to import tf_keras from; "" where it can be imported already.
        run_code: whether code in the file may run.
    """

    answer: ClassVar[type[ImportAnswer]] = ImportAnswer
    model: str
    subject: str
    output_folder: str
    generation: Generation = 3
    packages: str = ""
    run_code: bool = False

    def run(self, progress: Progress) -> ImportAnswer:
        """Write the model with batch 1.

        Raises:
            ConversionError: it has several inputs, or sizes that vary.
        """
        load_tensorflow(progress)
        progress.start("read the model's layers")
        folder = Path(self.output_folder)
        saved = folder / SAVED_FOLDER
        try:
            one = of_saved_model(Path(self.model)) if self._is_folder else self._of_keras()
            function = _concrete(one.answer, one.image)
            visible = with_visible_scale(function)
            if visible is not None:
                function = _concrete(visible, one.image)
            _save(function, one.kept, saved)
            content = _convert(saved, function)
        except UnfitModelError as error:
            raise ConversionError(self.subject, got=str(error), next_step=_CHANGE) from error
        (folder / FLOAT_FILE).write_bytes(with_named_outputs(content, one.outputs))
        return ImportAnswer(outputs=one.outputs)

    @property
    def _is_folder(self) -> bool:
        return Path(self.model).is_dir()

    def _of_keras(self) -> OneImage:
        with importable(self.packages):
            keras = importlib.import_module("tf_keras" if self.generation == 2 else "keras")
            return of_keras_file(keras, self.model, safe=not self.run_code)

    def failed(self, reason: str, error: Exception) -> ConversionError:
        """Return the error for an exception of Keras or TensorFlow; it names a user's own layer."""
        return ConversionError(self.subject, got=_reason(error), next_step=_CHANGE)

    def lost(self, end: ProcessEnd) -> ConversionError:
        """Return the error for a converter that ended its process."""
        return converter_lost(self.subject, end)


def _concrete(answer: Callable[[Any], dict[str, Any]], image: Any) -> Any:
    import tensorflow as tf

    return tf.function(answer, input_signature=[image]).get_concrete_function()


def _save(function: Any, kept: Any, saved: Path) -> None:
    import tensorflow as tf

    module = tf.Module()
    module.kept, module.answer = (kept, list(function.graph.variables)), function
    tf.saved_model.save(module, str(saved), signatures=function)


def _convert(saved: Path, function: Any) -> bytes:
    """Return float `.tflite` bytes.

    Raises:
        UnfitModelError: the model draws random numbers.
    """
    import tensorflow as tf

    drawing = _random_operators(function)
    try:
        content: bytes = tf.lite.TFLiteConverter.from_saved_model(str(saved)).convert()
    except Exception as error:
        if not drawing:
            raise
        raise UnfitModelError(_randomness(drawing)) from error
    if drawing and {"RANDOM_UNIFORM", "RANDOM_STANDARD_NORMAL", "MULTINOMIAL"} & {
        operator for operator, _ in read_tflite(content, subject="model").op_counts
    }:
        raise UnfitModelError(_randomness(drawing))
    return content


def _random_operators(function: Any) -> list[str]:
    """Return the operators of a graph, and of the functions in it, that draw random numbers."""
    graph = function.graph.as_graph_def()
    nodes = [*graph.node, *(node for one in graph.library.function for node in one.node_def)]
    return sorted({node.op for node in nodes if _RANDOM.fullmatch(node.op)})


def _randomness(operators: list[str]) -> str:
    return (
        f"draws random numbers for each picture ({', '.join(operators)}), as augmentation layers "
        "do that were exported with training switched on; convert the .keras or .h5 file that it "
        "was exported from, where they are left out"
    )


def _reason(error: BaseException) -> str:
    """Return the reason on one line; it names a layer that only its own program knows."""
    cause: BaseException | None = error
    while cause is not None:
        found = _CUSTOM_LAYER.search(str(cause))
        if found:
            return custom_layer(found[1].split(">")[-1])
        cause = cause.__cause__ or cause.__context__
    return f"cannot be converted ({library_reason(error)})"


def custom_layer(name: str) -> str:
    """Return what is wrong with a model that has another program's layer or function."""
    return f"has the custom layer '{name}', which only its own program knows"

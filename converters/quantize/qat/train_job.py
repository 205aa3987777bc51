"""Quantization-aware training: the job, for a process that TensorFlow may crash.

Written here because tensorflow-model-optimization knows only the legacy Keras, whose models cannot
be saved as `.keras` files, and can be installed together with tensorflow-cpu only by force.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.quantize.qat.job import TUNED_FILE, QatAnswer, QatJob
from edgeinfer.device.core.errors import ConversionError
from edgeinfer.device.core.processes import ProcessEnd

LEAVE_OUT = "leave quantization-aware training out"


@dataclass(frozen=True, kw_only=True)
class TrainJob:
    """A training.

    Attributes:
        qat: what is trained, and how.
        subject: the model's name in errors.
    """

    answer: ClassVar[type[QatAnswer]] = QatAnswer
    qat: QatJob
    subject: str

    def run(self, progress: Progress) -> QatAnswer:
        """Fine-tune the model; see `run_job`."""
        try:
            return run_job(self.qat, progress)
        except ConversionError as error:
            part = "" if error.subject == self.qat.keras_model else f"'{error.subject}' "
            raise ConversionError(
                self.subject,
                got=part + error.got,
                expected=error.expected,
                next_step=error.next_step,
            ) from error

    def failed(self, reason: str, error: Exception) -> ConversionError:
        """Return the error for an exception of TensorFlow."""
        return ConversionError(
            self.subject, got=f"cannot be trained ({reason})", next_step=LEAVE_OUT
        )

    def lost(self, end: ProcessEnd) -> ConversionError:
        """Return the error for a training that ended its process."""
        return ConversionError(
            self.subject,
            got=f"quantization-aware training {end.text}",
            next_step=f"free memory or lower the batch size, or {LEAVE_OUT}",
        )


def run_job(job: QatJob, progress: Progress) -> QatAnswer:
    """Fine-tune the model and save it as it was, with its new weights.

    Raises:
        ConversionError: the model is not one that can be trained here, or training diverged.
    """
    import keras

    from edgeinfer.converters.quantize.qat.fake_quant import FakeQuantModel
    from edgeinfer.converters.quantize.qat.lowering import int8_graph
    from edgeinfer.converters.quantize.qat.training import Training

    keras.backend.clear_session()
    keras.utils.set_random_seed(job.seed)
    model = keras.saving.load_model(job.keras_model, compile=False)
    model.trainable = True  # also layers that an earlier stage froze
    graph = int8_graph(model)
    _require_shape(model, job)
    fake_quant = FakeQuantModel(graph, per_tensor_dense=job.per_tensor_dense)
    losses = Training(job, model, fake_quant, graph, progress).losses()
    # A new copy has only the weights, frozen where the original is frozen.
    tuned = keras.saving.load_model(job.keras_model, compile=False)
    for variable, value in zip(tuned.weights, model.weights, strict=True):
        variable.assign(value)
    tuned.save(Path(job.output_folder, TUNED_FILE))
    return QatAnswer(losses=tuple(losses), uncovered=tuple(dict.fromkeys(graph.uncovered)))


def _require_shape(model: Any, job: QatJob) -> None:
    shape = tuple(model.inputs[0].shape[1:])
    if shape != job.preprocess.shape:
        raise ConversionError(
            job.keras_model, got=f"its input is {shape}", expected=str(job.preprocess.shape)
        )

"""Other people's models as a source: `.keras`, `.h5`, SavedModel or float `.tflite`.

There is no data set. On pictures that the user names, it measures how often the smaller model
agrees with the float model; or their accuracy, if the pictures have labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.convert.foreign_model import ForeignModel, describe_foreign
from edgeinfer.converters.convert.foreign_pictures import (
    ForeignPictures,
    find_pictures,
    require_contrast,
)
from edgeinfer.converters.convert.model_zip import ModelForm, stated_by, with_form
from edgeinfer.converters.convert.options import ConvertOptions
from edgeinfer.converters.convert.source import Opened
from edgeinfer.converters.measure.accuracy_gate import Gate, LabelGate
from edgeinfer.converters.measure.agreement_gate import AgreementGate
from edgeinfer.converters.quantize.calibration import choose_ranges, sample_histograms
from edgeinfer.converters.quantize.litert import cast_float16, quantize_int8
from edgeinfer.converters.quantize.qat.retrain import retrainer
from edgeinfer.converters.quantize.quantize import Backend, QuantizeOptions
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.tasks.registry import find_compared
from edgeinfer.converters.tasks.task import ComparedTask
from edgeinfer.converters.tasks.uncompared import uncompared
from edgeinfer.converters.tensorflow.import_model import (
    Imported,
    import_model,
    source_kind,
)
from edgeinfer.converters.tensorflow.to_tflite import TfliteModels, convert_keras
from edgeinfer.converters.tensorflow.worker.job import Worker
from edgeinfer.device.core.errors import ModelError, UsageError
from edgeinfer.device.core.model_file import ModelKind
from edgeinfer.device.core.tensors import Precision
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.task import Said
from edgeinfer.device.tflite.reader import read_tflite

DEFAULT_MAX_DROP = 1.0
"""Percentage points that a model may lose on labelled pictures where the user says nothing."""

WITHOUT_TENSORFLOW: tuple[Precision, ...] = ("int8", "float16", "float32")
"""What a `.tflite` can be converted to."""


@dataclass(frozen=True, kw_only=True)
class ForeignSource:
    """Someone else's model.

    Attributes:
        path: the `.keras`, `.h5` or float `.tflite` file, or a SavedModel's folder.
        model: what only the user knows about it.
        max_drop_points: the largest loss of the score on labelled pictures, in percentage points,
            of which the user is sure; None takes `DEFAULT_MAX_DROP`, if they are labelled.
        form: what the ZIP that it came in says about how it is fed, or None.
    """

    path: Path
    model: ForeignModel
    max_drop_points: float | None = None
    form: ModelForm | None = None

    def open(
        self, options: ConvertOptions, folder: Path, *, tensorflow: Worker, progress: Progress
    ) -> Opened:
        """Read the model; see `Source.open`."""
        path, model, quantize = self.path, with_form(self.model, self.form), options.quantize
        backend = chosen_backend(path, quantize)
        progress.start("read the model")
        imported = import_model(
            *(path, folder),
            tensorflow=tensorflow,
            trust_lambda=model.trust_lambda,
            progress=progress,
        )
        content, plain = describe_foreign(imported.float32, model, subject=str(path))
        imported = replace(imported, float32=content)
        if model.input_range != self.model.input_range:
            plain = stated_by(plain, self.form)
        task = self._task(plain.task)
        spec = replace(plain.preprocess, jpeg_reduction=options.jpeg_reduction)
        pictures = find_pictures(
            model.pictures,
            options.calibration_images,
            seed=options.seed,
            task=task,
            said=plain.said,
            ignore_labels=model.min_agreement is not None,
        )
        gate = self._gate(pictures, task, plain.said)
        outputs = read_tflite(content, subject=str(path)).outputs
        trainable = imported.trainable and len(outputs) == 1
        calibration, compared = pictures.calibration, pictures.compared
        require_contrast(model.pictures, spec, calibration)
        for note in (*plain.notes, *pictures.notes):
            progress.say(note)
        return Opened(
            name=path.stem,
            subject=path.name,
            task=task,
            said=plain.said,
            preprocess=spec,
            calibration=calibration,
            measured={"agreement" if gate.truth else "pictures": compared},
            golden=compared,
            gate=gate,
            backend=backend,
            quantize=lambda progress: (
                _by_tensorflow(imported, spec, calibration, quantize, tensorflow, progress)
                if backend == "tensorflow"
                else _by_litert(path, content, spec, calibration, quantize, progress)
            ),
            ranges=quantize.calibration if backend == "ai-edge-quantizer" else None,
            retrain=retrainer(
                *(path, spec, calibration),
                per_tensor_dense=quantize.per_tensor_dense,
                distribution=task.distribution,
                tensorflow=tensorflow,
            )
            if trainable
            else None,
            provenance={"source": path.name, "convert.input-range": plain.input_range.reason},
        )

    def _task(self, name: str) -> ComparedTask:
        """Return what compares answers.

        Raises:
            ModelError: nothing does, and the user does not accept that.
        """
        try:
            return find_compared(name)
        except ModelError as error:
            if self.model.min_agreement == 0:
                return uncompared(name)
            raise ModelError(
                self.path,
                got=f"its task is '{name}', and nothing that is installed compares such answers "
                "with those of float32",
                expected="a task that can be compared",
                next_step="--min-agreement 0 converts it unmeasured",
            ) from error

    def _gate(self, pictures: ForeignPictures, task: ComparedTask, said: Said) -> Gate:
        """Return what decides: accuracy where pictures are labelled, else agreement.

        Raises:
            UsageError: a largest loss was given, and there are no labels to measure it with.
        """
        if pictures.labelled:
            return LabelGate(
                max_drop_points=(
                    DEFAULT_MAX_DROP if self.max_drop_points is None else self.max_drop_points
                ),
                figure=task.figure,
                pictures="labelled pictures",
                remedies="raise --calibration-images",
            )
        if self.max_drop_points is not None:
            raise UsageError(
                "--max-drop",
                got=f"is given, and the pictures in {self.model.pictures} have no labels",
                expected="pictures in folders named as the model's labels",
                next_step="use --min-agreement, or sort the pictures",
            )
        return AgreementGate(min_agreement=self.model.min_agreement, counted=task.counts(said))


def chosen_backend(
    path: Path, options: QuantizeOptions, *, kind: ModelKind | None = None
) -> Backend:
    """Return what quantizes someone else's model: TensorFlow only where nothing else can.

    Args:
        path: the model.
        options: what the user chose.
        kind: of the model; by default that of the file. "tflite" for what becomes one.

    Raises:
        UsageError: a `.tflite` cannot be converted to the requested precision.
    """
    if (kind or source_kind(path)) != "tflite":
        if options.backend is not None:
            return options.backend
        return "ai-edge-quantizer" if options.precision == "int8" else "tensorflow"
    if options.backend == "tensorflow":
        raise UsageError(
            "--backend",
            got=f"tensorflow for {path.name}",
            expected="ai-edge-quantizer for a .tflite, ONNX or PyTorch model",
            next_step="leave it out, or convert the Keras model that the file was made from",
        )
    if options.precision not in WITHOUT_TENSORFLOW:
        raise UsageError(
            "--precision",
            got=f"{options.precision} for {path.name}",
            expected=f"{', '.join(WITHOUT_TENSORFLOW)} for a .tflite, ONNX or PyTorch model",
            next_step="convert the Keras model that the file was made from",
        )
    return "ai-edge-quantizer"


def _by_tensorflow(
    imported: Imported,
    spec: PreprocessSpec,
    calibration: Sequence[Sample],
    options: QuantizeOptions,
    tensorflow: Worker,
    progress: Progress,
) -> TfliteModels:
    assert imported.saved_model is not None
    made = convert_keras(
        imported.saved_model,
        spec,
        calibration,
        precision=options.precision,
        per_tensor_dense=options.per_tensor_dense,
        tensorflow=tensorflow,
        outputs=imported.outputs,
        progress=progress,
    )
    return replace(made, float32=imported.float32)


def _by_litert(
    path: Path,
    content: bytes,
    spec: PreprocessSpec,
    calibration: Sequence[Sample],
    options: QuantizeOptions,
    progress: Progress,
) -> TfliteModels:
    """Return the float model and its smaller form, made without TensorFlow."""
    small = content
    if options.precision == "float16":
        small = cast_float16(content, subject=path.name, next_step="take another --precision")
    elif options.precision == "int8":
        progress.start("measure the activations", 2 * len(calibration))
        histograms = sample_histograms(content, spec, calibration, progress)
        small = quantize_int8(
            content,
            choose_ranges(histograms, options.calibration),
            subject=path.name,
            per_tensor_dense=options.per_tensor_dense,
        )
    return TfliteModels(float32=content, small=small, precision=options.precision)

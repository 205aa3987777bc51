"""The automatic repair for models that edgeinfer trained: validation pictures decide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from edgeinfer.converters.common.progress import Progress, Step
from edgeinfer.converters.measure.accuracy_gate import within_drop
from edgeinfer.converters.measure.evaluate import Evaluation, evaluate, evaluation_model
from edgeinfer.converters.qat.retrain import retrainer
from edgeinfer.converters.quantize.quantize import QuantizeOptions
from edgeinfer.converters.quantize.repair import Attempt, RepairLimit, RepairTask, repair
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import TrainedModel
from edgeinfer.converters.tensorflow.to_tflite import TfliteModels
from edgeinfer.device.models.model import Model


def repair_trained(
    keras_model: Path,
    trained: TrainedModel,
    models: TfliteModels,
    validation: dict[str, Evaluation],
    *,
    samples: Sequence[Sample],
    train: Sequence[Sample],
    calibration: Sequence[Sample],
    max_drop_points: float,
    quantize: QuantizeOptions,
    limit: RepairLimit,
    cpu_only: bool,
    step: Step,
) -> tuple[Attempt, ...]:
    """Return the plain quantization alone where it is good enough, else what was tried as well.

    Args:
        keras_model: the trained `.keras` file.
        trained: what is known of it.
        models: its float32 form, and the plain quantization.
        validation: how both answered the samples.
        samples: the validation split's.
        train: the train split's.
        calibration: representative samples.
        max_drop_points: the largest loss of top-1, in percentage points, that is good enough.
        quantize: how the plain quantization was made.
        limit: how far to go.
        cpu_only: whether layers may stay in float32.
        step: told what is going on.

    Raises:
        ConversionError: a model cannot be quantized or trained.
    """
    plain = Attempt(
        stage=f"plain, {quantize.calibration}",
        models=models,
        evaluation=validation[models.precision],
    )

    def good_enough(evaluation: Evaluation) -> bool:
        return within_drop(validation["float32"], evaluation, max_drop_points)

    def measure(content: bytes, progress: Progress) -> Evaluation:
        factories = {"int8": model_factory(trained, "int8", content)}
        return evaluate(factories, samples, trained.labels, progress=progress)["int8"]

    if models.precision != "int8" or good_enough(plain.evaluation):
        return (plain,)
    task = RepairTask(
        name=trained.name,
        preprocess=trained.preprocess,
        calibration=calibration,
        measure=measure,
        good_enough=good_enough,
        limit=limit,
        cpu_only=cpu_only,
        per_tensor_dense=quantize.per_tensor_dense,
        retrain=retrainer(
            keras_model, trained.preprocess, train, per_tensor_dense=quantize.per_tensor_dense
        ),
    )
    # TensorFlow chooses ranges in its own way, even where that is called min-max.
    ours = quantize.chosen_backend == "ai-edge-quantizer"
    return repair(plain, quantize.calibration if ours else None, task, step)


def model_factory(trained: TrainedModel, precision: str, content: bytes) -> Callable[[], Model]:
    """Return what makes a device model of one form of a trained model."""
    return lambda: evaluation_model(
        content,
        subject=f"{trained.name} {precision}",
        labels=trained.labels,
        preprocess=trained.preprocess,
    )

"""How a Keras model answers pictures that it does not learn: as predictions, with their scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgeinfer.converters.run_folder.samples import Sample, sample_size
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.registry import find_measured
from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.registry import find_task, make_decode
from edgeinfer.host.tasks.lesson import Lesson
from edgeinfer.host.tasks.loss_settings import LossSettings
from edgeinfer.host.tasks.task import Floats
from edgeinfer.host.training.data.batches import Batches
from edgeinfer.host.training.fit import Score


@dataclass(frozen=True, kw_only=True)
class Validated:
    """A model's answers to the validation pictures.

    Attributes:
        score: loss and accuracy, as in the history's epochs.
        evaluation: the answers, scored by the task on the original pictures.
    """

    score: Score
    evaluation: Evaluation


def validate(
    model: Any,
    batches: Batches,
    samples: Sequence[Sample],
    spec: PreprocessSpec,
    settings: LossSettings,
) -> Validated:
    """Run a model once over pictures in order and score its answers.

    Args:
        model: a Keras model, from inputs of `batches` to (n, numbers).
        batches: the pictures in order and unchanged.
        samples: the same pictures, with their targets.
        spec: how they were prepared.
        settings: of the loss.

    Raises:
        ImageError: a picture whose size the answer needs can no longer be read.
    """
    lesson = batches.lesson
    outputs, targets = _outputs(model, batches)
    metric = lesson.task.metric()
    metric.update_state(targets, outputs)
    score = Score(
        loss=float(lesson.task.loss(settings)(targets, outputs)), accuracy=float(metric.result())
    )
    measured, answer = find_measured(lesson.task.name), _answers(lesson, spec)
    outcomes = [
        measured.outcome(sample.target, answer(numbers, sample))
        for numbers, sample in zip(outputs, samples, strict=True)
    ]
    return Validated(score=score, evaluation=measured.evaluation(outcomes, lesson.said))


def _outputs(model: Any, batches: Batches) -> tuple[Floats, Floats]:
    """Return the outputs, (pictures, numbers), and what the loss compares them with."""
    outputs, targets = [], []
    for inputs, wanted, _ in batches.epoch(0):
        outputs.append(np.asarray(model.predict_on_batch(inputs), np.float32))
        targets.append(wanted)
    return np.concatenate(outputs), np.concatenate(targets)


def _answers(lesson: Lesson, spec: PreprocessSpec) -> Callable[[Floats, Sample], Prediction]:
    """Return what makes a prediction in a sample's own picture of the numbers of an output."""
    name, numbers = lesson.task.name, lesson.numbers
    output = TensorSpec(name="output", shape=(1, numbers), dtype="float32")
    decode, placed = make_decode(name, lesson.said, (output,), spec), find_task(name).has_places

    def answer(values: Floats, sample: Sample) -> Prediction:
        prediction = decode([values[None]])
        return prediction.in_frame(sample_size(sample.source)) if placed else prediction

    return answer

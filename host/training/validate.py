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
from edgeinfer.device.tasks.task import Said
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
        model: a Keras model, from inputs of `batches` to the outputs of its task.
        batches: the pictures in order and unchanged.
        samples: the same pictures, with their targets.
        spec: how they were prepared.
        settings: of the loss.

    Raises:
        ImageError: a picture whose size the answer needs can no longer be read.
    """
    lesson = batches.lesson
    outputs, learned, targets = _outputs(model, batches)
    metric = lesson.task.metric()
    metric.update_state(targets, learned)
    score = Score(
        loss=float(lesson.task.loss(settings)(targets, learned)), accuracy=float(metric.result())
    )
    measured = find_measured(lesson.task.name)
    answer = _answers(lesson, measured.asking(lesson.said), spec)
    outcomes = [
        measured.outcome(sample.target, answer([output[place] for output in outputs], sample))
        for place, sample in enumerate(samples)
    ]
    return Validated(score=score, evaluation=measured.evaluation(outcomes, lesson.said))


def _outputs(model: Any, batches: Batches) -> tuple[list[Floats], Floats, Floats]:
    """Return each output, (pictures, ...), what the loss takes, and what it is compared with."""
    import keras

    lesson, answers = batches.lesson, model.output
    answers = answers if isinstance(answers, list) else [answers]
    whole = keras.Model(model.input, [*answers, lesson.task.learner(model).output])
    parts, targets = [], []
    for inputs, wanted, _ in batches.epoch(0):
        parts.append([np.asarray(part, np.float32) for part in whole.predict_on_batch(inputs)])
        targets.append(wanted)
    *outputs, learned = (np.concatenate(part) for part in zip(*parts, strict=True))
    return outputs, learned, np.concatenate(targets)


def _answers(
    lesson: Lesson, said: Said, spec: PreprocessSpec
) -> Callable[[list[Floats], Sample], Prediction]:
    """Return what makes a prediction in a sample's own picture of the numbers of the outputs."""
    name = lesson.task.name
    tensors = [
        TensorSpec(name=output, shape=(1, *shape), dtype="float32")
        for output, shape in lesson.task.output_shapes(said, spec.size).items()
    ]
    decode, placed = make_decode(name, said, tensors, spec), find_task(name).has_places

    def answer(values: list[Floats], sample: Sample) -> Prediction:
        prediction = decode([value[None] for value in values])
        return prediction.in_frame(sample_size(sample.source)) if placed else prediction

    return answer

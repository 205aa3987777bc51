"""One stage of training in which a student learns from the labels and from a teacher.

Source: Hinton et al. 2015, "Distilling the Knowledge in a Neural Network", and, where feature
vectors are learned too, Romero et al. 2015, "FitNets", with `keras.distillation` doing the work.
The teacher's side of Keras's `Distiller` only passes on answers that come with each batch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.common.progress import Progress
from edgeinfer.host.tasks.task import Floats
from edgeinfer.host.training.config import TrainConfig
from edgeinfer.host.training.data.batches import Batches, Features
from edgeinfer.host.training.distillation.teacher import (
    FEATURE_LAYER,
    TeacherAnswers,
    TeacherConfig,
)
from edgeinfer.host.training.fit import run_stage
from edgeinfer.host.training.history import History
from edgeinfer.host.training.keeping.kept_stage import KeptStage
from edgeinfer.host.training.optimizing.optimizers import make_optimizer

FEATURE_WEIGHT = 50.0
"""How much the features' mean squared error counts, relative to the divergence of the logits. The
features are standardized, so a student that has learned nothing of them has an error of 1. With few
classes, logits say little: a network of 83,000 weights on cats and dogs (15 epochs) had 72.8 %
on validation with a weight of 1 as without a teacher (72.5 %), and at another learning rate 80.3
% with 10, 80.5 % with 50, 74.8 % without."""


def fit_with_teacher(
    model: Any,
    train: Batches,
    validation: Batches,
    config: TrainConfig,
    teacher: TeacherConfig,
    answers: TeacherAnswers,
    *,
    stage: str,
    history: History,
    progress: Progress,
    kept: KeptStage | None = None,
) -> None:
    """Train as `fit` does, from the labels and the teacher's answers.

    The model ends with the weights of its best epoch and no added layers. In the history `loss` is
    the mixed loss; `val_loss` is the plain loss of the student alone, as without a teacher, so
    training stops by the same rule.

    Args:
        model: the model to train, one input to logits. If it has a layer `pool`, that layer also
            learns the teacher's features, through a projection that is dropped afterwards.
        train: shuffled batches; class weights apply to the teacher's part as to the labels'.
        validation: batches in order.
        config: the settings.
        teacher: how much the teacher counts.
        answers: to the samples of `train`, in the order of its source.
        stage: names the epochs in the history.
        history: gets every epoch as it ends.
        progress: reports every step.
        kept: the stage's checkpoints; None keeps none.

    Raises:
        ValueError: the answers are not as many as the samples.
        TrainingError: the loss became infinite or NaN.
        StorageError: the history or a checkpoint cannot be written.
    """
    if len(answers.logits) != len(train.source.rows):
        raise ValueError(
            f"{len(answers.logits)} answers of a teacher to {len(train.source.rows)} samples"
        )
    task = train.lesson.task
    distiller = make_distiller(model, teacher, answers, task.loss(config.loss_settings))
    distiller.compile(
        optimizer=make_optimizer(config),
        loss=distiller.student_losses,
        metrics=[task.metric()],
    )
    given: list[Features] = [_Rows(answers.logits)]
    if answers.features is not None and len(distiller.teacher.outputs) > 1:
        given.append(answers.features)
    run_stage(
        distiller,
        replace(train, extra=tuple(given)),
        replace(
            validation,
            extra=tuple(_Nothing(output.shape[1]) for output in distiller.teacher.outputs),
        ),
        config,
        stage=stage,
        history=history,
        progress=progress,
        kept=kept,
    )


class _Rows:
    """Answers in memory, with the interface of those on disk."""

    def __init__(self, rows: Floats) -> None:
        self._rows = rows

    def read(self, indices: NDArray[np.int64]) -> Floats:
        """Return (n, classes)."""
        rows: Floats = self._rows[indices]
        return rows


class _Nothing:
    """Replaces answers in validation, which only looks at the student."""

    def __init__(self, width: int) -> None:
        self._width = width

    def read(self, indices: NDArray[np.int64]) -> Floats:
        """Return zeros (n, width)."""
        return np.zeros((len(indices), self._width), np.float32)


class _Batch:
    """The sample weights of the batch whose loss is being computed.

    Keras's Distiller leaves sample weights out. Its losses read them here instead.
    """

    weights: Any = None


class _Weighed:
    """Makes a Keras loss weight each sample, while its mean stays that over all samples."""

    def __init__(self, batch: _Batch) -> None:
        super().__init__()
        self._batch = batch

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the scalar loss."""
        return super().__call__(y_true, y_pred, sample_weight=self._batch.weights)  # type: ignore[misc]


class _Divergence(_Weighed, keras.losses.KLDivergence):  # type: ignore[misc]
    """How far the student's probabilities are from the teacher's."""


class _SquaredError(_Weighed, keras.losses.MeanSquaredError):  # type: ignore[misc]
    """How far the student's projected features are from the teacher's."""


class _StudentDistiller(keras.distillation.Distiller):  # type: ignore[misc]
    """Keras's Distiller with sample weights, and validation that looks at the student alone.

    Both networks give their logits and then, if they are learned, features. If Keras was given the
    names of the features' layers instead, it would run the student twice in each step.
    """

    def __init__(
        self,
        teacher: Any,
        student: Any,
        losses: list[Any],
        *,
        plain_loss: Any,
        batch: _Batch,
        share: float,
    ) -> None:
        super().__init__(
            teacher,
            student,
            losses,
            distillation_loss_weights=[1.0, FEATURE_WEIGHT][: len(losses)],
            student_loss_weight=1.0 - share,
        )
        self._plain_loss, self._batch = plain_loss, batch

    @property
    def student_losses(self) -> Any:
        """The loss of each output against the labels, for `compile`: features have none."""

        def of_logits(y: Any, logits: Any) -> Any:
            return self._plain_loss(y, logits, sample_weight=self._batch.weights)

        def of_features(y: Any, features: Any) -> Any:
            return keras.ops.zeros(())

        return _bare((of_logits, of_features)[: len(self.student.outputs)])

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the mixed loss in training, else the student's own loss."""
        logits, *features = keras.tree.flatten(y_pred)
        if not training:
            return self._plain_loss(y, logits, sample_weight=sample_weight)
        self._batch.weights = sample_weight
        try:
            # Features are not a target of the labels' loss, but Keras needs equal structures.
            return super().compute_loss(x, _bare((y, *features)), y_pred, training=True)
        finally:
            self._batch.weights = None

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Look only at the logits."""
        return super().compute_metrics(x, y, keras.tree.flatten(y_pred)[0], sample_weight)


def _bare(structure: tuple[Any, ...]) -> Any:
    """Return a tuple of outputs in Keras's form: a single one without the tuple."""
    return structure if len(structure) > 1 else structure[0]


def make_distiller(
    model: Any, teacher: TeacherConfig, answers: TeacherAnswers, plain_loss: Any
) -> _StudentDistiller:
    """Build both networks on the same inputs: the model's, then the teacher's answers.

    Args:
        model: one input to logits.
        teacher: how much the teacher counts.
        answers: their widths, and whether there are features.
        plain_loss: the Keras loss of logits against one-hot targets.
    """
    outputs, widths = [model.output], [answers.logits.shape[1]]
    batch = _Batch()
    compare: list[Any] = [_Divergence(batch)]
    features = answers.features if teacher.features else None
    if features is not None and any(layer.name == FEATURE_LAYER for layer in model.layers):
        widths.append(features.shape[1])
        projection = keras.layers.Dense(widths[1], name="projection")
        outputs.append(projection(model.get_layer(FEATURE_LAYER).output))
        compare.append(_SquaredError(batch))
    of_logits, *of_features = compare
    logits_loss = keras.distillation.LogitsDistillation(
        float(teacher.softness), loss=_bare((of_logits, *(None for _ in of_features)))
    )
    feature_loss = [
        keras.distillation.FeatureDistillation(loss=(None, loss)) for loss in of_features
    ]
    answered = [keras.Input((width,)) for width in widths]
    inputs = (keras.Input(model.input.shape[1:]), *answered)
    network = keras.Model(model.input, _bare(tuple(outputs)))
    return _StudentDistiller(
        keras.Model(inputs, _bare(tuple(keras.layers.Identity()(answer) for answer in answered))),
        keras.Model(inputs, network(inputs[0])),
        [logits_loss, *feature_loss],
        plain_loss=plain_loss,
        batch=batch,
        share=teacher.weight,
    )

"""One stage of training: epochs until the validation loss stops falling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from edgeinfer.converters.common.progress import Progress
from edgeinfer.host.tasks.task import TaughtTask
from edgeinfer.host.training.config import TrainConfig
from edgeinfer.host.training.data.batches import Batches
from edgeinfer.host.training.history import History
from edgeinfer.host.training.keeping.kept_stage import FitStage as FitStage
from edgeinfer.host.training.keeping.kept_stage import KeptStage
from edgeinfer.host.training.optimizing.loop import Loop
from edgeinfer.host.training.optimizing.optimizers import make_optimizer


@dataclass(frozen=True, kw_only=True)
class Score:
    """A model's figures on a split.

    Attributes:
        loss: mean of the training loss.
        accuracy: the task's own score of the outputs, 0 to 1: for classes the share of right ones.
    """

    loss: float
    accuracy: float


def compile_model(model: Any, config: TrainConfig, task: TaughtTask) -> None:
    """Compile a model with the settings' optimizer, and the task's loss and metric."""
    model.compile(
        optimizer=make_optimizer(config),
        loss=task.loss(config.loss_settings),
        metrics=[task.metric()],
    )


def with_dropout(model: Any, rate: float, *, start: Any = None) -> Any:
    """Return a model of the same layers that drops features between `pool` and `logits`.

    The original shares its weights and does not change, so the saved model has no dropout. A
    network of a task's own, which has several outputs, is returned as it is.

    Args:
        model: a model of `edgeinfer.host.models`, or of a task.
        rate: share of the features left out; 0 adds nothing.
        start: the tensor to start from; by default the model's input.
    """
    if isinstance(model.output, list):
        return model
    features = model.get_layer("pool").output
    if rate:
        features = keras.layers.Dropout(rate)(features)
    inputs = model.input if start is None else start
    return keras.Model(inputs, model.get_layer("logits")(features))


def fit(
    model: Any,
    train: Batches,
    validation: Batches,
    config: TrainConfig,
    *,
    stage: str,
    history: History,
    progress: Progress,
    kept: KeptStage | None = None,
) -> None:
    """Train until the validation loss has not fallen for `config.patience` epochs.

    The model ends with the weights of its best epoch.

    Args:
        model: the model to train; compiled here.
        train: shuffled batches.
        validation: batches in order.
        config: the settings.
        stage: names the epochs in the history.
        history: gets every epoch as it ends.
        progress: reports every step.
        kept: the stage's checkpoints; None keeps none.

    Raises:
        TrainingError: the loss became infinite or NaN.
        StorageError: the history or a checkpoint cannot be written.
    """
    compile_model(model, config, train.lesson.task)
    run_stage(
        *(model, train, validation, config),
        stage=stage,
        history=history,
        progress=progress,
        kept=kept,
    )


def run_stage(
    model: Any,
    train: Batches,
    validation: Batches,
    config: TrainConfig,
    *,
    stage: str,
    history: History,
    progress: Progress,
    kept: KeptStage | None = None,
) -> None:
    """Do what `fit` does with a compiled model that has a metric `accuracy`."""
    Loop(
        *(model, train, validation, config),
        stage=stage,
        history=history,
        progress=progress,
        kept=kept,
    ).run()


def evaluate(model: Any, batches: Batches) -> Score:
    """Return loss and accuracy of a compiled model."""
    result = model.evaluate(batches.dataset(), verbose=0, return_dict=True)
    return Score(loss=float(result["loss"]), accuracy=float(result["accuracy"]))

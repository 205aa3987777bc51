"""The stages of a training: one, or two from a backbone with ImageNet weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.preprocess import PreprocessSpec, normalize_table
from edgeinfer.host.tasks.lesson import Lesson
from edgeinfer.host.tasks.task import Floats
from edgeinfer.host.training.config import TrainConfig
from edgeinfer.host.training.data.batches import Batches, ImageSource
from edgeinfer.host.training.data.choose_augmentation import (
    choose_augmentation,
    training_pictures,
)
from edgeinfer.host.training.data.part import choosing
from edgeinfer.host.training.distillation.teacher import TeacherConfig
from edgeinfer.host.training.distillation.teacher_fit import teacher_fit
from edgeinfer.host.training.history import History
from edgeinfer.host.training.keeping.kept_stage import FitStage, KeptFit

if TYPE_CHECKING:
    from edgeinfer.host.data.dataset import PreparedData
    from edgeinfer.host.data.store import ImageStore
    from edgeinfer.host.training.choices.folds import Folded


def choose_fit(
    data: PreparedData,
    config: TrainConfig,
    lesson: Lesson,
    spec: PreprocessSpec,
    teacher: TeacherConfig | None,
    cache: Path,
    progress: Progress,
) -> KeptFit:
    """Return the function that trains each stage: `fit`, or one with a teacher's answers.

    Raises:
        UsageError, ModelError, DataError, StorageError: as `teacher_fit` says.
    """
    from edgeinfer.host.training.fit import fit

    if teacher is None:
        return fit
    _, mirrored = choose_augmentation(config, lesson.task)
    return teacher_fit(
        *(teacher, data.splits["train"], lesson, spec),
        cache=cache,
        mirrored=mirrored,
        progress=progress,
    )


def train_stages(
    model: Any,
    stores: dict[Split, ImageStore],
    spec: PreprocessSpec,
    config: TrainConfig,
    lesson: Lesson,
    fit_stage: FitStage,
    cache: Path,
    history: History,
    progress: Progress,
    *,
    more: bool = False,
) -> tuple[Batches, Folded | None]:
    """Train in one stage or two.

    Args:
        model: the network.
        stores: the prepared pictures.
        spec: how they become its input.
        config: the settings.
        lesson: the task and the description of the outputs.
        fit_stage: trains a stage.
        cache: a folder for cached activations.
        history: gets every epoch.
        progress: reports every step.
        more: train a whole network that is trained already, in one stage.

    Returns:
        The validation's pictures, in order, and what folds said of the head.

    Raises:
        UsageError: the task has no class weights.
        TrainingError: the loss became infinite or NaN.
        StorageError: the cache, the history or a checkpoint cannot be written.
    """
    from edgeinfer.host.training.fit import with_dropout
    from edgeinfer.host.training.stages.joint import train_jointly
    from edgeinfer.host.training.stages.transfer import FINE_TUNE_BATCH, train_in_two_stages

    table = normalize_table(spec)
    _, mirrored = choose_augmentation(config, lesson.task)
    source = training_pictures(stores["train"], spec, config, lesson.task)
    checked = ImageSource(stores["validation"], table)
    weights = None
    if config.class_weights == "balanced":
        weights = _balanced(lesson, stores["train"])
    validation = Batches(source=checked, lesson=lesson, batch_size=config.batch_size)
    checked = ImageSource(choosing(stores["validation"], lesson.task.name), table)
    watched = Batches(source=checked, lesson=lesson, batch_size=config.batch_size)
    folded = None
    joint = config.pretrained and isinstance(model.output, list)
    if more:
        batches = Batches(
            source=source,
            lesson=lesson,
            batch_size=FINE_TUNE_BATCH if config.pretrained and not joint else config.batch_size,
            seed=config.seed + len(history.epochs),
            weights=weights,
        )
        _train_more(
            *(model, batches, watched, config, fit_stage), history=history, progress=progress
        )
    elif config.pretrained and not joint:
        folded = train_in_two_stages(
            model,
            source,
            checked,
            config,
            lesson=lesson,
            fit_stage=fit_stage,
            cache=cache,
            mirrored=mirrored,
            weights=weights,
            history=history,
            progress=progress,
        )
    else:
        batches = Batches(
            source=source,
            lesson=lesson,
            batch_size=config.batch_size,
            seed=config.seed,
            weights=weights,
        )
        if joint:
            train_jointly(
                *(model, batches, watched, config, fit_stage), history=history, progress=progress
            )
            return validation, None
        network = lesson.task.learner(with_dropout(model, config.dropout))
        fit_stage(
            network,
            batches,
            watched,
            config,
            stage="train",
            history=history,
            progress=progress,
        )
    return validation, folded


def _train_more(
    model: Any,
    train: Batches,
    validation: Batches,
    config: TrainConfig,
    fit_stage: FitStage,
    *,
    history: History,
    progress: Progress,
) -> None:
    """Train a trained network with a rate that rises and falls again (warm restart).

    Source: Loshchilov and Hutter 2017. The old weights stay if it did not help.
    """
    import keras

    from edgeinfer.host.training.fit import compile_model, evaluate, with_dropout
    from edgeinfer.host.training.stages.joint import freeze

    network = train.lesson.task.learner(with_dropout(model, config.dropout))
    if config.pretrained:
        if isinstance(model.output, list):
            freeze(model, config, train.lesson.task)
        else:
            rate = config.fine_tune_learning_rate
            config = replace(config, learning_rate=rate, optimizer="adamw")
            for layer in network.layers:  # see `transfer.py`
                layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    compile_model(network, config, train.lesson.task)
    before, weights = evaluate(network, validation), network.get_weights()
    fit_stage(network, train, validation, config, stage="more", history=history, progress=progress)
    if evaluate(network, validation).loss >= before.loss:
        network.set_weights(weights)
        progress.say(
            f"more epochs did not lower the validation loss ({before.loss:.4f}): "
            "the model keeps its weights"
        )
    for layer in network.layers:
        layer.trainable = True


def _balanced(lesson: Lesson, store: ImageStore) -> Floats:
    weights = lesson.task.balanced(store.rows, lesson.said)
    if weights is None:
        raise UsageError(
            "--class-weights",
            got=f"balanced for the task '{lesson.task.name}'",
            expected="none for this task",
        )
    return weights

"""Transfer learning in two stages from a backbone with ImageNet weights.

1. The frozen backbone runs once over every picture, and once over its mirror image; the head is
   trained on the cached features: a linear layer, or the task's own layers, which begin at random.
2. Fine-tuning at a low learning rate with batch normalization kept in inference mode: of the whole
   backbone on augmented pictures, or, several times as fast, of the upper blocks alone, on
   activations that the first pass cached below them (most of the backbone's arithmetic is in its
   lower blocks, most of its parameters in the upper). The result is kept only if the validation
   loss falls.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from edgeinfer.converters.common.progress import Progress
from edgeinfer.host.models.cut_points import choose_cut
from edgeinfer.host.tasks.lesson import Lesson
from edgeinfer.host.tasks.task import Floats, Rows
from edgeinfer.host.training.choices.fine_tune import with_fine_tuning
from edgeinfer.host.training.choices.folds import Folded, choose_by_folds
from edgeinfer.host.training.config import TrainConfig
from edgeinfer.host.training.data.batches import Batches, FeatureSource, ImageSource, Source
from edgeinfer.host.training.data.feature_cache import cache_features
from edgeinfer.host.training.data.kept_features import features_key, limit_bytes
from edgeinfer.host.training.fit import (
    FitStage,
    compile_model,
    evaluate,
    fit,
    with_dropout,
)
from edgeinfer.host.training.history import History
from edgeinfer.host.training.network.head import head_start

UPPER_SHARE = 0.7
"""Share of the parameters that `fine_tune="upper"` trains."""

FINE_TUNE_BATCH = 32


def train_in_two_stages(
    model: Any,
    train: ImageSource,
    validation: ImageSource,
    config: TrainConfig,
    *,
    lesson: Lesson,
    cache: Path,
    mirrored: bool,
    weights: Floats | None,
    history: History,
    progress: Progress,
    fit_stage: FitStage = fit,
) -> Folded | None:
    """Train the head of `model`, then fine-tune; the model holds the best weights at the end.

    Args:
        model: a model of `edgeinfer.host.models` with pretrained weights.
        train: the training pictures.
        validation: the validation pictures.
        config: the settings.
        lesson: the task and the description of the outputs.
        cache: a folder for cached activations.
        mirrored: whether a mirrored picture is as valid as the original.
        weights: (N,) weight of each training picture, or None.
        history: gets every epoch.
        progress: reports every step.
        fit_stage: trains each of the two stages: `fit`, or one with a teacher.

    Returns:
        What folds said of the head; None where pictures are enough without.

    Raises:
        TrainingError: the loss became infinite or NaN.
        StorageError: the cache or the history cannot be written.
    """
    cut = choose_cut(model, upper_share=UPPER_SHARE)
    config = with_fine_tuning(config, len(train.rows))
    upper = bool(config.fine_tune_epochs) and config.fine_tune == "upper" and cut is not None
    outputs = [head_start(model)] + ([cut.output] if upper else [])
    frozen = keras.Model(model.input, outputs)
    kept = [
        cache_features(
            *(frozen, source, cache, name),
            mirrored=flip,
            progress=progress,
            key=partial(features_key, frozen, source, mirrored=flip) if limit_bytes() else None,
        )
        for source, name, flip in ((train, "train", mirrored), (validation, "validation", False))
    ]

    def pair(train: Source, validation: Source, *, size: int, seed: int) -> tuple[Batches, Batches]:
        return (
            Batches(source=train, lesson=lesson, batch_size=size, seed=seed, weights=weights),
            Batches(source=validation, lesson=lesson, batch_size=size),
        )

    def cached(output: int) -> tuple[FeatureSource, FeatureSource]:
        return (
            FeatureSource(kept[0][output], _variant_rows(train, lesson, len(kept[0][output]))),
            FeatureSource(kept[1][output], (validation.rows,)),
        )

    learned, checked = cached(0)
    head_config = config
    folded = choose_by_folds(learned, lesson, config)
    if folded is not None:
        progress.say(folded.line())
        head_config = replace(config, epochs=folded.epochs, patience=folded.epochs)
    head_data = pair(learned, checked, size=config.batch_size, seed=config.seed)
    _train_head(model, *head_data, head_config, fit_stage, history=history, progress=progress)
    if not config.fine_tune_epochs:
        return folded
    sources = cached(1) if upper else (train, validation)
    data = pair(*sources, size=FINE_TUNE_BATCH, seed=config.seed + 1)
    part = with_dropout(model, config.dropout, start=cut.output if upper else None)
    _fine_tune(part, *data, config, fit_stage, history=history, progress=progress)
    return folded


def _variant_rows(source: ImageSource, lesson: Lesson, variants: int) -> tuple[Rows, ...]:
    """Return the targets of the unchanged pictures, and of their mirror images."""
    if variants == 1:
        return (source.rows,)
    height, width = source.images.shape[1:3]
    mirror = np.array([[-1.0, 0.0, width - 1.0], [0.0, 1.0, 0.0]])
    motions = np.tile(mirror, (len(source.rows), 1, 1))
    return source.rows, lesson.task.moved(source.rows, motions, (width, height))


def _train_head(
    model: Any,
    train: Batches,
    validation: Batches,
    config: TrainConfig,
    fit_stage: FitStage,
    *,
    history: History,
    progress: Progress,
) -> None:
    """Train the head on features: the task's own layers, or a copy of the `logits` layer, whose
    weights are put into the model."""
    start, pool = head_start(model), model.get_layer("pool").output
    if start is not pool:
        head = with_dropout(model, config.dropout, start=start)
        fit_stage(head, train, validation, config, stage="head", history=history, progress=progress)
        return
    logits = model.get_layer("logits")
    inputs = keras.Input(pool.shape[1:])
    copy = logits.__class__.from_config(logits.get_config())
    dropped = keras.layers.Dropout(config.dropout)(inputs) if config.dropout else inputs
    head = keras.Model(inputs, copy(dropped))
    copy.set_weights(logits.get_weights())
    fit_stage(head, train, validation, config, stage="head", history=history, progress=progress)
    logits.set_weights(copy.get_weights())


def _fine_tune(
    part: Any,
    train: Batches,
    validation: Batches,
    config: TrainConfig,
    fit_stage: FitStage,
    *,
    history: History,
    progress: Progress,
) -> None:
    """Train the whole or the upper part; restore the old weights if it did not help."""
    settings = replace(
        config,
        epochs=config.fine_tune_epochs or 0,
        learning_rate=config.fine_tune_learning_rate,
        optimizer="adamw",
    )
    for layer in part.layers:
        # Statistics of 32 pictures are worse than those of a million. A frozen layer runs in
        # inference mode, and its scale and shift stay those that the converter will fold.
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    compile_model(part, settings, train.lesson.task)
    before, weights = evaluate(part, validation), part.get_weights()
    fit_stage(
        part, train, validation, settings, stage="fine-tune", history=history, progress=progress
    )
    after = evaluate(part, validation)
    if after.loss >= before.loss:
        part.set_weights(weights)
        progress.say(
            f"fine-tuning did not lower the validation loss ({before.loss:.4f}): "
            "the model keeps the weights of the first stage"
        )
    for layer in part.layers:
        layer.trainable = True

"""How long a head trains where pictures are few: chosen by folds, on features of the backbone.

A tenth of a few pictures says nothing of when to stop. So the head is trained several times, each
time without another part of the training pictures, which then tell how good it is. On cached
features that takes seconds. The heads are numpy's: they have the loss, the optimizer's rule and the
schedule of the one that follows, and the same settings give the same choice.

Source: M. Stone, "Cross-validatory choice and assessment of statistical predictions", 1974.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.tasks.intervals import mean_interval
from edgeinfer.host.tasks.lesson import Lesson
from edgeinfer.host.tasks.task import Floats
from edgeinfer.host.training.config import TrainConfig
from edgeinfer.host.training.data.batches import FeatureSource
from edgeinfer.host.training.optimizing.schedules import learning_rate_factor

FOLDS = 5
FACTORS = (1, 2, 4, 8)
"""Of `TrainConfig.epochs`: few pictures make few steps an epoch."""

MOST_PICTURES = 1000
"""Of more pictures a tenth does say something."""

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-7


@dataclass(frozen=True, kw_only=True)
class Folded:
    """What folds say.

    Attributes:
        epochs: with these the heads lose least on the pictures that they did not learn.
        score: the share of right answers with them, 0 to 1.
        interval: its 95 % interval.
        pictures: how many answered.
    """

    epochs: int
    score: float
    interval: tuple[float, float]
    pictures: int

    def metrics(self) -> dict[str, float]:
        """Return it for the run."""
        return {
            "folds.keras.top1": self.score,
            "folds.keras.low": self.interval[0],
            "folds.keras.high": self.interval[1],
            "folds.samples": float(self.pictures),
            "folds.epochs": float(self.epochs),
        }

    def line(self) -> str:
        """Return it for people."""
        low, high = self.interval
        return (
            f"{FOLDS} folds of {self.pictures} pictures: {self.score:.1%} are right with a head on "
            f"the frozen network ({low:.1%} to {high:.1%}), which trains for {self.epochs} epochs"
        )


def choose_by_folds(features: FeatureSource, lesson: Lesson, config: TrainConfig) -> Folded | None:
    """Return how long the head should train; None where the settings or the data want no folds.

    Args:
        features: the training pictures' feature vectors, (pictures, features).
        lesson: the task and its outputs.
        config: the settings of the training.
    """
    rows = features.rows
    if config.folds == "none" or config.loss != "crossentropy" or len(rows) > MOST_PICTURES:
        return None
    folds = lesson.task.folds(rows, lesson.said, FOLDS)
    if folds is None:
        return None
    everything = np.arange(len(rows))
    inputs = np.stack([variant.read(everything) for variant in features.variants])
    targets = lesson.targets(rows)
    found = []
    for factor in FACTORS:
        settings = replace(config, epochs=config.epochs * factor)
        losses, right = np.zeros(len(rows)), np.zeros(len(rows))
        for fold in range(FOLDS):
            held = folds == fold
            weights, bias = _train_head(inputs[:, ~held], targets[~held], settings)
            logits = inputs[0, held] @ weights + bias
            losses[held] = _losses(logits, _smooth(targets[held], config))
            right[held] = logits.argmax(axis=1) == targets[held].argmax(axis=1)
        found.append((float(losses.mean()), settings.epochs, right))
    # Of equal losses the first, which trains least.
    _, epochs, right = min(found, key=lambda one: one[0])
    return Folded(
        epochs=epochs,
        score=float(right.mean()),
        interval=mean_interval(right),
        pictures=len(rows),
    )


def _train_head(inputs: Floats, targets: Floats, config: TrainConfig) -> tuple[Floats, Floats]:
    """Return weights (features, classes) and bias (classes,) after all epochs.

    Args:
        inputs: (variants, pictures, features).
        targets: (pictures, classes).
        config: the settings.
    """
    generator = np.random.default_rng(config.seed)
    variants, total, size = inputs.shape
    classes = targets.shape[1]
    weights, bias = np.zeros((size, classes), np.float32), np.zeros(classes, np.float32)
    moments = [(np.zeros_like(one), np.zeros_like(one)) for one in (weights, bias)]
    wanted, batch = _smooth(targets, config), min(config.batch_size, total)
    steps = max(1, total // batch)
    last = config.epochs * steps
    warmup = min(round(config.warmup_epochs * steps), last // 5)
    for step in range(last):
        if step % steps == 0:
            order = generator.permutation(total)
        chosen = order[step % steps * batch :][:batch]
        x = inputs[generator.integers(0, variants, len(chosen)), chosen]
        if config.dropout:
            x = x * (generator.random(x.shape, np.float32) >= config.dropout) / (1 - config.dropout)
        slope = (_softmax(x @ weights + bias) - wanted[chosen]) / len(chosen)
        factor = learning_rate_factor(config.schedule, step, warmup=warmup, total=last)
        rate = config.learning_rate * factor
        weights -= rate * config.weight_decay * weights
        for value, gradient, (first, second) in zip(
            (weights, bias), (x.T @ slope, slope.sum(axis=0)), moments, strict=True
        ):
            first += (1 - _BETA_1) * (gradient - first)
            second += (1 - _BETA_2) * (gradient**2 - second)
            corrected = np.sqrt(1 - _BETA_2 ** (step + 1)) / (1 - _BETA_1 ** (step + 1))
            value -= rate * corrected * first / (np.sqrt(second) + _EPSILON)
    return weights, bias


def _smooth(targets: Floats, config: TrainConfig) -> Floats:
    share = np.float32(config.label_smoothing)
    smooth: Floats = targets * (1 - share) + share / targets.shape[1]
    return smooth


def _softmax(logits: Floats) -> Floats:
    values = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: Floats = (values / values.sum(axis=1, keepdims=True)).astype(np.float32)
    return result


def _losses(logits: Floats, targets: Floats) -> NDArray[np.float64]:
    """Return the cross-entropy of each picture."""
    values = logits - logits.max(axis=1, keepdims=True)
    logs = values - np.log(np.exp(values).sum(axis=1, keepdims=True))
    losses: NDArray[np.float64] = -(targets * logs).sum(axis=1).astype(np.float64)
    return losses

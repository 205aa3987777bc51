"""Folds: for few pictures, with each class in each fold, and the same choice each time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from edgeinfer.host.tasks.classification.task import FEW, TASK
from edgeinfer.host.tasks.task import Floats
from edgeinfer.host.training.choices.folds import FACTORS, FOLDS, choose_by_folds
from edgeinfer.host.training.config import TrainConfig, default_config
from edgeinfer.host.training.data.batches import FeatureSource
from tests.host.training.data.problem import classes

CONFIG = default_config("efficientnet-lite0", folds="auto", batch_size=16)


@dataclass(frozen=True)
class Kept:
    """Features in memory."""

    values: Floats

    def read(self, indices: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Floats:
        return self.values[indices]


def features(count: int, *, noise: float, size: int = 32) -> FeatureSource:
    """Return features of three classes, and of their mirror images."""
    generator = np.random.default_rng(count)
    rows = (np.arange(count) % 3).astype(np.int32)
    centres = generator.normal(0, 1, (3, size))
    variants = tuple(
        Kept((centres[rows] + generator.normal(0, noise, (count, size))).astype(np.float32))
        for _ in range(2)
    )
    return FeatureSource(variants, (rows, rows))


def test_each_fold_has_each_class_and_enough_pictures_need_none() -> None:
    said = classes(3).said
    rows = np.repeat(np.arange(3), (7, 12, 30)).astype(np.int32)
    folds = TASK.folds(rows, said, FOLDS)
    assert folds is not None
    for fold in range(FOLDS):
        assert set(rows[folds == fold]) == {0, 1, 2}
    assert TASK.folds(np.repeat(np.arange(3), FEW), said, FOLDS) is None
    # Too few for a picture of each class in each fold.
    assert TASK.folds(np.repeat(np.arange(3), (4, 9, 9)), said, FOLDS) is None


def test_the_score_is_that_of_pictures_not_learned() -> None:
    clear = choose_by_folds(features(60, noise=0.3), classes(3), CONFIG)
    assert clear is not None
    assert clear.score > 0.95
    low, high = clear.interval
    assert low < clear.score <= high
    # A head of 32 numbers fits 45 pictures of pure noise; others it cannot know.
    noise = features(45, noise=1.0)
    rows = np.random.default_rng(1).permutation(noise.rows)
    lost = choose_by_folds(replace(noise, variant_rows=(rows, rows)), classes(3), CONFIG)
    assert lost is not None
    assert lost.score < 0.6
    assert lost.epochs < clear.epochs  # what is not there is best left alone
    assert {lost.epochs, clear.epochs} <= {CONFIG.epochs * factor for factor in FACTORS}
    again = choose_by_folds(features(60, noise=0.3), classes(3), CONFIG)
    assert again == clear


@pytest.mark.parametrize(
    "config", [replace(CONFIG, folds="none"), replace(CONFIG, loss="focal")], ids=["none", "focal"]
)
def test_settings_may_want_none(config: TrainConfig) -> None:
    assert choose_by_folds(features(60, noise=0.3), classes(3), config) is None


def test_who_names_epochs_gets_no_folds() -> None:
    assert default_config("efficientnet-lite0").folds == "auto"
    assert default_config("efficientnet-lite0", epochs=3).folds == "none"
    assert default_config("small-cnn").folds == "none"

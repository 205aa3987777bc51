"""Half of the pictures are mosaics, and boxes are where their things are."""

from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.data.mosaic import PARTS
from edgeinfer.host.tasks.classification.task import TASK as CLASSES
from edgeinfer.host.tasks.detection.task import TASK
from edgeinfer.host.tasks.lesson import Lesson
from edgeinfer.host.training.choices.fitting import require_fitting
from edgeinfer.host.training.config import default_config
from edgeinfer.host.training.data.batches import Batches, ImageSource
from edgeinfer.host.training.data.choose_augmentation import training_pictures
from edgeinfer.host.training.data.mosaic_source import SHARE
from tests.host.training.data.problem import Memory

SIDE, COUNT = 64, 40


def pictures() -> Memory:
    """Return black pictures with a white thing each, and its box."""
    generator = np.random.default_rng(0)
    pixels = np.zeros((COUNT, SIDE, SIDE, 3), np.uint8)
    rows = np.zeros((COUNT, 2, 5), np.float32)
    rows[:, 1, 4] = -1  # each has room for two
    for picture, row in zip(pixels, rows, strict=True):
        left, top = generator.integers(4, 30, 2)
        right, bottom = left + generator.integers(16, 30), top + generator.integers(16, 30)
        picture[top:bottom, left:right] = 255
        row[0] = (left, top, right, bottom, 0)
    return Memory(pixels, rows)


def source() -> ImageSource:
    config = default_config("mobilenet", size=(SIDE, SIDE), augment="mosaic")
    spec = PreprocessSpec(size=(SIDE, SIDE))
    return training_pictures(pictures(), spec, config, TASK)


def test_boxes_are_around_the_things_of_each_part() -> None:
    pixels, rows = source().variants(np.arange(COUNT), np.random.default_rng(1))
    assert rows.shape == (COUNT, PARTS * 2, 5)
    lit = []
    for picture, things in zip(pixels, rows, strict=True):
        for left, top, right, bottom, _ in things[things[:, 4] >= 0].round().astype(int):
            inside = picture[top + 2 : bottom - 2, left + 2 : right - 2]
            lit.append(inside.mean() if inside.size else 255)
    # All but a few pixels of each box are its thing: 150 is white with the least light.
    assert np.mean(np.array(lit) > 150) > 0.97


def test_about_half_are_made_of_four_and_those_of_one_keep_their_one_thing() -> None:
    _, rows = source().variants(np.arange(COUNT), np.random.default_rng(1))
    things = (rows[..., 4] >= 0).sum(axis=1)
    assert SHARE / 2 < np.mean(things > 1) < 1.5 * SHARE
    assert things.max() <= PARTS


def test_without_a_generator_pictures_are_as_they_are() -> None:
    changed, plain = source(), pictures()
    pixels, rows = changed.variants(np.arange(3), None)
    np.testing.assert_array_equal(pixels, plain.pixels[:3])
    np.testing.assert_array_equal(rows, plain.rows[:3])


def test_all_batches_of_a_training_have_rows_of_one_shape() -> None:
    lesson = Lesson(task=TASK, said=Said(labels=("thing",)))
    batches = Batches(source=source(), lesson=lesson, batch_size=8, seed=2)
    shapes = {targets.shape for _, targets, _ in batches.dataset()}
    assert shapes == {(8, PARTS * 2, 5)}
    # A stopped training goes on with the same pictures.
    *_, last = batches.epoch(1)
    (again,) = batches.epoch(1, first=batches.steps - 1)
    np.testing.assert_array_equal(last[0], again[0])


def test_tasks_without_places_refuse_it() -> None:
    lesson = Lesson(task=CLASSES, said=Said(labels=("a", "b")))
    with pytest.raises(UsageError, match="--augment: mosaic for the task 'classification'"):
        require_fitting(default_config("mobilenet", size=(SIDE, SIDE), augment="mosaic"), lesson)

"""Boxes as rows of numbers: where pictures are cut, enlarged, mirrored and moved, boxes follow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.tasks.detection.target import BoxesTarget, TrueBox
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec
from edgeinfer.host.data.augment import AugmentConfig, augment_batch
from edgeinfer.host.tasks.detection.things import (
    MOST_THINGS,
    many_things,
    moved_things,
    small_things,
    thing_rows,
)
from tests.host.tasks.detection.boxed_pictures import HEIGHT, WIDTH, picture


def sample(path: Path, *things: TrueBox) -> Sample:
    picture(path, 0)
    return Sample(source=str(path), target=BoxesTarget(things))


def spec(crop: str = "stretch", region: tuple[float, ...] | None = None) -> PreprocessSpec:
    return PreprocessSpec(size=(64, 64), crop=crop, region=region)  # type: ignore[arg-type]


def test_rows_are_in_pixels_of_the_prepared_picture_and_padded(tmp_path: Path) -> None:
    box = TrueBox(1, 0.25, 0.5, 0.75, 1.0)
    samples = [
        sample(tmp_path / "a.png", box, TrueBox(0, 0, 0, 0.5, 0.5)),
        sample(tmp_path / "b.png"),
    ]
    rows = thing_rows(samples, spec())
    assert rows.shape == (2, 2, 5)
    assert rows.dtype == np.float32
    assert rows[0].tolist() == [[16, 32, 48, 64, 1], [0, 0, 32, 32, 0]]
    assert (rows[1, :, 4] == -1).all()


def test_a_letterbox_and_a_crop_place_boxes_as_they_place_pixels(tmp_path: Path) -> None:
    assert (WIDTH, HEIGHT) == (40, 20)
    one = [sample(tmp_path / "a.png", TrueBox(0, 0.0, 0.0, 0.5, 1.0))]
    assert thing_rows(one, spec("letterbox"))[0, 0].tolist() == [0, 16, 32, 48, 0]
    assert thing_rows(one, spec("center-crop"))[0, 0].tolist() == [0, 0, 32, 64, 0]
    # Of the right half of the picture nothing is left of it.
    gone = thing_rows(one, spec(region=(0.5, 0.0, 0.5, 1.0)))
    assert gone[0, 0, 4] == -1


def test_things_smaller_than_a_cell_are_named(tmp_path: Path) -> None:
    large, small = TrueBox(0, 0.0, 0.0, 0.5, 0.5), TrueBox(0, 0.5, 0.5, 0.6, 0.75)
    samples = [sample(tmp_path / "a.png", large), sample(tmp_path / "b.png", large, small)]
    rows = thing_rows(samples, spec())
    assert small_things(samples[:1], rows[:1], 8) == []
    (said,) = small_things(samples, rows, 8)
    assert said.startswith("1 of 3 things are smaller than 8 pixels, such as one of 6 x 16 in ")
    assert f"{samples[1].source}: they are hardly learned" in said


def test_of_too_many_things_the_largest_are_learned(tmp_path: Path) -> None:
    things = [TrueBox(0, 0.0, 0.0, 0.1 + 0.8 * n / 200, 0.5) for n in range(MOST_THINGS + 20)]
    rows = thing_rows([sample(tmp_path / "a.png", *things)], spec())
    assert rows.shape == (1, MOST_THINGS, 5)
    assert rows[0, :, 2].min() == pytest.approx(64 * things[20].right)
    (said,) = many_things([sample(tmp_path / "a.png", *things), sample(tmp_path / "b.png")])
    assert said.startswith(f"1 pictures have more than {MOST_THINGS} things, such as {tmp_path}")


def test_a_mirrored_box_is_on_the_other_side_and_what_leaves_is_left_out() -> None:
    rows = np.array([[[8, 8, 24, 40, 1], [0, 0, 0, 0, -1]]], np.float32)
    mirror = np.array([[[-1.0, 0, 63], [0, 1, 0]]])
    assert moved_things(rows, mirror, (64, 64))[0, 0].tolist() == [40, 8, 56, 40, 1]
    away = np.array([[[1.0, 0, -22], [0, 1, 0]]])
    assert (moved_things(rows, away, (64, 64))[..., 4] == -1).all()
    half = np.array([[[1.0, 0, -16], [0, 1, 0]]])
    assert moved_things(rows, half, (64, 64))[0, 0].tolist() == [0, 8, 8, 40, 1]
    turned = np.array([[[0.0, -1, 63], [1, 0, 0]]])
    assert moved_things(rows, turned, (64, 64))[0, 0].tolist() == [24, 8, 56, 24, 1]


@given(st.integers(0, 2**32 - 1))
def test_boxes_stay_around_what_they_were_around(seed: int) -> None:
    generator = np.random.default_rng(seed)
    left, top = generator.integers(4, 40, 2)
    right, bottom = left + generator.integers(8, 20), top + generator.integers(8, 20)
    pixels = np.zeros((1, 64, 64, 3), np.uint8)
    pixels[0, top:bottom, left:right] = 255
    rows = np.array([[[left, top, right, bottom, 0]]], np.float32)
    config = AugmentConfig(flip=True, shift=0.15, zoom=0.35, border="grey")
    moved, motions = augment_batch(pixels, config, generator)
    found = moved_things(rows, motions, (64, 64))[0, 0]
    seen_rows, seen_columns = np.nonzero(moved[0, :, :, 0] > 200)
    if found[4] < 0:
        assert len(seen_rows) < 0.5 * (right - left) * (bottom - top)
        return
    if not len(seen_rows):
        return
    edges = (seen_columns.min(), seen_rows.min(), seen_columns.max() + 1, seen_rows.max() + 1)
    assert np.abs(found[:4] - edges).max() <= 1.5


def test_the_border_of_a_moved_picture_is_grey_and_not_its_mirror_image() -> None:
    pixels = Preprocessor(spec()).image(np.full((20, 40, 3), 255, np.uint8))[None]
    config = AugmentConfig(shift=0.5, border="grey")
    moved, _ = augment_batch(pixels, config, np.random.default_rng(1))
    assert {0, 127, 255} >= set(np.unique(moved[0, ::63, ::63]).tolist()) != {255}

"""The scenes of the benchmark: every kind at every size, and nothing of test in training."""

from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.host.data import fashion_mnist
from edgeinfer.host.demo.detect.cutout import resized
from tests.benchmarks.measure import SHARED_DATA
from tests.benchmarks.training.drawn_scenes import (
    LABELS,
    LARGEST,
    MOST_THINGS,
    SIDE,
    SMALLEST,
    Sources,
    draw_scene,
    sources_of,
)
from tests.benchmarks.training.shapes import KINDS, LEARNED, UNSEEN, Style, shape

needs_sets = pytest.mark.skipif(
    not (SHARED_DATA / "catsdogs").is_dir()
    or not any(folder.is_dir() for folder in fashion_mnist.SYSTEM_FOLDERS),
    reason="needs ../shared/data/catsdogs and Debian's dataset-fashion-mnist",
)


@pytest.mark.parametrize("style", [LEARNED, UNSEEN])
@pytest.mark.parametrize("kind", KINDS)
def test_a_shape_fills_its_frame_and_is_another_one_each_time(kind: str, style: Style) -> None:
    shapes = [shape(kind, style, np.random.default_rng(number)) for number in range(3)]
    for one in shapes:
        assert max(one.cover.shape) > 180
        assert 0.1 < one.belongs.mean() < 0.9
        assert max(resized(one, SMALLEST).cover.shape) in range(SMALLEST - 3, SMALLEST + 1)
    assert len({one.pixels.tobytes() for one in shapes}) == 3
    again = shape(kind, style, np.random.default_rng(1))
    assert np.array_equal(again.pixels, shapes[1].pixels)


@needs_sets
def test_scenes_have_every_kind_at_many_sizes() -> None:
    sources = sources_of("validation")
    scenes = [draw_scene(sources, "validation", number) for number in range(60)]
    things = [seen for scene in scenes for seen in scene.things]
    assert {seen.label for seen in things} == set(LABELS)
    sides = np.array([max(seen.right - seen.left, seen.bottom - seen.top) for seen in things])
    assert sides.max() <= LARGEST
    assert (sides < 2 * SMALLEST).any()
    assert (sides > LARGEST / 2).any()
    assert max(len(scene.things) for scene in scenes) <= MOST_THINGS
    for seen in things:
        assert 0 <= seen.left < seen.right <= SIDE
        assert 0 <= seen.top < seen.bottom <= SIDE
    again = draw_scene(sources, "validation", 7)
    assert again.things == scenes[7].things
    assert np.array_equal(again.picture, scenes[7].picture)


@needs_sets
def test_the_splits_share_nothing() -> None:
    parts = [_names(sources_of(split)) for split in ("train", "validation", "test")]
    for place, one in enumerate(parts):
        for other in parts[place + 1 :]:
            assert not one & other
    assert not set(LEARNED.hues) & set(UNSEEN.hues)
    assert LEARNED.line[1] < UNSEEN.line[0]


def _names(sources: Sources) -> set[str]:
    clothes = {sample.source for samples in sources.clothes for sample in samples}
    return clothes | set(map(str, sources.photographs))

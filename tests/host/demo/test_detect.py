"""The demo's scenes: what their boxes say is what their pictures show."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeinfer.converters.common.progress import Silent
from edgeinfer.device.pictures.decode import read_image
from edgeinfer.device.pictures.folders.names import Split
from edgeinfer.host.data.dataset import DataOptions
from edgeinfer.host.demo.detect.backgrounds import background
from edgeinfer.host.demo.detect.clothes import clothing
from edgeinfer.host.demo.detect.cutout import Cutout, resized
from edgeinfer.host.demo.detect.files import TABLE
from edgeinfer.host.demo.detect.scene import compose
from edgeinfer.host.demo.detect.wardrobe import (
    LABELS,
    LARGEST,
    MOST_PIECES,
    SIDE,
    SMALLEST,
    draw_scene,
    embedded_pieces,
    write_wardrobe,
)
from edgeinfer.host.tasks.detection.task import TASK

Box = tuple[int, int, int, int]
MANY = 40


@pytest.fixture(scope="module")
def pieces() -> list[list[NDArray[np.uint8]]]:
    return embedded_pieces()["test"]


def disc(side: int, grey: int = 255) -> Cutout:
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    cover = np.clip(side / 2 + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    return Cutout(pixels=np.full((side, side, 3), grey, np.uint8), cover=cover)


def square(side: int, grey: int) -> Cutout:
    """Return a thing without soft edges."""
    pixels = np.full((side, side, 3), grey, np.uint8)
    return Cutout(pixels=pixels, cover=np.ones((side, side), np.float32))


def changed_box(before: NDArray[np.uint8], after: NDArray[np.uint8], least: int) -> Box:
    """Return the box around the pixels that differ by `least` or more in a colour."""
    differs = np.abs(after.astype(int) - before).max(axis=2) >= least
    down, right = np.nonzero(differs)
    return int(right.min()), int(down.min()), int(right.max()) + 1, int(down.max()) + 1


def test_a_box_is_tight_around_what_was_pasted() -> None:
    for number in range(MANY):
        random = np.random.default_rng(number)
        wall = np.zeros((90, 120, 3), np.uint8)
        thing = resized(disc(64), int(random.integers(9, 80)))
        scene = compose(wall, [("disc", thing)], random)
        (seen,) = scene.things
        assert seen[1:] == changed_box(wall, scene.picture, 128)
        assert wall.max() == 0


def test_a_piece_of_clothing_changes_nothing_outside_of_its_box(
    pieces: list[list[NDArray[np.uint8]]],
) -> None:
    shown = 0
    for number in range(MANY):
        random = np.random.default_rng(number)
        wall = background((SIDE, SIDE), random)
        picture = pieces[number % len(LABELS)][number]
        thing = resized(clothing(picture, random), 60)
        scene = compose(wall, [("piece", thing)], random)
        if not scene.things:  # as dark as the wall
            continue
        (seen,) = scene.things
        left, top, right, bottom = changed_box(wall, scene.picture, 1)
        # Where it has a colour of the wall, its edge cannot be seen.
        assert seen.left <= left <= seen.left + 6
        assert seen.top <= top <= seen.top + 6
        assert seen.right - 6 <= right <= seen.right
        assert seen.bottom - 6 <= bottom <= seen.bottom
        assert max(seen.right - seen.left, seen.bottom - seen.top) in (59, 60)
        shown += 1
    assert shown > MANY // 2


def test_a_thing_that_is_partly_hidden_has_a_box_around_the_rest() -> None:
    wall = np.zeros((40, 40, 3), np.uint8)
    left_over = []
    for number in range(MANY):
        things = [("below", square(20, 120)), ("above", square(16, 255))]
        scene = compose(wall, things, np.random.default_rng(number), most_hidden=0.4)
        for seen, grey in zip(scene.things, (120, 255), strict=True):
            down, right = np.nonzero(scene.picture[..., 0] == grey)
            assert (seen.left, seen.right) == (right.min(), right.max() + 1)
            assert (seen.top, seen.bottom) == (down.min(), down.max() + 1)
        left_over.append((scene.picture[..., 0] == 120).mean() * 1600 / 400)
    assert 0.6 <= min(left_over) < 0.8
    assert max(left_over) == 1.0


def test_things_do_not_hide_each_other_unless_they_may() -> None:
    wall = np.zeros((60, 60, 3), np.uint8)
    things = [(str(number), square(20, 255)) for number in range(30)]
    scene = compose(wall, things, np.random.default_rng(0))
    assert 2 <= len(scene.things) <= 9
    assert (scene.picture[..., 0] == 255).sum() == 400 * len(scene.things)


def test_what_cannot_be_seen_or_has_no_room_is_left_out() -> None:
    wall = np.full((40, 40, 3), 200, np.uint8)
    things = [("as the wall", disc(20, 210)), ("too large", disc(41, 0)), ("fits", disc(40, 0))]
    scene = compose(wall, things, np.random.default_rng(0))
    assert scene.things == (("fits", 0, 0, 40, 40),)


def test_scenes_are_steady_and_have_every_kind(pieces: list[list[NDArray[np.uint8]]]) -> None:
    scenes = [draw_scene(pieces, (0, 1), number) for number in range(MANY)]
    again = draw_scene(pieces, (0, 1), 5)
    assert again.things == scenes[5].things
    assert np.array_equal(again.picture, scenes[5].picture)
    assert not np.array_equal(draw_scene(pieces, (1, 1), 5).picture, again.picture)
    assert {len(scene.things) for scene in scenes} >= set(range(1, MOST_PIECES))
    assert {seen.label for scene in scenes for seen in scene.things} == set(LABELS)
    for scene in scenes:
        assert scene.picture.shape == (SIDE, SIDE, 3)
        for seen in scene.things:
            assert 0 <= seen.left < seen.right <= SIDE
            assert 0 <= seen.top < seen.bottom <= SIDE
            longest = max(seen.right - seen.left, seen.bottom - seen.top)
            assert SMALLEST - 2 <= longest <= LARGEST


def test_no_two_backgrounds_are_the_same() -> None:
    walls = [background((48, 32), np.random.default_rng(number)) for number in range(MANY)]
    assert all(wall.shape == (32, 48, 3) for wall in walls)
    assert len({wall.tobytes() for wall in walls}) == MANY


def test_the_splits_share_no_piece() -> None:
    by_split = {
        split: {piece.tobytes() for kind in kinds for piece in kind}
        for split, kinds in embedded_pieces().items()
    }
    assert not by_split["train"] & by_split["test"]
    assert not by_split["train"] & by_split["validation"]
    assert not by_split["validation"] & by_split["test"]


def test_training_reads_the_boxes_that_were_drawn(tmp_path: Path) -> None:
    write_wardrobe(tmp_path, {"train": 30, "validation": 6, "test": 6}, progress=Silent())
    data = TASK.prepare(tmp_path, DataOptions(), progress=Silent())
    assert data.labels == LABELS
    assert not data.findings
    assert {split: len(samples) for split, samples in data.splits.items()} == {
        "train": 30,
        "validation": 6,
        "test": 6,
    }
    pieces = embedded_pieces()["validation"]
    for sample in data.splits["validation"]:
        path = Path(sample.source)
        scene = draw_scene(pieces, (0, 1), int(path.stem))
        assert np.abs(read_image(path).astype(int) - scene.picture).mean() < 8  # it is a JPEG
        boxes = sample.target.boxes((SIDE, SIDE))
        found = {
            (LABELS[label], *np.rint(box).astype(int).tolist())
            for label, box in zip(sample.target.labels, boxes, strict=True)
        }
        assert np.abs(boxes - np.rint(boxes)).max(initial=0) < 1e-3
        assert found == {tuple(seen) for seen in scene.things}
    said = json.loads((tmp_path / "test" / TABLE).read_text())
    assert len(said["images"]) == 6


def test_more_scenes_begin_with_the_same(tmp_path: Path) -> None:
    for name, count in (("two", 2), ("one", 1)):
        counts: dict[Split, int] = {"train": count, "validation": 1, "test": 1}
        write_wardrobe(tmp_path / name, counts, progress=Silent())
    for split in ("train", "validation", "test"):
        first = (tmp_path / name / split / "00000.jpg" for name in ("one", "two"))
        assert len({path.read_bytes() for path in first}) == 1

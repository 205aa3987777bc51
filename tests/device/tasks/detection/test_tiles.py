"""What is seen in several tiles is one object, and what are two stays two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.pictures.region import Tiles, region_pixels, tile_regions
from edgeinfer.device.preprocess import PreprocessSpec, place
from edgeinfer.device.preprocess.tiles import tiled
from edgeinfer.device.tasks.classification.prediction import Classification
from edgeinfer.device.tasks.detection.faces.prediction import Faces
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.detection.tiles import answered_tiles, merged

SIZE = (900, 900)
"""Of the frame. Its 2 x 2 tiles are 500 pixels wide and begin at 0 and 400."""
Box = tuple[float, float, float, float]
Found = tuple[Box, float]


def edges_of(tiles: Tiles, size: tuple[int, int] = SIZE) -> NDArray[np.float64]:
    cut = [region_pixels(part, size) for part in tile_regions(tiles)]
    return np.array([(x, y, x + wide, y + high) for x, y, wide, high in cut], np.float64)


def answer(found: Sequence[Found], label: int = 0) -> Detections:
    return Detections(
        labels=("cat", "dog"),
        boxes=np.array([box for box, _ in found], np.float64).reshape(-1, 4),
        classes=np.full(len(found), label),
        scores=np.array([score for _, score in found], np.float64),
        size=SIZE,
    )


def merge(*tiles: Sequence[Found]) -> list[list[float]]:
    """Return the boxes of what was found in the four tiles of a frame."""
    found: list[list[float]] = merged(
        [answer(one) for one in tiles], edges_of((2, 2))
    ).boxes.tolist()
    return found


def shown(things: Sequence[Box], tile: NDArray[np.float64], scores: Sequence[float]) -> Detections:
    """Return what a detector that finds every pixel of all things finds in a tile."""
    found: list[Found] = []
    for box, score in zip(things, scores, strict=True):
        left, top = np.maximum(box[:2], tile[:2]).tolist()
        right, bottom = np.minimum(box[2:], tile[2:]).tolist()
        if left < right and top < bottom:
            found.append(((left, top, right, bottom), score))
    return answer(sorted(found, key=lambda one: -one[1]))


@st.composite
def boxes(draw: st.DrawFn, most: int = 800) -> Box:
    left, top = draw(st.integers(0, 890)), draw(st.integers(0, 890))
    width, height = draw(st.integers(5, most)), draw(st.integers(5, most))
    return left, top, min(900, left + width), min(900, top + height)


def apart(first: Box, second: Box) -> bool:
    return (
        first[2] <= second[0] or second[2] <= first[0]
        or first[3] <= second[1] or second[3] <= first[1]
    )  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(
    box=boxes(),
    tiles=st.sampled_from([(2, 2), (3, 2), (1, 4), (8, 8)]),
    seed=st.integers(0, 2**31),
)
def test_a_thing_of_any_size_and_at_any_place_is_one_object(
    box: Box, tiles: Tiles, seed: int
) -> None:
    random, edges = np.random.default_rng(seed), edges_of(tiles)
    seen = [shown([box], tile, [random.uniform(0.3, 1)]) for tile in edges]
    found = merged(seen, edges)
    # Within what counts as the edge of a tile, a part may stand for the whole.
    np.testing.assert_allclose(found.boxes, [box], atol=0.03 * 500)
    assert found.scores[0] in [score for one in seen for score in one.scores]


@settings(deadline=None, max_examples=200)
@given(
    things=st.lists(boxes(300), min_size=2, max_size=6),
    tiles=st.sampled_from([(2, 2), (3, 2), (1, 4)]),
)
def test_neighbours_stay_as_many_as_they_are(things: list[Box], tiles: Tiles) -> None:
    kept: list[Box] = []
    for box in things:
        if all(apart(box, other) for other in kept):
            kept.append(box)
    assume(len(kept) > 1)
    edges = edges_of(tiles)
    scores = np.linspace(0.9, 0.5, len(kept)).tolist()
    found = merged([shown(kept, tile, scores) for tile in edges], edges)
    assert found.scores.tolist() == scores
    np.testing.assert_allclose(found.boxes, kept, atol=0.03 * 500)


def test_in_the_overlap_of_all_four_the_surest_box_counts() -> None:
    assert merge(
        [((430, 430, 470, 470), 0.8)],
        [((431, 429, 471, 468), 0.9)],
        [((428, 432, 468, 472), 0.7)],
        [((430, 430, 472, 470), 0.6)],
    ) == [[431, 429, 471, 468]]


def test_a_part_loses_against_the_whole_however_sure_it_is() -> None:
    whole = ((450.0, 100.0, 560.0, 220.0), 0.55)
    # In the first tile the thing ends at its edge, or almost, or the box is far too large.
    for part in ((450, 100, 500, 220), (452, 104, 490, 190), (460, 100, 600, 300)):
        assert merge([(part, 0.99)], [whole], [], []) == [list(whole[0])]


def test_what_a_tile_with_all_of_it_in_view_does_not_find_is_nothing() -> None:
    # Seen from both tiles, and cut in the first only.
    assert merge([((440, 100, 500, 180), 0.9)], [], [], []) == []
    # No other tile shows the left end of it.
    assert merge([((300, 100, 500, 180), 0.9)], [], [], []) == [[300, 100, 500, 180]]
    # At the edge of the picture nothing is cut.
    assert merge([((440, 0, 480, 180), 0.9)], [], [], []) == [[440, 0, 480, 180]]


def test_a_thing_larger_than_the_overlap_is_one_box_around_its_parts() -> None:
    assert merge(
        [((300, 100, 500, 200), 0.7)], [((400, 95, 650, 210), 0.9)], [], []
    ) == [[300, 95, 650, 210]]  # fmt: skip
    quarters = [
        [((250, 200, 500, 500), 0.5)],
        [((400, 200, 700, 500), 0.6)],
        [((250, 400, 500, 720), 0.7)],
        [((400, 400, 700, 720), 0.8)],
    ]
    found = merged([answer(one) for one in quarters], edges_of((2, 2)))
    assert found.boxes.tolist() == [[250, 200, 700, 720]]
    assert found.scores.tolist() == [0.8]


def test_two_cut_things_one_below_the_other_stay_two() -> None:
    assert merge(
        [((300, 100, 500, 200), 0.9), ((300, 220, 500, 320), 0.8)],
        [((400, 220, 600, 320), 0.7), ((400, 100, 600, 200), 0.6)],
        [],
        [],
    ) == [[300, 100, 600, 200], [300, 220, 600, 320]]


def test_those_of_one_tile_are_never_compared() -> None:
    close = [((100.0, 100.0, 200.0, 200.0), 0.9), ((110.0, 100.0, 210.0, 200.0), 0.8)]
    assert merge(close, [], [], []) == [list(box) for box, _ in close]


def test_classes_are_apart() -> None:
    box = ((420.0, 100.0, 480.0, 200.0), 0.9)
    tiles = [answer([box]), answer([box], label=1), answer([]), answer([])]
    found = merged(tiles, edges_of((2, 2)))
    assert found.names == ["cat", "dog"]


def test_boxes_end_with_their_tile() -> None:
    assert merge([((300, 100, 800, 200), 0.9)], [], [], []) == [[300, 100, 500, 200]]
    assert merge([((700, 100, 800, 200), 0.9)], [], [], []) == []


def test_answers_to_tiles_are_placed_in_the_frame() -> None:
    spec = tiled(PreprocessSpec(size=(100, 50), crop="letterbox", region=(0.5, 0, 0.5, 1)), (2, 1))
    model = answer([((25, 0, 75, 50), 0.9)])
    own = replace(model, size=(100, 50), placing=partial(place, spec))
    found = answered_tiles([own, replace(own, scores=np.array([0.8]))], spec.parts)
    assert len(found) == 2
    # Each tile is a square of 500 pixels in the right half of the frame.
    placed = found.in_frame((1800, 500))
    assert placed.boxes.tolist() == [[900, 0, 1800, 500]]
    assert (placed.size, placed.placing) == ((1800, 500), None)


def test_faces_keep_their_points() -> None:
    def face(left: float, score: float) -> Faces:
        return Faces(
            labels=("face",),
            boxes=np.array([[left, 10, left + 40, 50]]),
            classes=np.array([0]),
            scores=np.array([score]),
            size=SIZE,
            points=np.array([[[left + 20, 30]]]),
            point_names=("nose tip",),
        )

    found = merged(
        [face(441, 0.7), face(440, 0.9), face(100, 0.8), face(800, 0.6)], edges_of((2, 2))
    )
    assert isinstance(found, Faces)
    assert found.points.tolist() == [[[460, 30]]]  # the third and the fourth are not in their tiles


def test_more_than_upright_boxes_is_refused() -> None:
    spec = tiled(PreprocessSpec(size=(100, 50)), (2, 1))
    upright = answer([((25, 0, 75, 50), 0.9)])
    turned = replace(upright, angles=np.zeros(1))
    masked = replace(upright, masks=(np.ones((2, 2), np.uint8),))
    named = Classification(labels=("cat",), probabilities=np.ones(1))
    for other in (turned, masked, named):
        with pytest.raises(UsageError, match=r"--tiles: .* more than upright boxes"):
            answered_tiles([upright, other], spec.parts)

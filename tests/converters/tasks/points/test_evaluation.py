"""Points against true boxes: what is found, F1 with its interval, and counts."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.converters.measure.loss import loss_between
from edgeinfer.converters.tasks.detection.target import BoxesTarget, TrueBox
from edgeinfer.converters.tasks.points.evaluation import PointsEvaluation
from edgeinfer.converters.tasks.points.found import found_things
from edgeinfer.converters.tasks.points.task import TASK
from edgeinfer.device.tasks.points.prediction import Points
from edgeinfer.device.tasks.spec import Decoder, PointsSpec
from edgeinfer.device.tasks.task import Said

LABELS = ("cat", "dog", "fox")
SAID = Said(labels=LABELS, decoder=Decoder(points=PointsSpec(stride=16, min_score=0.5)))
SIZE = (200, 100)

Box = tuple[int, float, float, float, float]
"""A class and the edges in pixels."""
Point = tuple[int, float, float, float]
"""A class, x and y in pixels, and a score."""

CAT, DOG = (0, 10.0, 10.0, 50.0, 50.0), (1, 100.0, 20.0, 180.0, 90.0)
ON_CAT, ON_DOG = (0, 30.0, 30.0, 0.9), (1, 120.0, 30.0, 0.8)


def truth(*boxes: Box) -> BoxesTarget:
    return BoxesTarget(
        tuple(TrueBox(c, x0 / 200, y0 / 100, x1 / 200, y1 / 100) for c, x0, y0, x1, y1 in boxes)
    )


def answer(*points: Point) -> Points:
    table = np.array(points, np.float64).reshape(-1, 4)
    table = table[np.argsort(-table[:, 3], kind="stable")]
    return Points(
        labels=LABELS,
        boxes=np.concatenate([table[:, 1:3] - 5, table[:, 1:3] + 5], axis=1),
        classes=table[:, 0].astype(np.int64),
        scores=table[:, 3],
        size=SIZE,
    )


def measured(pairs: Sequence[tuple[BoxesTarget, Points]]) -> PointsEvaluation:
    found = TASK.evaluation([TASK.outcome(*pair) for pair in pairs], SAID)
    assert isinstance(found, PointsEvaluation)
    return found


def test_points_in_their_boxes_are_right() -> None:
    pairs = [(truth(CAT, DOG), answer(ON_CAT, ON_DOG)), (truth(), answer())] * 3
    found = measured(pairs)
    assert found.score == 1.0
    assert found.interval == (1.0, 1.0)
    assert found.scores.tolist() == [1.0] * 6
    assert [(group.name, group.samples) for group in found.by_group()] == [("cat", 3), ("dog", 3)]
    assert found.absent() == ("fox",)
    assert found.figures()["exact_counts"] == 1.0
    assert found.figures()["count_error"] == 0.0


def test_figures_by_hand() -> None:
    pairs = [
        (truth(CAT, DOG), answer(ON_CAT, (1, 30.0, 30.0, 0.8))),  # a dog where the cat is
        (truth(CAT), answer(ON_CAT, (0, 31.0, 31.0, 0.7))),  # a cat is found once
        (truth(DOG), answer((1, 120.0, 30.0, 0.4))),  # not sure enough
        (truth(CAT, (*CAT[:1], 60.0, 10.0, 90.0, 50.0)), answer(ON_CAT, (2, 70.0, 30.0, 0.9))),
    ]
    found = measured(pairs)
    assert found.counts.tolist() == [[1, 2, 2], [1, 2, 1], [0, 0, 1], [1, 2, 2]]
    figures = found.figures()
    assert figures["f1"] == found.score == pytest.approx(2 * 3 / 12)
    assert (figures["precision"], figures["recall"]) == (0.5, 0.5)
    assert found.scores.tolist() == pytest.approx([0.5, 2 / 3, 0.0, 0.5])
    # The last picture has the right number of things, but not of each class.
    assert figures["exact_counts"] == 0.25
    assert figures["count_error"] == (0 + 1 + 1 + 2) / 4
    assert found.lines()[0].startswith("of things that score 0.5 or more: precision 50.0%")
    by_class = {group.name: group.score for group in found.by_group()}
    assert by_class == {"cat": pytest.approx(2 * 3 / 8), "dog": 0.0}


def test_the_least_score_with_the_best_f1_is_chosen() -> None:
    pairs = [
        (truth(CAT), answer((0, 30.0, 30.0, 0.4), (0, 150.0, 30.0, 0.22))),
        (truth(CAT), answer((0, 30.0, 30.0, 0.32))),
        (truth(), answer((1, 30.0, 30.0, 0.18))),
    ]
    found = measured(pairs)
    assert found.score == 0.0
    settled = TASK.settled(SAID, found)
    assert settled.decoder.points is not None
    assert settled.decoder.points.min_score == 0.3
    under = found.under(settled)
    assert under.score == 1.0
    assert under.counts.tolist() == [[1, 1, 1], [1, 1, 1], [0, 0, 0]]
    assert under.min_score == 0.3
    asked = TASK.asking(SAID)
    assert asked.decoder.points is not None
    assert asked.decoder.points.min_score == TASK.least_score


PLACES = st.tuples(st.integers(0, 1), st.floats(0, 90), st.floats(0, 90))


@given(st.lists(PLACES, max_size=5), st.lists(PLACES, max_size=4))
def test_pairs_are_one_to_one_and_later_points_change_nothing(
    points: list[tuple[int, float, float]], things: list[tuple[int, float, float]]
) -> None:
    table = np.array(points, np.float64).reshape(-1, 3)
    boxes = np.array(things, np.float64).reshape(-1, 3)
    truth = np.concatenate([boxes[:, 1:], boxes[:, 1:] + 30], axis=1)
    kinds, labels = table[:, 0].astype(np.int64), boxes[:, 0].astype(np.int64)
    found = found_things(table[:, 1:], kinds, truth, labels)
    for count in range(len(points)):
        part = found_things(table[:count, 1:], kinds[:count], truth, labels)
        assert part.tolist() == found[:count].tolist()
    inside = [
        [
            bool(kind == label and (point >= box[:2]).all() and (point <= box[2:]).all())
            for box, label in zip(truth, labels, strict=True)
        ]
        for point, kind in zip(table[:, 1:], kinds, strict=True)
    ]
    # As many as the points that are found can be given a thing each.
    hits = [inside[place] for place in np.flatnonzero(found)]
    orders = itertools.permutations(range(len(things)), len(hits))
    assert any(all(row[thing] for row, thing in zip(hits, order, strict=True)) for order in orders)
    # A point finds nothing only where others may have taken all that it is in.
    for place in np.flatnonzero(~found):
        assert sum(inside[place]) <= found[:place].sum()


def test_of_two_boxes_a_point_takes_the_one_whose_centre_is_nearest() -> None:
    pairs = [(truth((0, 0, 0, 200, 100), (0, 20, 20, 40, 40)), answer((0, 31, 31, 0.9)))]
    around = found_things(
        np.array([[31.0, 31.0], [100.0, 90.0]]),
        np.zeros(2, np.int64),
        np.array([[0.0, 0, 200, 100], [20, 20, 40, 40]]),
        np.zeros(2, np.int64),
    )
    assert around.tolist() == [True, True]
    assert measured(pairs).figures()["recall"] == 0.5


def noisy(count: int, spread: float, seed: int) -> list[tuple[BoxesTarget, Points]]:
    """Return pictures of a cat, whose answers are shifted at random."""
    generator = np.random.default_rng(seed)
    return [
        (truth(CAT), answer((0, *(30 + generator.normal(0, spread, 2)), 0.9))) for _ in range(count)
    ]


def test_the_interval_holds_f1_of_many_pictures() -> None:
    known = measured(noisy(4000, 14.0, 0)).score
    held = 0
    for seed in range(1, 41):
        low, high = measured(noisy(60, 14.0, seed)).interval
        assert 0 < low < high <= 1
        held += low <= known <= high
    assert held >= 34, "95 % of 40 are 38"


def test_two_models_on_the_same_pictures() -> None:
    good, bad = measured(noisy(200, 5.0, 1)), measured(noisy(200, 20.0, 1))
    lost = loss_between(good, bad)
    assert lost.points == pytest.approx(100 * (good.score - bad.score))
    assert 0 < lost.low < lost.points < lost.high
    comparison = good.compared(bad)
    assert comparison.more_than_chance
    assert comparison.worse > comparison.better
    same = good.compared(good)
    assert (same.difference, same.low, same.high, same.p_value) == (0, 0, 0, 1)


def test_no_picture_at_all() -> None:
    found = TASK.evaluation([TASK.outcome(answer(ON_CAT), answer())], SAID)
    assert (found.score, found.score_name) == (0.0, "F1")
    nothing = measured([(truth(), answer())] * 3)
    assert nothing.score == 0.0
    assert nothing.absent() == LABELS

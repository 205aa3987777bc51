"""Detectors against true boxes: average precision, its interval, F1, and two compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from edgeinfer.converters.measure.loss import loss_between
from edgeinfer.converters.tasks.detection.coco import SMALL, CocoMeasure
from edgeinfer.converters.tasks.detection.evaluation import DetectionEvaluation
from edgeinfer.converters.tasks.detection.target import BoxesTarget, TrueBox
from edgeinfer.converters.tasks.detection.task import TASK
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.spec import CandidateSpec, Decoder
from edgeinfer.device.tasks.task import Said

LABELS = ("cat", "dog", "fox")
SAID = Said(labels=LABELS, decoder=Decoder(candidates=CandidateSpec(classes=3, min_score=0.5)))
SIZE = (200, 100)

Box = tuple[int, float, float, float, float]
"""A class and the edges in pixels."""
Sure = tuple[int, float, float, float, float, float]
"""The same with a score."""


def truth(*boxes: Box) -> BoxesTarget:
    return BoxesTarget(
        tuple(TrueBox(c, x0 / 200, y0 / 100, x1 / 200, y1 / 100) for c, x0, y0, x1, y1 in boxes)
    )


def answer(*boxes: Sure) -> Detections:
    table = np.array(boxes, np.float64).reshape(-1, 6)
    table = table[np.argsort(-table[:, 5], kind="stable")]
    return Detections(
        labels=LABELS,
        boxes=table[:, 1:5],
        classes=table[:, 0].astype(np.int64),
        scores=table[:, 5],
        size=SIZE,
    )


def measured(pairs: Sequence[tuple[BoxesTarget, Detections]]) -> DetectionEvaluation:
    found = TASK.evaluation([TASK.outcome(*pair) for pair in pairs], SAID)
    assert isinstance(found, DetectionEvaluation)
    return found


CAT, DOG = (0, 10.0, 10.0, 50.0, 50.0), (1, 100.0, 20.0, 180.0, 90.0)


def test_answers_that_are_the_truth_have_all_points() -> None:
    pairs = [(truth(CAT, DOG), answer((*CAT, 0.9), (*DOG, 0.8))), (truth(), answer())] * 3
    found = measured(pairs)
    assert found.score == found.figures()["map50_95"] == found.figures()["f1"] == 1.0
    assert found.interval == (1.0, 1.0)
    assert found.scores.tolist() == [1.0] * 6
    assert [(group.name, group.samples) for group in found.by_group()] == [("cat", 3), ("dog", 3)]
    assert found.absent() == ("fox",)
    assert "mAP50-95 100.0 %" not in found.lines()[0]
    assert found.lines()[0].startswith("mAP75 100.0% (100.0% to 100.0%), mAP50-95 100.0%")


def test_an_average_precision_by_hand() -> None:
    """Of four cats two are found, with one wrong answer between: steps of 1 and of 2 in 3."""
    far = (0, 150.0, 60.0, 190.0, 90.0)
    pairs = [
        (truth(CAT), answer((*CAT, 0.9))),
        (truth(CAT), answer((*far, 0.8))),
        (truth(CAT), answer((*CAT, 0.7))),
        (truth(CAT), answer()),
    ]
    steps = np.linspace(0, 1, 101)
    expected = np.where(steps <= 0.25, 1.0, np.where(steps <= 0.5, 2 / 3, 0.0)).mean()
    assert measured(pairs).score == pytest.approx(expected)


def test_a_box_that_is_shifted_counts_at_half_and_not_at_three_quarters() -> None:
    shifted = (0, 18.0, 10.0, 58.0, 50.0)  # overlap 32 of 48
    found = measured([(truth(CAT), answer((*shifted, 0.9)))] * 2).figures()
    assert (found["map50"], found["map75"], found["map50_95"]) == pytest.approx((1, 0, 0.4))


def test_low_scores_count_for_precision_and_not_for_f1() -> None:
    pairs = [(truth(CAT), answer((*CAT, 0.9), (*DOG, 0.3))), (truth(CAT), answer((*CAT, 0.2)))]
    found = measured(pairs)
    assert found.score == 1.0
    assert found.scores.tolist() == [1.0, 0.0]
    figures = found.figures()
    assert figures["precision"] == 1.0
    assert figures["recall"] == 0.5
    assert figures["exact_counts"] == 0.5


def test_nothing_found_and_nothing_there() -> None:
    assert measured([(truth(CAT), answer())] * 3).score == 0.0
    nothing = measured([(truth(), answer())] * 3)
    assert nothing.score == 0.0
    assert nothing.by_group() == ()
    assert nothing.absent() == LABELS


def noisy(count: int, spread: float, seed: int) -> list[tuple[BoxesTarget, Detections]]:
    """Return pictures of a cat, whose answers are shifted at random."""
    generator = np.random.default_rng(seed)
    pairs = []
    for _ in range(count):
        across, down = generator.normal(0, spread, 2)
        said = (0, 10 + across, 10 + down, 50 + across, 50 + down, generator.uniform(0.1, 1))
        pairs.append((truth(CAT), answer(said)))
    return pairs


def test_the_interval_holds_the_precision_of_many_pictures() -> None:
    known = measured(noisy(4000, 9.0, 0)).score
    held = 0
    for seed in range(1, 41):
        low, high = measured(noisy(60, 9.0, seed)).interval
        assert 0 < low < high <= 1
        held += low <= known <= high
    assert held >= 34, "95 % of 40 are 38"


def test_two_detectors_on_the_same_pictures() -> None:
    good, bad = measured(noisy(200, 3.0, 1)), measured(noisy(200, 14.0, 1))
    lost = loss_between(good, bad)
    assert lost.points == pytest.approx(100 * (good.score - bad.score))
    assert 0 < lost.low < lost.points < lost.high
    comparison = good.compared(bad)
    assert comparison.more_than_chance
    assert comparison.worse > comparison.better
    same = good.compared(good)
    assert (same.difference, same.low, same.high, same.p_value) == (0, 0, 0, 1)


def test_the_same_objects_of_another_model_are_the_truth_without_boxes() -> None:
    """Then it is F1, picture by picture."""
    found = TASK.evaluation([TASK.outcome(answer((*CAT, 0.9)), answer((*CAT, 0.6)))], SAID)
    assert (found.score, found.score_name) == (1.0, "F1")


def test_what_a_picture_shows_in_words() -> None:
    assert TASK.truth(truth(CAT, DOG, DOG), SAID) == "1 cat, 2 dog"
    assert TASK.truth(truth(), SAID) == "nothing"
    assert TASK.group(truth(DOG, DOG)) == (1,)
    assert TASK.target_reader(SAID)(TASK.write_target(truth(CAT), SAID)) == truth(CAT)


def test_small_things_are_measured_apart() -> None:
    """A large one that is missed, or found, says nothing; a wrong answer counts by its area."""
    small, other = (0, 10.0, 10.0, 40.0, 40.0), (0, 150.0, 60.0, 160.0, 70.0)
    nowhere = 0, 60.0, 0.0, 70.0, 10.0
    cases = {
        ((*small, 0.9),): 0.5,
        ((*small, 0.9), (*other, 0.8)): 1.0,
        ((*small, 0.9), (*other, 0.8), (*DOG, 0.95), (1, 0.0, 0.0, 90.0, 90.0, 0.99)): 1.0,
        ((*small, 0.9), (*nowhere, 0.85), (*other, 0.8)): (51 + 50 * 2 / 3) / 101,
        (): 0.0,
    }
    for said, expected in cases.items():
        pictures = measured([(truth(small, other, DOG), answer(*said))]).pictures
        found = CocoMeasure(pictures, 3).over([0], SMALL)
        assert found.at_50[0] == pytest.approx(expected, abs=0.01)
        assert np.isnan(found.at_50[1:]).all()

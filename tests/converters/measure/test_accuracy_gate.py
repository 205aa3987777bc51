from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.converters.measure.accuracy_gate import (
    LabelGate,
    drop_points,
    within_drop,
    worst_groups,
)
from edgeinfer.converters.tasks.classification.evaluation import ClassEvaluation
from edgeinfer.converters.tasks.classification.task import TASK, Picked
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.device.core.errors import AccuracyError
from edgeinfer.device.tasks.task import Said

LABELS = ("cat", "dog", "owl")


def evaluation(*rows: tuple[int, int, int]) -> Evaluation:
    """Return the evaluation with this confusion, rows the truth."""
    outcomes = [
        Picked(truth, answer, np.log(np.full(3, 1 / 3, np.float32)), False)
        for truth, row in enumerate(rows)
        for answer, count in enumerate(row)
        for _ in range(count)
    ]
    made = TASK.evaluation(outcomes, Said(labels=LABELS))
    assert isinstance(made, ClassEvaluation)
    np.testing.assert_array_equal(made.confusion, rows)
    return made


FLOAT = evaluation((100, 0, 0), (0, 100, 0), (0, 0, 100))
INT8 = evaluation((100, 0, 0), (4, 96, 0), (0, 20, 80))


def test_the_worst_groups_come_first() -> None:
    worst = worst_groups(FLOAT, INT8)
    assert [label for label, _ in worst] == ["owl", "dog"]
    assert [loss for _, loss in worst] == pytest.approx([20.0, 4.0])


def test_a_loss_above_the_limit_is_refused_and_the_classes_named() -> None:
    with pytest.raises(AccuracyError) as caught:
        LabelGate(max_drop_points=1.0).require("pets", FLOAT, INT8, precision="int8")
    text = str(caught.value)
    assert (
        "pets: INT8 loses 8.00 points (4.83 to 11.07) of top-1 on 300 validation pictures" in text
    )
    assert "worst: owl -20.0, dog -4.0" in text
    assert "expected at most 1.00" in text


def test_a_loss_at_the_limit_and_a_gain_pass() -> None:
    for limit, before, after in (
        (drop_points(FLOAT, INT8), FLOAT, INT8),
        (0.0, FLOAT, FLOAT),
        (0.0, INT8, FLOAT),
    ):
        gate = LabelGate(max_drop_points=limit)
        assert gate.passes(before, after)
        gate.require("pets", before, after, precision="int8")


def test_a_loss_of_one_picture_in_a_hundred_is_a_point() -> None:
    """As shares 0.95 and 0.94 differ by more than 0.01 in binary."""
    before = evaluation((50, 0, 0), (0, 45, 0), (0, 5, 0))
    after = evaluation((50, 0, 0), (0, 44, 1), (0, 5, 0))
    assert drop_points(before, after) > 1
    assert within_drop(before, after, 1.0)
    assert not within_drop(before, after, 0.99)


def test_a_class_without_samples_is_not_among_the_worst() -> None:
    before = evaluation((10, 0, 0), (0, 10, 0), (0, 0, 0))
    after = evaluation((9, 1, 0), (0, 10, 0), (0, 0, 0))
    assert [label for label, _ in worst_groups(before, after)] == ["cat"]
    assert before.score == 1.0


def test_the_error_names_the_pictures_and_remedies_that_it_was_given() -> None:
    gate = LabelGate(pictures="labelled pictures", remedies="raise --calibration-images")
    with pytest.raises(AccuracyError) as caught:
        gate.require("pets", FLOAT, INT8, precision="int8")
    assert "on 300 labelled pictures (" in str(caught.value)
    assert str(caught.value).endswith("; raise --calibration-images, or allow more with --max-drop")


@pytest.mark.parametrize(("right", "warned"), [(30, True), (38, True), (60, False), (100, False)])
def test_a_float_model_not_better_than_chance_is_warned_of(right: int, warned: bool) -> None:
    wrong = 100 - right
    guessing = evaluation((right, wrong, 0), (0, right, wrong), (wrong, 0, right))
    results = {"validation": {"float32": guessing, "int8": guessing}}
    lines = LabelGate().warnings(results, "int8")
    assert bool(lines) == warned
    if warned:
        assert f"float32 itself is right on {right}.00% of 300 pictures" in lines[0]


def test_pictures_of_one_class_have_no_chance_to_compare_with() -> None:
    one = evaluation((1, 99, 0), (0, 0, 0), (0, 0, 0))
    assert LabelGate().warnings({"validation": {"float32": one, "int8": one}}, "int8") == []

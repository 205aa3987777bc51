from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.converters.measure.accuracy_gate import (
    AgreementGate,
    LabelGate,
    drop_points,
    within_drop,
    worst_groups,
)
from edgeinfer.converters.tasks.classification.task import TASK
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.device.core.errors import AccuracyError
from edgeinfer.device.tasks.task import Said

LABELS = ("cat", "dog", "owl")


def evaluation(*rows: tuple[int, int, int]) -> Evaluation:
    """Return the evaluation with this confusion, rows the truth."""
    outcomes = [
        (truth, answer, 0.5)
        for truth, row in enumerate(rows)
        for answer, count in enumerate(row)
        for _ in range(count)
    ]
    made = TASK.evaluation(outcomes, Said(labels=LABELS))
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


def test_agreement_below_the_least_is_refused() -> None:
    gate = AgreementGate(min_agreement=0.93)
    assert not gate.passes(FLOAT, INT8)
    with pytest.raises(AccuracyError) as caught:
        gate.require("pets", FLOAT, INT8, precision="float16", lost_where="op 3", tried="mse 90 %")
    text = str(caught.value)
    assert "pets: FLOAT16 agrees with float32 on 92.00% of 300 pictures" in text
    assert (
        "the largest loss is in op 3; tried, but not enough: mse 90 %, expected at least 93.00%"
        in text
    )
    gate = AgreementGate(min_agreement=0.92)
    gate.require("pets", FLOAT, INT8, precision="int8")
    figures = gate.figures("agreement", {"float32": FLOAT, "int8": INT8}, "int8")
    assert figures == {"agreement.int8": 0.92, "agreement.samples": 300}

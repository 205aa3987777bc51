from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.converters.measure.accuracy_gate import (
    drop_points,
    require_drop,
    within_drop,
    worst_classes,
)
from edgeinfer.converters.measure.evaluate import Evaluation
from edgeinfer.device.core.errors import AccuracyError

LABELS = ("cat", "dog", "owl")


def evaluation(*rows: tuple[int, int, int]) -> Evaluation:
    return Evaluation(labels=LABELS, confusion=np.array(rows, np.int64))


FLOAT = evaluation((100, 0, 0), (0, 100, 0), (0, 0, 100))
INT8 = evaluation((100, 0, 0), (4, 96, 0), (0, 20, 80))


def test_the_worst_classes_come_first() -> None:
    worst = worst_classes(FLOAT, INT8)
    assert [label for label, _ in worst] == ["owl", "dog"]
    assert [loss for _, loss in worst] == pytest.approx([20.0, 4.0])


def test_a_loss_above_the_limit_is_refused_and_the_classes_named() -> None:
    with pytest.raises(AccuracyError) as caught:
        require_drop("pets", FLOAT, INT8, 1.0)
    text = str(caught.value)
    assert "pets: INT8 loses 8.00 points of top-1 on 300 validation pictures" in text
    assert "worst classes: owl -20.0, dog -4.0" in text
    assert "expected at most 1.00" in text


def test_a_loss_at_the_limit_and_a_gain_pass() -> None:
    require_drop("pets", FLOAT, INT8, drop_points(FLOAT, INT8))
    require_drop("pets", FLOAT, FLOAT, 0.0)
    require_drop("pets", INT8, FLOAT, 0.0)


def test_a_loss_of_one_picture_in_a_hundred_is_a_point() -> None:
    """As shares 0.95 and 0.94 differ by more than 0.01 in binary."""
    before = evaluation((50, 0, 0), (0, 45, 0), (0, 5, 0))
    after = evaluation((50, 0, 0), (0, 44, 1), (0, 5, 0))
    assert drop_points(before, after) > 1
    assert within_drop(before, after, 1.0)
    assert not within_drop(before, after, 0.99)


def test_a_class_without_samples_is_nobodys_worst() -> None:
    before = evaluation((10, 0, 0), (0, 10, 0), (0, 0, 0))
    after = evaluation((9, 1, 0), (0, 10, 0), (0, 0, 0))
    assert [label for label, _ in worst_classes(before, after)] == ["cat"]
    assert before.top1 == 1.0

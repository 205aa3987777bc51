"""What `convert` prints about a loss: only where there is one."""

from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.converters.convert.summary import lost_something
from edgeinfer.converters.tasks.evaluation import Evaluation


def _answers(right: int, wrong: int) -> Evaluation:
    scores = np.repeat([1.0, 0.0], [right, wrong])
    return Evaluation(
        scores=scores,
        groups=np.zeros(len(scores), np.int64),
        group_names=("all",),
        score_name="top-1",
    )


@pytest.mark.parametrize(
    ("right", "lost"),
    [(200, False), (199, False), (180, True)],
    ids=["equal answers", "one of 200 differs, as by chance", "20 of 200 are lost"],
)
def test_a_loss_is_one_beyond_chance(right: int, lost: bool) -> None:
    measured = {"float32": _answers(200, 0), "int8": _answers(right, 200 - right)}
    same = {"float32": _answers(200, 0), "int8": _answers(200, 0)}
    assert lost_something({"test": same, "validation": measured}) is lost

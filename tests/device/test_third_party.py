"""What is worked out of a plain model: is its output probabilities or logits?"""

from __future__ import annotations

import pytest

from edgeinfer.device.third_party import ends_in_probabilities
from tests.device.graph_examples import model


@pytest.mark.parametrize(
    ("operators", "expected"),
    [
        ([("SOFTMAX", (0,), (9,))], True),
        ([("LOGISTIC", (0,), (9,))], True),
        ([("SOFTMAX", (0,), (5,)), ("RESHAPE", (5,), (6,)), ("QUANTIZE", (6,), (9,))], True),
        ([("SOFTMAX", (0,), (5,)), ("FULLY_CONNECTED", (5, 1, 2), (9,))], False),
        ([("RESHAPE", (), (9,))], False),
        ([("RESHAPE", (-1,), (9,))], False),
        ([], False),
    ],
)
def test_the_op_behind_the_output_decides(
    operators: list[tuple[str, tuple[int, ...], tuple[int, ...]]], expected: bool
) -> None:
    assert ends_in_probabilities(model((), operators, inputs=(0,), outputs=(9,))) is expected

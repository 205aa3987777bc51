"""Cutting a graph into parts, in example graphs and in any."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.accelerators.partitions import Partition, partitions
from edgeinfer.device.tflite.model import Operator


def operator(inputs: list[int], outputs: list[int]) -> Operator:
    return Operator(
        op="RELU", version=1, custom=False, inputs=tuple(inputs), outputs=tuple(outputs)
    )


def test_a_branch_is_one_part_with_what_it_does_not_wait_for() -> None:
    # 0 -> 1 -> (2: refused) -> 3, and 1 -> 4 in parallel; 5 joins both.
    operators = [
        operator([0], [1]),
        operator([1], [2]),
        operator([2], [3]),
        operator([1], [4]),
        operator([3, 4], [5]),
    ]
    assert partitions(operators, [True, False, True, True, True]) == [
        Partition(supported=True, operators=(0, 3)),
        Partition(supported=False, operators=(1,)),
        Partition(supported=True, operators=(2, 4)),
    ]


def test_no_operators_and_none_that_can_run() -> None:
    assert partitions([], []) == []
    assert partitions([operator([1], [1])], [True]) == []


@given(st.data())
def test_every_operator_is_in_one_part_behind_what_it_reads(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 12))
    operators = [
        operator(data.draw(st.lists(st.integers(0, index), max_size=3)), [index + 1])
        for index in range(count)
    ]
    supported = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    parts = partitions(operators, supported)
    order = [index for part in parts for index in part.operators]
    assert sorted(order) == list(range(count))
    place = {index + 1: order.index(index) for index in range(count)}
    for index in range(count):
        assert all(place[t] < place[index + 1] for t in operators[index].inputs if t)
    for part in parts:
        assert {supported[index] for index in part.operators} == {part.supported}
    assert all(a.supported != b.supported for a, b in pairwise(parts))

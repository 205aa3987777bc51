"""Graphs that call graphs: each call fits, and none ends in itself."""

from __future__ import annotations

import pytest

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.tflite.reader import read_tflite
from tests.device.tflite_examples import (
    Node,
    Number,
    Numbers,
    TableNode,
    encode,
    operator,
    operator_code,
    tensor,
)

WHILE, IF, CALL_ONCE = 93, 92, 103


def graph(types: tuple[str, ...], steps: list[TableNode], ends: tuple[str, ...] = ()) -> TableNode:
    """A graph that is fed with tensors of these types, and answers with `ends`, or with these."""
    tensors: list[Node] = [tensor(f"t{n}", [1], dtype) for n, dtype in enumerate(types + ends)]
    outputs = range(len(types), len(types + ends)) if ends else range(len(types))
    return {
        0: tensors,  # type: ignore[dict-item]
        1: Numbers("i", list(range(len(types)))),
        2: Numbers("i", list(outputs)),
        3: steps,
    }


def call(inputs: list[int], outputs: list[int], union: int, *graphs: int) -> TableNode:
    options: TableNode = {field: Number("i", number) for field, number in enumerate(graphs)}
    return operator(inputs, outputs) | {3: Number("B", union), 4: options}


def read(op: str, *graphs: TableNode) -> int:
    codes = [operator_code(op), operator_code("EQUAL")]
    model = encode({0: Number("I", 3), 1: codes, 2: list(graphs), 4: [{}]})
    return len(read_tflite(model, subject="x").subgraphs)


F = ("float32",)
CONDITION = graph(F, [operator([0, 0], [1], 1)], ("bool",))
BODY = graph(F, [])


def test_a_loop_is_read() -> None:
    assert read("WHILE", graph(F, [call([0], [1], WHILE, 1, 2)], F), CONDITION, BODY) == 3


def test_a_choice_is_read() -> None:
    main = graph(("bool", "float32"), [call([0, 1], [2], IF, 1, 2)], F)
    assert read("IF", main, BODY, BODY) == 3


@pytest.mark.parametrize("number", [3, -1, 2**31 - 1])
def test_a_graph_that_is_not_there(number: int) -> None:
    main = graph(F, [call([0], [1], WHILE, 1, number)], F)
    with pytest.raises(ModelError, match=rf"operator 0 \(WHILE\): graph {number} is none of 3"):
        read("WHILE", main, CONDITION, BODY)


def test_a_graph_that_calls_itself() -> None:
    body = graph(F, [call([0], [1], WHILE, 1, 2)], F)
    with pytest.raises(ModelError, match="graph 2 calls itself"):
        read("WHILE", graph(F, [call([0], [1], WHILE, 1, 2)], F), CONDITION, body)


def test_the_main_graph_that_calls_itself() -> None:
    with pytest.raises(ModelError, match="graph 0 calls itself"):
        read("CALL_ONCE", graph((), [call([], [], CALL_ONCE, 0)]))


def test_graphs_that_call_each_other_too_deep() -> None:
    chain = [graph((), [call([], [], CALL_ONCE, number + 1)]) for number in range(40)]
    with pytest.raises(ModelError, match="call each other more than 32 deep"):
        read("CALL_ONCE", *chain, graph((), []))


def test_a_condition_that_answers_no_bool() -> None:
    with pytest.raises(ModelError, match=r"its condition answers \['float32'\], expected one bool"):
        read("WHILE", graph(F, [call([0], [1], WHILE, 2, 2)], F), CONDITION, BODY)


def test_a_body_of_other_types() -> None:
    main = graph(F, [call([0], [1], WHILE, 1, 2)], F)
    with pytest.raises(ModelError, match=r"its inputs are \['float32'\], those of the graph that"):
        read("WHILE", main, CONDITION, graph(("int32",), []))


def test_a_body_that_answers_more() -> None:
    main = graph(F, [call([0], [1], WHILE, 1, 2)], F)
    with pytest.raises(ModelError, match=r"its inputs are \['float32'\], those of the graph that"):
        read("WHILE", main, CONDITION, graph(F * 2, []))

"""What a model is fed is followed through its operators and the graphs that they call."""

from __future__ import annotations

from edgeinfer.device.tflite.model import Operator, Subgraph, Tensor, TfliteModel
from edgeinfer.device.tflite.reader import read_tflite
from edgeinfer.device.tflite.safety.dataflow import tensors_from_data
from tests.device.one_operator import one_operator_model

F = ("float32", [1, 4])


def tensors(count: int) -> tuple[Tensor, ...]:
    return tuple(Tensor(name=f"t{n}", shape=(1,), dtype="int32") for n in range(count))


def step(op: str, inputs: tuple[int, ...], outputs: tuple[int, ...], **options: int) -> Operator:
    return Operator(op=op, version=1, custom=False, inputs=inputs, outputs=outputs, options=options)


def graph(
    count: int, inputs: tuple[int, ...], outputs: tuple[int, ...], *steps: Operator
) -> Subgraph:
    return Subgraph(
        name="", tensors=tensors(count), inputs=inputs, outputs=outputs, operators=steps
    )


def found(*graphs: Subgraph) -> list[set[int]]:
    model = TfliteModel(
        schema_version=3,
        description="",
        operator_codes=(),
        subgraphs=graphs,
        metadata=(),
        signatures=(),
    )
    return tensors_from_data(model)


def test_values_go_through_operators() -> None:
    chain = graph(5, (0,), (4,), step("RELU", (0,), (2,)), step("ADD", (2, 1), (3,)))
    assert found(chain) == [{0, 2, 3}]


def test_constants_stay_constants() -> None:
    assert found(graph(4, (0,), (3,), step("ADD", (1, 2), (3,)))) == [{0}]


def test_shapes_and_indices_are_bounded() -> None:
    main = graph(5, (0,), (4,), step("SHAPE", (0,), (1,)), step("TOPK_V2", (0, 1), (2, 3)))
    assert found(main) == [{0, 2}], "the values of a TOPK are data, their places are not"


def test_a_variable_may_hold_anything() -> None:
    main = graph(4, (0,), (2,), step("VAR_HANDLE", (), (1,)), step("READ_VARIABLE", (1,), (2,)))
    assert found(main) == [{0, 2}]


def test_a_called_graph_takes_what_its_caller_gives() -> None:
    main = graph(5, (0, 1), (3,), step("IF", (4, 1, 2), (3,), then_graph=1, else_graph=2))
    branch = graph(3, (0, 1), (2,), step("ADD", (0, 1), (2,)))
    other = graph(2, (0, 1), (1,))
    assert found(main, branch, other) == [{0, 1, 3}, {0, 2}, {0}]


def test_what_decides_a_branch_decides_its_answer() -> None:
    main = graph(3, (0,), (2,), step("IF", (0, 1), (2,), then_graph=1, else_graph=1))
    assert found(main, graph(1, (0,), (0,))) == [{0, 2}, set()]


def test_a_loop_feeds_its_body_back() -> None:
    # Of (counter, picture) only the picture depends on data; of a swap both do.
    main = graph(5, (1,), (3,), step("WHILE", (0, 1), (2, 3), cond_graph=1, body_graph=2))
    condition = graph(3, (0, 1), (2,), step("LESS", (0, 0), (2,)))
    keeps = graph(4, (0, 1), (2, 3), step("ADD", (0, 0), (2,)), step("RELU", (1,), (3,)))
    assert found(main, condition, keeps) == [{1, 3}, {1}, {1, 3}]
    swaps = graph(2, (0, 1), (1, 0))
    assert found(main, condition, swaps) == [{1, 2, 3}, {0, 1, 2}, {0, 1}]


def test_of_a_whole_file() -> None:
    model = read_tflite(one_operator_model("RELU", [F], [F]), subject="x")
    assert tensors_from_data(model) == [{0, 1}]

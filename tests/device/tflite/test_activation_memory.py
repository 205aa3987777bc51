"""The peak of activation memory on small graphs, and against a simulation step by step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.tflite.activation_memory import alive_bytes, peak_activation
from edgeinfer.device.tflite.model import Tensor, TfliteModel
from tests.device.graph_examples import Step, constant, image, model


def test_a_chain_needs_two_neighbours() -> None:
    tensors = [image(10), image(40), image(30), image(5)]
    steps: list[Step] = [("ABS", [0], [1]), ("ABS", [1], [2]), ("ABS", [2], [3])]
    chain = model(tensors, steps, inputs=[0], outputs=[3])
    assert alive_bytes(chain.subgraphs[0]) == [50, 70, 35]
    peak = peak_activation(chain)
    assert (peak.size_bytes, peak.operator) == (70, 1)


def test_a_branch_keeps_what_the_last_reader_needs() -> None:
    tensors = [image(10), image(10), image(10), image(10)]
    steps: list[Step] = [("ABS", [0], [1]), ("ABS", [1], [2]), ("ADD", [0, 2], [3])]
    assert alive_bytes(model(tensors, steps, inputs=[0], outputs=[3]).subgraphs[0]) == [20, 30, 30]


@pytest.mark.parametrize(
    ("tensor", "size_bytes"),
    [
        (constant(100), 0),
        (image(100, variable=True), 100),
        (image(100, dtype="float32"), 400),
        (image(3, dtype="int4"), 2),
        (image(100, dtype="string"), 0),
    ],
)
def test_what_counts(tensor: Tensor, size_bytes: int) -> None:
    graph = model([tensor, image(1)], [("ABS", [0], [1])], inputs=[0], outputs=[1])
    assert peak_activation(graph).size_bytes == size_bytes + 1


def test_early_outputs_and_variables_stay_to_the_end() -> None:
    tensors = [image(1), image(20), image(2), image(300, variable=True), image(5)]
    steps: list[Step] = [("ABS", [0], [1]), ("ABS", [0], [2]), ("ABS", [3], [4])]
    graph = model(tensors, steps, inputs=[0], outputs=[1, 4]).subgraphs[0]
    assert alive_bytes(graph) == [321, 323, 325]


def test_without_operators_inputs_are_outputs() -> None:
    peak = peak_activation(model([image(7), image(9)], [], inputs=[0, 1], outputs=[1]))
    assert (peak.size_bytes, peak.operator) == (16, None)


@st.composite
def graphs(draw: st.DrawFn) -> TfliteModel:
    """Any graph: each operator reads what is there and writes a tensor or two."""
    sizes = st.integers(0, 50)
    tensors = [image(draw(sizes)), image(draw(sizes), variable=draw(st.booleans()))]
    steps: list[Step] = []
    for _ in range(draw(st.integers(1, 12))):
        read = draw(st.lists(st.sampled_from([-1, *range(len(tensors))]), max_size=3))
        written = [image(draw(sizes)) for _ in range(draw(st.integers(0, 2)))]
        steps.append(("ADD", read, range(len(tensors), len(tensors) + len(written))))
        tensors += written
    ends = st.lists(st.integers(0, len(tensors) - 1), max_size=3)
    return model(tensors, steps, inputs=[0], outputs=draw(ends))


@given(graphs())
def test_equal_to_a_simulation(any_model: TfliteModel) -> None:
    graph = any_model.subgraphs[0]
    later: list[set[int]] = []  # what is still wanted from operator n on
    wanted = set(graph.outputs)
    for operator in reversed(graph.operators):
        wanted = (wanted | set(operator.inputs)) - {-1}
        later.insert(0, set(wanted))
        wanted -= set(operator.outputs)
    # As a runtime would: allocate at the writer, free after the last reader.
    there = set(graph.inputs) | {i for i, tensor in enumerate(graph.tensors) if tensor.variable}
    ends = set(graph.outputs)
    for number, operator in enumerate(graph.operators):
        there |= set(operator.outputs) | (set(operator.inputs) - {-1})
        now = sum(graph.tensors[index].elements for index in there)
        assert alive_bytes(graph)[number] == now
        following = later[number + 1] if number + 1 < len(later) else set()
        there = {i for i in there if i in following | ends or graph.tensors[i].variable}

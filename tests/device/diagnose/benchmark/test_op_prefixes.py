from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.diagnose.benchmark.op_prefixes import Prefixes
from edgeinfer.device.diagnose.benchmark.subject import made_up_inputs
from edgeinfer.device.runtime.runner import Runner
from edgeinfer.device.tflite.reader import read_tflite
from tests.device.tflite_examples import (
    Numbers,
    TableNode,
    dense_model,
    encode,
    graph,
    operator,
    operator_code,
    tensor,
)


def test_each_prefix_computes_what_the_whole_model_computes_on_its_way(
    sample_tflite: bytes,
) -> None:
    """Against the interpreter's own intermediate tensors: with the builtin kernels, bit for bit."""
    module: Any = importlib.import_module("ai_edge_litert.interpreter")
    whole = module.Interpreter(
        model_content=sample_tflite,
        experimental_op_resolver_type=module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    whole.allocate_tensors()
    prefixes = Prefixes(sample_tflite, subject="sample")
    assert len(prefixes) == 14
    for count in range(1, len(prefixes) + 1):
        runner = Runner(
            prefixes.model(count),
            subject="prefix",
            runtime="ai-edge-litert",
            kernels="builtin",
        )
        inputs = made_up_inputs(runner.inputs)
        if count == 1:
            whole.set_tensor(whole.get_input_details()[0]["index"], inputs[0])
            whole.invoke()
        outputs = runner.invoke(inputs)
        for index, output in zip(prefixes.outputs(count), outputs, strict=True):
            assert np.array_equal(output, whole.get_tensor(index))


@pytest.mark.parametrize("count", range(1, 15))
def test_a_prefix_is_the_model_with_fewer_operators(sample_tflite: bytes, count: int) -> None:
    before = read_tflite(sample_tflite, subject="sample").subgraphs[0]
    prefix = Prefixes(sample_tflite, subject="sample").model(count)
    after = read_tflite(prefix, subject="prefix").subgraphs[0]
    assert after.operators == before.operators[:count]
    assert (after.tensors, after.inputs) == (before.tensors, before.inputs)
    # A runtime may leave out what nobody asks for; then the cost would stand elsewhere.
    needed = set(after.outputs)
    for step in reversed(after.operators):
        assert needed & set(step.outputs)
        needed |= set(step.inputs)


def test_what_waits_for_a_later_operator_is_an_output(sample_tflite: bytes) -> None:
    prefixes = Prefixes(sample_tflite, subject="sample")
    counts = [len(prefixes.outputs(count)) for count in range(1, 15)]
    assert max(counts) == 2, "a branch waits while the other is computed"
    assert prefixes.outputs(14) == prefixes.graph.outputs


@given(size=st.integers(0, 9))
def test_files_of_any_length_and_with_a_tail(size: int) -> None:
    data = encode(dense_model()) + bytes(range(size))
    prefix = Prefixes(data, subject="x").model(1)
    assert prefix[len(data) :] != b""
    assert read_tflite(prefix, subject="x").outputs[0].name == "scores"


def several_graphs(model: TableNode) -> None:
    subgraphs: Any = model[2]
    subgraphs.append(subgraphs[0])


def no_operators(model: TableNode) -> None:
    graph(model)[3] = []
    graph(model)[2] = Numbers("i", [0])


def an_operator_without_outputs(model: TableNode) -> None:
    model[1] = [operator_code("FULLY_CONNECTED", 4), operator_code("HASHTABLE_IMPORT")]
    graph(model)[3].append(operator([3], [], code=1))


def a_string(model: TableNode) -> None:
    model[1] = [operator_code("FULLY_CONNECTED", 4), operator_code("HASHTABLE_FIND")]
    graph(model)[0].append(tensor("text", [1], "string"))
    graph(model)[3].append(operator([3], [4], code=1))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (several_graphs, "has 2 graphs, expected one"),
        (no_operators, "has no operators"),
        (an_operator_without_outputs, r"operator 1 \(HASHTABLE_IMPORT\) has no output"),
        (a_string, r"operator 1 \(HASHTABLE_FIND\) gives a string, expected numbers"),
    ],
)
def test_models_of_which_no_prefix_can_be_made(change: Any, words: str) -> None:
    model = dense_model()
    change(model)
    with pytest.raises(ModelError, match=f"x: {words}.*; leave --ops out"):
        Prefixes(encode(model), subject="x")


@given(data=st.binary(max_size=300), position=st.integers(0, 2000))
def test_damaged_models_raise_only_model_errors(data: bytes, position: int) -> None:
    whole = bytearray(encode(dense_model()))
    start = position % len(whole)
    whole[start : start + len(data)] = data
    try:
        prefixes = Prefixes(bytes(whole), subject="x")
        for count in range(1, len(prefixes) + 1):
            prefixes.model(count)
    except ModelError:
        return

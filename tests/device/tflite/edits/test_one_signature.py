"""Of several signatures one becomes the main graph: as the runtimes' own signature runners."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.runtime.runner import _MODULES, Runner, installed_runtimes
from edgeinfer.device.tflite.edits.one_signature import with_signature
from edgeinfer.device.tflite.reader import read_tflite
from tests.device.tflite.graph_examples import signature, two_signatures
from tests.device.tflite_examples import dense_model, encode


@pytest.mark.parametrize("runtime", installed_runtimes())
@pytest.mark.parametrize(
    ("name", "outputs"), [("negated", ["answer"]), ("squared", ["square", "size"])]
)
def test_it_answers_as_the_runtimes_signature(runtime: Any, name: str, outputs: list[str]) -> None:
    model = two_signatures()
    picture = np.random.default_rng(3).normal(size=(1, 2, 3, 3)).astype(np.float32)
    module = importlib.import_module(_MODULES[runtime])
    interpreter = module.Interpreter(model_content=model)
    expected = interpreter.get_signature_runner(name)(image=picture)
    runner = Runner(with_signature(model, name, subject="x"), subject="x", runtime=runtime)
    answers = runner.invoke([picture])
    assert len(answers) == len(outputs)
    for output, answer in zip(outputs, answers, strict=True):
        np.testing.assert_array_equal(answer, expected[output])


@pytest.mark.parametrize("name", ["negated", "squared"])
def test_the_copy_has_that_signature_only(name: str) -> None:
    model = two_signatures()
    one = with_signature(model, name, subject="x")
    assert len(one) == len(model)
    read = read_tflite(one, subject="x")
    assert [(item.name, item.subgraph) for item in read.signatures] == [(name, 0)]
    assert read.subgraphs[0].name == name
    assert with_signature(one, name, subject="x") == one


def test_a_name_that_is_not_there_is_refused() -> None:
    with pytest.raises(ModelError, match="no signature 'x', expected one of negated, squared"):
        with_signature(two_signatures(), "x", subject="m")
    with pytest.raises(ModelError, match="expected one of serving_default"):
        with_signature(encode(dense_model()), "x", subject="m")


def test_of_two_signatures_of_one_graph_one_stays() -> None:
    fields = {7: [signature("one", 0, {"a": 1}), signature("two", 0, {"b": 1})]}
    one = with_signature(two_signatures(fields=fields), "two", subject="x")
    (left,) = read_tflite(one, subject="x").signatures
    assert (left.name, left.outputs) == ("two", (("b", 1),))

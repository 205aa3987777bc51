from __future__ import annotations

from typing import Any

import pytest

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.diagnose.benchmark import op_times
from edgeinfer.device.diagnose.benchmark.op_times import profile_operators
from edgeinfer.device.diagnose.benchmark.subject import made_up_inputs
from edgeinfer.device.runtime.runner import Runner, choose_runtime
from edgeinfer.device.tflite.reader import read_tflite
from tests.device.tflite_examples import dense_model, encode, graph, operator, operator_code


def run(model: bytes, **options: Any) -> Any:
    tensors = made_up_inputs(Runner(model, subject="x").inputs)
    return profile_operators(
        model, subject="x", tensors=tensors, threads=1, runtime=None, **options
    )


def test_every_operator_of_a_real_model(sample_tflite: bytes) -> None:
    told: list[str] = []
    found = run(sample_tflite, rounds=2, progress=told.append)
    model = read_tflite(sample_tflite, subject="x").subgraphs[0]
    assert [item.op for item in found.operators] == [step.op for step in model.operators]
    assert [item.index for item in found.operators] == list(range(14))
    assert found.operators[0].shape == (1, 28, 28, 16)
    assert found.operators[-1].dtype == "int8"
    assert found.total_ms > 0
    assert found.runtime.startswith(choose_runtime())
    # The second round runs back.
    assert told[0] == "operator 1/14, round 1/2"
    assert told[14] == "operator 14/14, round 2/2"


def test_differences_are_kept_as_they_are(
    sample_tflite: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    medians_us = [30, 50, 45, 60, 60, 70, 80, 90, 95, 99, 98, 100, 101, 102]

    def time_of(runner: Runner, tensors: object) -> list[int]:
        return [next(given) * 1000]

    given = iter([*medians_us, *reversed(medians_us)])
    monkeypatch.setattr(op_times, "_time", time_of)
    found = run(sample_tflite, rounds=2)
    expected = [b - a for a, b in zip([0, *medians_us], medians_us, strict=False)]
    assert [round(item.ms * 1000) for item in found.operators] == expected
    assert min(expected) < 0
    assert round(found.total_ms * 1000) == 102


def test_a_model_that_cannot_be_cut_is_refused() -> None:
    model = dense_model()
    model[1] = [operator_code("FULLY_CONNECTED", 4), operator_code("HASHTABLE_IMPORT")]
    graph(model)[3].append(operator([3], [], code=1))
    with pytest.raises(ModelError, match="has no output"):
        profile_operators(encode(model), subject="x", tensors=[], threads=1, runtime=None)

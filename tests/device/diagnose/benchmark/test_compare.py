from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.diagnose.benchmark import compare as compare_module
from edgeinfer.device.diagnose.benchmark.compare import compare
from edgeinfer.device.diagnose.benchmark.subject import made_up_inputs
from edgeinfer.device.runtime.first_opening import open_on_cpu
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.runtime.runner import Runner, RuntimeName, choose_runtime
from tests.device.tflite_examples import dense_model, encode

MODEL = encode(dense_model())
BOTH: tuple[RuntimeName, ...] = ("ai-edge-litert", "tflite-runtime")


def run(**changes: Any) -> Any:
    options: dict[str, Any] = {
        "subject": "x",
        "tensors": [np.zeros((1, 4), np.int8)],
        "runtimes": BOTH,
        "threads": (1, 2),
        "board_threads": 1,
        "seconds": 1e-3,
    }
    return compare(MODEL, **(options | changes))


def test_every_thread_count_has_its_times() -> None:
    # One runtime: TensorFlow, which other tests import, keeps tflite-runtime out of this process.
    found = run(runtimes=(choose_runtime(),))
    pairs = [(item.runtime, item.threads) for item in found.candidates]
    assert pairs == [(choose_runtime(), 1), (choose_runtime(), 2)]
    for item in found.candidates:
        assert item.reason is None
        assert 0 < item.p50_ms <= item.p95_ms
        assert item.version
    assert found.fastest() in found.candidates


def test_they_take_turns_back_and_forth(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    run(runtimes=BOTH[:1], rounds=4, progress=told.append)
    order = [line.split("threads: ")[1][0] for line in told]
    assert order == ["1", "2", "2", "1", "1", "2", "2", "1"]


def test_a_runtime_that_refuses_the_model_has_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def choosy(model: bytes, options: OpenOptions, *, subject: str) -> Runner:
        if options.runtime == "tflite-runtime":
            raise ModelError("x", got="tflite-runtime 2.14.0 cannot load it (too new)")
        return open_on_cpu(model, options, subject=subject)

    monkeypatch.setattr(compare_module, "open_on_cpu", choosy)
    found = run()
    reasons = {item.runtime: item.reason for item in found.candidates}
    assert reasons == {
        "ai-edge-litert": None,
        "tflite-runtime": "tflite-runtime 2.14.0 cannot load it (too new)",
    }
    assert found.fastest("tflite-runtime") is None


def test_a_runtime_that_fails_on_the_way_has_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(Runner):
        def invoke(self, tensors: Any) -> Any:
            raise ModelError("inference", got="it failed")

    def open_failing(model: bytes, options: OpenOptions, *, subject: str) -> Runner:
        return Failing(
            model, subject=subject, threads=options.thread_count, runtime=options.runtime
        )

    monkeypatch.setattr(compare_module, "open_on_cpu", open_failing)
    # One runtime: TensorFlow, which other tests import, keeps tflite-runtime out of this process.
    found = run(runtimes=(choose_runtime(),))
    assert {item.reason for item in found.candidates} == {"it failed"}


def test_made_up_inputs_fit_the_model() -> None:
    (tensor,) = made_up_inputs(Runner(MODEL, subject="x").inputs)
    assert tensor.shape == (1, 4)
    assert tensor.dtype == np.int8

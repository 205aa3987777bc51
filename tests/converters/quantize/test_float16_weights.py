"""Float16 weights become float32 weights: the same answers, and a model that can be quantized."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeinfer.converters.quantize.float16_weights import with_float32_weights
from edgeinfer.converters.quantize.litert import cast_float16
from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.runtime.runner import Runner
from edgeinfer.device.tflite.reader import read_tflite
from tests.converters.float_models import SIDE, STURDY, Output, classifier, network

pytest.importorskip("ai_edge_quantizer", reason="float16 needs the host extra")


def answers(content: bytes) -> list[NDArray[np.float32]]:
    runner = Runner(content, subject="it")
    values = np.random.default_rng(0).normal(size=(1, SIDE, SIDE, 3)).astype(np.float32)
    return [np.array(output, np.float32) for output in runner.invoke([values])]


def test_the_answers_stay_and_the_operators_in_front_go() -> None:
    wide = np.random.default_rng(1).normal(size=(40, 3 * SIDE * SIDE)).astype(np.float32)
    deep = np.random.default_rng(2).normal(size=(8, 40)).astype(np.float32)
    half = cast_float16(
        network(Output(weights=deep), Output(weights=deep[:3]), hidden=[wide]), subject="it"
    )
    graph = read_tflite(half, subject="it").subgraphs[0]
    assert "DEQUANTIZE" in {op.op for op in graph.operators}
    full = with_float32_weights(half, subject="it")
    widened = read_tflite(full, subject="it").subgraphs[0]
    assert "DEQUANTIZE" not in {op.op for op in widened.operators}
    assert len(full) < 2.3 * len(half), "what nothing reads any more is dropped"
    for ours, theirs in zip(answers(full), answers(half), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_a_model_without_them_stays_as_it_is() -> None:
    content = classifier(*STURDY)
    assert with_float32_weights(content, subject="it") is content
    with pytest.raises(ModelError, match="it: is not a TensorFlow Lite model"):
        with_float32_weights(b"junk", subject="it")

"""PoseNets that end in Coral's decoder run without it; other models stay as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.tflite.edits.cut import POSE_DECODER, cut_model, without_pose_decoder
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

POSENET = "coral/posenet_mobilenet_v1_075_353_481_16_quant_decoder{}.tflite"


def with_decoder(name: str = POSE_DECODER) -> TableNode:
    """A dense layer whose answer goes into a custom operator."""
    model = dense_model(extra_codes=[operator_code("CUSTOM", custom=name)])
    graph(model)[0].append(tensor("poses", [1], "float32"))
    graph(model)[3].append(operator([3], [4], code=1))
    graph(model)[2] = Numbers("i", [4])
    return model


def test_the_decoder_is_cut_off_and_forgotten() -> None:
    data = encode(with_decoder())
    cut = read_tflite(without_pose_decoder(data, subject="x"), subject="x")
    assert [step.op for step in cut.subgraphs[0].operators] == ["FULLY_CONNECTED"]
    assert [tensor.name for tensor in cut.outputs] == ["scores"]
    assert cut.custom_ops == (), "a runtime would look it up"
    assert read_tflite(data, subject="x").custom_ops == (POSE_DECODER,), "the file is not changed"


@pytest.mark.parametrize(
    "data",
    [
        encode(dense_model()),
        encode(with_decoder("another-op")),
        encode(dense_model(extra_codes=[operator_code("CUSTOM", custom=POSE_DECODER)])),
        b"",
        b"TFL3 no model",
    ],
)
def test_other_models_stay_as_they_are(data: bytes) -> None:
    assert without_pose_decoder(data, subject="x") is data


@pytest.mark.parametrize("kind", ["", "_edgetpu"])
def test_corals_posenets_end_in_three_maps(shared_data: Path, kind: str) -> None:
    data = (shared_data / POSENET.format(kind)).read_bytes()
    cut = read_tflite(without_pose_decoder(data, subject="x"), subject="x")
    assert [tensor.shape for tensor in cut.outputs] == [
        (1, 23, 31, 17),
        (1, 23, 31, 34),
        (1, 23, 31, 64),
    ]
    assert cut.custom_ops == (("edgetpu-custom-op",) if kind else ())


def test_a_graph_without_outputs_is_not_cut() -> None:
    model = dense_model()
    del graph(model)[2]
    with pytest.raises(ModelError, match="names no outputs, expected outputs"):
        cut_model(encode(model), 1, (3,), subject="x")


@given(data=st.binary(max_size=300), position=st.integers(0, 3000))
def test_damaged_models_raise_only_model_errors(data: bytes, position: int) -> None:
    whole = bytearray(encode(with_decoder()))
    start = position % len(whole)
    whole[start : start + len(data)] = data
    try:
        cut = without_pose_decoder(bytes(whole), subject="x")
    except ModelError:
        return
    assert isinstance(cut, bytes)

"""TFLite Metadata: what it says is read, and nothing in it is trusted."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.tflite.metadata.tflite_metadata import (
    BoxMetadata,
    ModelMetadata,
    read_metadata,
)
from edgeinfer.device.tflite.reader import read_tflite
from tests.device.metadata_examples import (
    IDENTIFIER,
    boxes,
    label_file,
    model_metadata,
    normalization,
    tensor_metadata,
    threshold,
    with_metadata,
)
from tests.device.tflite_examples import Number, TableNode, dense_model, encode


def example() -> TableNode:
    image = tensor_metadata(
        "image",
        content={0: Number("B", 2), 1: {}},
        units=[normalization([127.0, 127.0, 127.0], [128.0])],
    )
    files = [
        label_file("namen.txt", 3, "de"),
        label_file("names.txt", 3, "en-GB"),
        label_file("readme.txt", 1),
        label_file("labels.txt", 3),
    ]
    return model_metadata(
        [image],
        [
            tensor_metadata("location", content=boxes([1, 0, 3, 2])),
            tensor_metadata("category", files=files),
            tensor_metadata("score", units=[threshold(0.25)]),
        ],
    )


def read(metadata: TableNode | bytes) -> ModelMetadata | None:
    model = read_tflite(with_metadata(dense_model(), metadata), subject="x")
    return read_metadata(model, subject="x")


def test_everything_that_is_said_is_read() -> None:
    found = read(example())
    assert found is not None
    assert (found.name, found.description, found.version) == ("an example", "what it does", "v1")
    assert (found.author, found.license) == ("its author", "its licence")
    (image,) = found.inputs
    assert (image.name, image.description, image.is_image) == ("image", "the image", True)
    assert (image.mean, image.std) == ((127.0, 127.0, 127.0), (128.0,))
    location, category, score = found.outputs
    assert location.box == BoxMetadata(form="corners", order=(1, 0, 3, 2), unit="ratio")
    assert category.label_files == ("labels.txt", "names.txt", "namen.txt")
    assert score.min_score == 0.25
    assert (category.box, category.min_score, category.mean) == (None, None, ())


def test_models_without_metadata_or_of_a_kind_to_come() -> None:
    assert read_metadata(read_tflite(encode(dense_model()), subject="x"), subject="x") is None
    assert read(encode(example(), b"M002")) is None
    assert read(b"") is None
    assert read(encode({}, IDENTIFIER)) == ModelMetadata(
        name="", description="", version="", author="", license="", inputs=(), outputs=()
    )


def test_boxes_of_other_forms() -> None:
    outputs = [
        tensor_metadata("a", content=boxes([], 2, 1)),
        tensor_metadata("b", content=boxes([0, 2, 1, 3], 3)),
        tensor_metadata("c", content=boxes([], 0)),
    ]
    found = read(model_metadata([], outputs))
    assert found is not None
    assert [tensor.box for tensor in found.outputs] == [
        BoxMetadata(form="corner-size", order=(0, 1, 2, 3), unit="pixel"),
        BoxMetadata(form="center-size", order=(0, 2, 1, 3), unit="ratio"),
        BoxMetadata(form="corners", order=(0, 1, 2, 3), unit="ratio"),
    ]


@pytest.mark.parametrize(
    "output",
    [
        tensor_metadata("x", units=[normalization([0.0], [0.0])]),
        tensor_metadata("x", units=[normalization([float("nan")], [1.0])]),
        tensor_metadata("x", units=[normalization([1e30], [1.0])]),
        tensor_metadata("x", units=[normalization([0.0] * 5, [1.0])]),
        tensor_metadata("x", units=[threshold(1.5)]),
        tensor_metadata("x", units=[threshold(float("nan"))]),
        tensor_metadata("x", content=boxes([0, 0, 1, 2])),
        tensor_metadata("x", content=boxes([0, 1, 2, 2**31])),
        tensor_metadata("x", content=boxes([], 9)),
        tensor_metadata("x", content=boxes([], 1, 2)),
    ],
)
def test_what_cannot_be_is_refused(output: TableNode) -> None:
    with pytest.raises(ModelError, match=r"x: its TFLite Metadata is damaged: .*; fetch or"):
        read(model_metadata([], [output]))


@given(
    changes=st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), min_size=1, max_size=4)
)
def test_damaged_metadata_raises_only_model_errors(changes: list[tuple[int, int]]) -> None:
    data = bytearray(encode(example(), IDENTIFIER))
    for place, value in changes:
        data[place % len(data)] = value
    try:
        found = read(bytes(data))
    except ModelError:
        return
    for tensor in () if found is None else (*found.inputs, *found.outputs):
        assert all(deviation > 0 for deviation in tensor.std)
        assert tensor.min_score is None or 0 <= tensor.min_score <= 1


@given(st.binary(max_size=400))
def test_any_bytes_raise_only_model_errors(data: bytes) -> None:
    try:
        read(b"\x08\0\0\0" + IDENTIFIER + data)
    except ModelError:
        return


def test_metadata_of_a_real_model(shared_data: Path) -> None:
    data = (shared_data / "coral" / "mobilenet_v1_0.5_160_quant.tflite").read_bytes()
    found = read_metadata(read_tflite(data, subject="x"), subject="x")
    assert found is not None
    assert found.name == "ImageClassifier"
    assert (found.inputs[0].mean, found.inputs[0].std) == ((127.5,), (127.5,))
    assert found.outputs[0].label_files == ("imagenet_labels.txt",)

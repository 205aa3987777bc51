"""Formats that are protobuf files, told by their outermost fields."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.model_file.protobuf import kind_of_protobuf
from tests.device.core.model_file import foreign_examples as foreign
from tests.device.core.model_file.foreign_examples import number, text


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (foreign.ONNX, "onnx"),
        (foreign.ONNX[:40], "onnx"),  # truncated within the graph
        (number(5, 1) + foreign.ONNX, "onnx"),
        (foreign.CORE_ML, "coreml"),
        (foreign.FROZEN_GRAPH, "frozen-graph"),
        (foreign.NODE, "frozen-graph"),
        (foreign.SAVED_MODEL, "saved-model-file"),
        (b"", "unknown"),
        (number(1, 8) + text(2, b"pytorch"), "unknown"),  # no graph
        (number(1, 0) + text(7, b""), "unknown"),  # no version
        (number(1, 8) + text(7, b"") + text(9, b""), "unknown"),  # a field that ONNX does not have
        (number(1, 4) + text(500, b"") + text(7, b""), "unknown"),
        (number(1, 3) + number(2, 1) + text(9, bytes(12)), "unknown"),  # ONNX's tensors
        (text(1, text(1, b"name") + text(3, b"x")), "unknown"),  # no operator
        (foreign.NODE + number(9, 1), "unknown"),
        (text(1, text(1, b"name") + text(2, b"lower")), "unknown"),
        (b"\x08\xff" * 40, "unknown"),
        (b"\x0b\x0c", "unknown"),  # groups
    ],
)
def test_the_kind(content: bytes, kind: str) -> None:
    assert kind_of_protobuf(io.BytesIO(content)) == kind


class Counting(io.BytesIO):
    """A stream that counts the bytes that are read."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.count += len(data)
        return data


@given(st.one_of(st.binary(max_size=3000), st.binary(max_size=20).map(lambda x: x * 3000)))
def test_any_bytes_give_a_kind_and_few_are_read(content: bytes) -> None:
    stream = Counting(content)
    assert kind_of_protobuf(stream)
    assert stream.count <= 100 * 20 + 1024  # two numbers a field, and one node

"""The numbers of a FlexBuffer's map, held against FlatBuffers' own writer."""

from __future__ import annotations

import contextlib

import pytest
from flatbuffers import flexbuffers
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.tflite.flatbuffer import FlatbufferError
from edgeinfer.device.tflite.metadata.flexbuffer import read_numbers

KEYS = st.text("abcdefghij_", min_size=1, max_size=12)
NUMBERS = st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(-1e30, 1e30))


@given(st.dictionaries(KEYS, NUMBERS, max_size=20))
def test_what_is_written_is_read(values: dict[str, int | float | bool]) -> None:
    read = read_numbers(flexbuffers.Dumps(values))
    assert read == values
    assert {key: type(value) for key, value in read.items()} == {
        key: type(value) for key, value in values.items()
    }


def test_other_values_are_left_out() -> None:
    data = flexbuffers.Dumps({"a": 1, "text": "x" * 300, "list": [1, 2], "map": {"b": 2}})
    assert read_numbers(data) == {"a": 1}


OPTIONS = bytes(flexbuffers.Dumps({"num_classes": 90, "use_regular_nms": True, "y_scale": 10.0}))


@given(st.integers(0, len(OPTIONS) - 1), st.integers(0, 255), st.integers(0, len(OPTIONS)))
def test_damage_is_refused_or_harmless(place: int, byte: int, length: int) -> None:
    damaged = bytearray(OPTIONS)
    damaged[place] = byte
    for data in (bytes(damaged), OPTIONS[:length]):
        with contextlib.suppress(FlatbufferError):
            read_numbers(data)


@given(st.binary(max_size=64))
def test_any_bytes_are_refused_or_harmless(data: bytes) -> None:
    with contextlib.suppress(FlatbufferError):
        read_numbers(data)


@pytest.mark.parametrize("data", [b"", b"\x01", flexbuffers.Dumps([1, 2]), flexbuffers.Dumps(5)])
def test_what_is_not_a_map_is_refused(data: bytes) -> None:
    with pytest.raises(FlatbufferError, match=r"FlexBuffer"):
        read_numbers(data)

"""The FlatBuffer reader: right on good buffers, one internal error on any other bytes."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edgeinfer.device.tflite import flatbuffer
from edgeinfer.device.tflite.flatbuffer import FlatBuffer, FlatbufferError, Table
from tests.device.tflite_examples import Number, Numbers, TableNode, encode

GOOD: TableNode = {
    0: Number("b", -5),
    1: Number("Q", 2**40),
    3: "größe",
    4: Numbers("q", [-1, 2**40]),
    5: Numbers("f", [0.5, math.inf]),
    6: b"\x01\x02",
    7: {0: Number("H", 7)},
    8: [{0: Number("i", 1)}, {0: Number("i", -1)}],
    9: Number("B", 3),
    10: {2: Number("I", 9)},
}


def read_all(table: Table) -> None:
    """Read every field in every way; the table's author never meant most of them."""
    for field in range(12):
        for read in (
            lambda at: table.integer(at, "q"),
            lambda at: table.integer(at, "B"),
            table.string,
            table.integers,
            lambda at: table.integers(at, "q"),
            table.floats,
            table.raw,
            table.table,
            table.tables,
            lambda at: table.union(0, at),
        ):
            try:
                read(field)
            except FlatbufferError:
                continue


def test_every_construct() -> None:
    buffer = FlatBuffer(encode(GOOD, b"TEST"))
    root = buffer.root()
    assert buffer.identifier() == b"TEST"
    assert root.integer(0, "b") == -5
    assert root.integer(1, "Q") == 2**40
    assert root.integer(2, "i", default=42) == 42
    assert root.string(3) == "größe"
    assert root.integers(4, "q") == (-1, 2**40)
    assert root.floats(5) == (0.5, math.inf)
    assert bytes(root.raw(6)) == b"\x01\x02"
    nested = root.table(7)
    assert nested is not None
    assert nested.integer(0, "H") == 7
    assert [item.integer(0, "i") for item in root.tables(8)] == [1, -1]
    places = [buffer.follow(place) for place in root.table_places(8)]
    assert [Table(buffer, place).integer(0, "i") for place in places] == [1, -1]
    assert (root.has(0), root.has(2), root.has(99)) == (True, False, False)
    assert root.table_places(2) == []
    assert bytes(root.raw_at(4, 4)) == b"TEST"
    with pytest.raises(FlatbufferError, match="lie outside the file's"):
        root.raw_at(5, 2**64)
    kind, union = root.union(9, 10)
    assert union is not None
    assert (kind, union.integer(2, "I")) == (3, 9)


def test_absent_fields_are_empty() -> None:
    root = FlatBuffer(encode({})).root()
    assert root.integer(0, "i") == 0
    assert (root.string(0), root.integers(1), root.floats(2)) == ("", (), ())
    assert (root.tables(3), root.table(4), bytes(root.raw(5))) == ([], None, b"")
    assert root.union(0, 1) == (0, None)


def test_where_an_offset_lies_and_points() -> None:
    data = encode({0: "abc", 2: Numbers("i", [1, 2])})
    root = FlatBuffer(data).root()
    found = root.offset_place(2)
    assert found is not None
    place, target = found
    assert place + struct.unpack_from("<I", data, place)[0] == target
    assert struct.unpack_from("<Iii", data, target) == (2, 1, 2)
    assert root.offset_place(1) is None
    assert root.offset_place(9) is None


def test_text_that_is_not_utf8_is_escaped() -> None:
    data = encode({0: "abc"}).replace(b"abc", b"a\xff\xfe")
    assert FlatBuffer(data).root().string(0) == r"a\xff\xfe"


def test_text_without_its_zero_is_refused() -> None:
    data = encode({0: "abc"}).replace(b"abc\0", b"abcd")
    with pytest.raises(FlatbufferError, match="does not end in a zero"):
        FlatBuffer(data).root().string(0)


@pytest.mark.parametrize("length", [2**31, 2**32 - 1, 1000])
def test_a_vector_longer_than_the_file_is_refused_before_it_is_walked(length: int) -> None:
    data = bytearray(encode({0: Numbers("i", [1, 2, 3])}))
    at = data.index(struct.pack("<Iiii", 3, 1, 2, 3))
    struct.pack_into("<I", data, at, length)
    root = FlatBuffer(bytes(data)).root()
    for read in (root.integers, root.floats, root.tables, root.raw, root.string):
        with pytest.raises(FlatbufferError):
            read(0)


def test_a_number_that_is_not_aligned_is_refused() -> None:
    buffer = FlatBuffer(bytes(16))
    with pytest.raises(FlatbufferError, match="byte 3 is not aligned to 4"):
        buffer.integer(3, "I")


def test_more_tables_than_any_model_has_are_refused() -> None:
    root = FlatBuffer(encode({0: [{}] * (flatbuffer.MAX_TABLES + 10)})).root()
    with pytest.raises(FlatbufferError, match="more than 200000 tables"):
        root.tables(0)


def test_a_wide_layout_that_many_tables_share_is_refused_in_time() -> None:
    count, fields = 100_000, 32_000
    shared = 28 + 4 * count
    data = struct.pack("<I4sHHHHiII", 16, b"TEST", 6, 8, 4, 0, 8, 4, count)
    data += b"".join(struct.pack("<I", shared - place) for place in range(28, shared, 4))
    data += struct.pack("<iHH", -4, 4 + 2 * fields, 4) + bytes(2 * fields)
    with pytest.raises(FlatbufferError, match="take more than"):
        FlatBuffer(data).root().tables(0)


def test_a_long_list_read_again_and_again_is_refused_in_time() -> None:
    root = FlatBuffer(encode({0: Numbers("i", [0] * 2**20)})).root()
    for _ in range(8):
        root.integers(0)
    with pytest.raises(FlatbufferError, match="take more than"):
        root.integers(0)


@given(data=st.binary(max_size=200))
def test_random_bytes_raise_only_the_internal_error(data: bytes) -> None:
    try:
        root = FlatBuffer(data).root()
    except FlatbufferError:
        return
    read_all(root)


@given(
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=6),
    size=st.integers(0, 10_000),
)
@example(changes=[], size=10_000)
def test_damaged_buffers_raise_only_the_internal_error(
    changes: list[tuple[int, int]], size: int
) -> None:
    data = bytearray(encode(GOOD))
    for position, value in changes:
        data[position % len(data)] = value
    try:
        root = FlatBuffer(bytes(data[:size])).root()
    except FlatbufferError:
        return
    read_all(root)

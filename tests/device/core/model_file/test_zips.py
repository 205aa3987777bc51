"""A ZIP's members by its directory alone."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.model_file import zip_members
from edgeinfer.device.core.model_file.zips import kind_of_members, read_names
from tests.device.core.model_file.foreign_examples import packed

NAMES = ("labels.txt", "model.savedmodel/saved_model.pb", "ordinée.h5")


def test_the_names_of_a_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("zip") / "a.zip"
    path.write_bytes(packed(*NAMES))
    assert zip_members(path) == NAMES


@pytest.mark.parametrize(
    "content",
    [
        packed(*NAMES),
        b"something before" + packed(*NAMES),
        packed(*NAMES)[:-2] + b"\x07\0comment",
    ],
    ids=["plain", "behind something", "with a comment"],
)
def test_the_names_where_readers_find_them(content: bytes) -> None:
    assert read_names(io.BytesIO(content)) == NAMES


def test_the_names_of_a_zip64_file() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in NAMES:
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(b"x")
    assert read_names(stream) == NAMES


@pytest.mark.parametrize("size_bytes", [0, 10**6, 2**32 - 1])
def test_an_end_that_lies_about_the_directory(size_bytes: int) -> None:
    content = bytearray(packed(*NAMES))
    content[-10:-6] = size_bytes.to_bytes(4, "little")
    assert read_names(io.BytesIO(bytes(content))) == ()


def test_a_directory_that_is_too_large_is_not_read() -> None:
    # 65,000 members of 100 characters: 9 MB
    assert kind_of_members(read_names(io.BytesIO(packed("a.tflite")))) == ("zip", "a.tflite")
    entry = packed("x" * 60_000)
    directory = entry[entry.index(b"PK\x01\x02") : entry.index(b"PK\x05\x06")]
    end = bytearray(entry[-22:])
    end[12:16] = (len(directory) * 100).to_bytes(4, "little")
    end[16:20] = bytes(4)
    assert read_names(io.BytesIO(directory * 100 + bytes(end))) == ()


@given(st.binary(max_size=300), st.binary(max_size=60))
def test_any_bytes_give_names(before: bytes, behind: bytes) -> None:
    for content in (before, packed("a.h5")[:70] + before, before + b"PK\x05\x06" + behind):
        assert all(isinstance(name, str) for name in read_names(io.BytesIO(content)))


@given(st.lists(st.text(max_size=20), max_size=6))
def test_any_names_give_a_kind(names: list[str]) -> None:
    kind, inside = kind_of_members(tuple(names))
    assert kind == "zip" or not inside

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeinfer.device.core.errors import DataError
from edgeinfer.host.data.importing.formats.texts import DECIMAL_COMMA, number, read_text
from edgeinfer.host.data.importing.found import Record
from tests.host.data.importing.conftest import reasons


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_any_usual_text(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("Käse\r\nBrot\r".encode(encoding))
    assert read_text(path) == "Käse\nBrot\n"


@pytest.mark.parametrize("data", [b"a\0b", b"\xff\xff", b"\xe4"])
def test_what_is_not_text(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(data)
    with pytest.raises(DataError, match="text"):
        read_text(tmp_path / "a.txt")


def test_a_text_that_is_too_large(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"a" * 2000)
    with pytest.raises(DataError, match="expected at most"):
        read_text(tmp_path / "a.txt", max_bytes=1000)


def test_a_decimal_comma_is_recorded(record: Record) -> None:
    assert number(" 12,5 ", record, "a.txt") == 12.5
    assert reasons(record) == {DECIMAL_COMMA: 1}


@pytest.mark.parametrize(
    "text", ["", "a", "nan", "inf", "1,2,3", "1 2", "1e999", "٣", "0x1", "9" * 50]
)
def test_what_is_not_a_number(text: str, record: Record) -> None:
    with pytest.raises(ValueError, match="is not"):
        number(text, record, "")


@settings(max_examples=50)
@given(st.floats(-1e9, 1e9))
def test_numbers_as_programs_write_them(value: float) -> None:
    assert number(repr(value), Record(), "") == value
    assert number(repr(value).replace(".", ","), Record(), "") == value

"""Text in CSV: no formula, the same text back, numbers as they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.text.csv_cells import csv_cell, csv_text, guard_table
from tests.support.checkout import ROOT

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("before", ["", " ", "'", "''", "\xa0"])
def test_what_begins_like_a_formula_begins_with_an_apostrophe(start: str, before: str) -> None:
    text = f"{before}{start}HYPERLINK(1)"
    assert csv_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    "value", ["cat", "", "'", "'n'", "a=1", "-1", "+1.5", "-1e-3", "-.5", "'-1", 3, -2.5, None]
)
def test_other_values_stay(value: object) -> None:
    assert csv_cell(value) is value


@pytest.mark.parametrize("text", ["-1+cmd|' /C calc'!A0", "+1 2", "-", "--1", "-1-1", "-\u0661"])
def test_what_only_begins_like_a_number_is_none(text: str) -> None:
    assert csv_cell(text) == f"'{text}"


@given(st.text(alphabet="'=+-@ \t1.ea", max_size=8) | st.text(max_size=20))
def test_the_same_text_comes_back(text: str) -> None:
    assert csv_text(str(csv_cell(text))) == text


def test_table_of_another_program() -> None:
    table = 'name,cycles\n=cmd(),-3\n"=1",+2\nconv, =x\n'
    assert guard_table(table) == "name,cycles\n'=cmd(),-3\n'\"=1\",+2\nconv,' =x\n"


def test_every_table_is_written_of_such_cells() -> None:
    packages = ("device", "converters", "host", "boards")
    sources = [path for name in packages for path in (ROOT / name).rglob("*.py")]
    writers = [path for path in sources if "csv.writer(" in path.read_text()]
    writers += [path for path in sources if "csv.DictWriter(" in path.read_text()]
    numbers_only = {"history.py"}
    assert len(writers) > 4
    assert {path.name for path in writers if "csv_cell(" not in path.read_text()} == numbers_only

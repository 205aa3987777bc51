"""Numbers as people write them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.errors import DataError
from edgeinfer.host.data.labels.measured.column_values import Column, read_column
from edgeinfer.host.data.labels.measured.numbers import reader_for, split_unit
from edgeinfer.host.data.labels.measured.units import converted


def column(*cells: str, unit: str = "", wanted: str | None = None, comma: bool = False) -> Column:
    places = [f"t.csv, line {number}" for number in range(2, len(cells) + 2)]
    return read_column(cells, places, name="p", unit=unit, wanted=wanted, comma_country=comma)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3.42", 3.42),
        ("3,42", 3.42),
        ("-0,5", -0.5),
        ("\u22123,5", -3.5),
        (".5", 0.5),
        ("0,123", 0.123),
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        ("1 234,5", 1234.5),
        ("1\u202f234\u202f567", 1234567.0),
        ("1'234.50", 1234.5),
        ("1,234,567", 1234567.0),
        ("1,5e3", 1500.0),
        ("12", 12.0),
    ],
)
def test_clear_numbers_are_read(text: str, number: float) -> None:
    written = split_unit(text)
    assert written is not None
    assert reader_for([written.text])(written.text) == pytest.approx(number)


def test_a_column_says_what_an_unclear_number_is() -> None:
    assert column("1,234", "5,6").values == (1.234, 5.6)
    assert column("1,234", "5.6").values == (1234.0, 5.6)
    assert column("1.234", "5,6").values == (1234.0, 5.6)
    assert column("1.234", "2.345").values == (1.234, 2.345)
    assert column("1,234", "2,345", comma=True).values == (1.234, 2.345)
    with pytest.raises(DataError, match=r"line 2.* 1,234, which may be 1\.234 or 1234"):
        column("1,234", "2,345")


@pytest.mark.parametrize(
    "cell",
    ["about 3", "3 4", "1.2.3", "1,2,3", "12,34,567", "--3", "0x10", "3e999", "3..4", "1,2.3.4"],
)
def test_what_is_not_a_number_is_an_error_with_its_line(cell: str) -> None:
    with pytest.raises(DataError, match=r"t\.csv, line 3"):
        column("1.5", cell)


@pytest.mark.parametrize("cell", ["", " ", "n/a", "NaN", "null", "-", "?"])
def test_an_empty_cell_has_none(cell: str) -> None:
    assert column("1.5", cell).values == (1.5, None)


@given(st.floats(-1e9, 1e9), st.booleans(), st.sampled_from(["", "bar", "°C", "%", "m/s", "m³"]))
def test_every_number_comes_back(number: float, comma: bool, unit: str) -> None:
    text = repr(number).replace(".", ",") if comma else repr(number)
    found = column(f"{text} {unit}", f"2{',' if comma else '.'}5 {unit}")
    assert found.values[0] == number
    assert found.unit == unit


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_a_clear_error(text: str) -> None:
    try:
        values = column(text).values
    except DataError:
        return
    assert values[0] is None or math.isfinite(values[0])


def test_units_are_converted_where_that_is_safe_and_it_is_said() -> None:
    found = column("2 bar", "250 kPa", "3 bar")
    assert (found.values, found.unit) == ((2.0, 2.5, 3.0), "bar")
    assert found.notes == (
        "1 of 3 values of 'p' are in kPa and were converted to bar (1 kPa = 0.01 bar)",
    )
    assert column("20", "68 °F", unit="°C").values == (20.0, 20.0)
    assert column("2 bar", "3 bar", wanted="kPa").values == (200.0, 300.0)
    assert column("2", "3", wanted="kPa").values == (2.0, 3.0)


@pytest.mark.parametrize(
    ("cells", "both"),
    [
        (("2 bar", "3 m"), r"1 in bar and 1 in m"),
        (("2 bar", "3"), r"1 in bar and 1 without a unit"),
    ],
)
def test_mixed_units_are_named(cells: tuple[str, ...], both: str) -> None:
    with pytest.raises(DataError, match=both):
        column(*cells)


@given(
    st.floats(-1e6, 1e6), st.sampled_from([("bar", "kPa"), ("°C", "°F"), ("mm", "m"), ("K", "°C")])
)
def test_a_conversion_has_a_way_back(number: float, units: tuple[str, str]) -> None:
    there = converted(number, *units)
    assert there is not None
    back = converted(there, units[1], units[0])
    assert back == pytest.approx(number, abs=1e-6, rel=1e-9)

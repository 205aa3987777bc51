"""Intervals, and values on a circle."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.spec import ValueSpec
from edgeinfer.device.tasks.task import Said
from edgeinfer.device.tasks.value.prediction import Value, Values
from edgeinfer.device.tasks.value.reading import Reading, turned
from edgeinfer.device.tasks.value.task import TASK

BAR = Value(value=3.4183, unit="bar", half_width=0.112)
ANGLE = Value(value=358.0, unit="deg", half_width=4.0, period=360.0)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (BAR, "3.42 bar (3.31 to 3.53)"),
        (ANGLE, "358.0 deg (354.0 to 2.0)"),
        (Value(value=-0.001, unit="", half_width=12.0), "0 (-12 to 12)"),
        (Value(value=3.4183, unit="bar", half_width=0.0), "3.4183 bar (3.4183 to 3.4183)"),
        (Value(value=90.0, unit="°", half_width=200.0, period=360.0), "90 ° (0 to 360)"),
        (Value(value=3.4183, unit="bar"), "3.4183 bar"),
        (Value(value=math.nan, unit="bar", half_width=1.0), "nan bar"),
    ],
)
def test_the_interval_decides_how_many_digits_are_shown(value: Value, text: str) -> None:
    assert value.text() == text


def test_the_ends_are_for_scripts_and_tables_too() -> None:
    assert BAR.to_json() == {
        "value": 3.4183,
        "unit": "bar",
        "low": pytest.approx(3.3063),
        "high": pytest.approx(3.5303),
    }
    assert (ANGLE.cells()["low"], ANGLE.cells()["high"]) == (354.0, 2.0)
    several = Values(
        names=("angle", "flow"),
        values=np.array([358.0, 2.0]),
        units=("deg", "l"),
        half_widths=(4.0, None),
        periods=(360.0, None),
        starts=(0.0, 0.0),
    )
    assert several.text() == "angle 358.0 deg (354.0 to 2.0), flow 2 l"
    assert several.cells()["low"] == "angle=354"
    listed = several.to_json()["values"]
    assert isinstance(listed, list)
    assert [sorted(one) for one in listed] == [
        ["high", "low", "name", "unit", "value"],
        ["name", "unit", "value"],
    ]


def test_angles_are_smoothed_along_the_circle() -> None:
    before = [Value(value=value, unit="deg", period=360.0) for value in (355.0, 3.0, 180.0)]
    now = Value(value=1.0, unit="deg", period=360.0)
    assert now.smoothed(before[:2]).value == pytest.approx(1.0)
    # A single wrong reading on the other side moves it little.
    assert min(now.smoothed(before).value, 360 - now.smoothed(before).value) <= 3.0
    assert not now.goes_on(Value(value=1.0, unit="deg"))


@given(
    values=st.lists(st.floats(-40, 40), min_size=1, max_size=9),
    turn=st.floats(-1000, 1000),
    start=st.sampled_from([0.0, -180.0]),
)
def test_where_a_turn_begins_does_not_change_the_median(
    values: list[float], turn: float, start: float
) -> None:
    *before, last = [turned(value + turn, start, 360.0) for value in values]
    reading = Reading(value=last, unit="", period=360.0, start=start)
    found = reading.smoothed(before).value
    assert start <= found < start + 360
    away = (found - turn - float(np.median(values)) + 180) % 360 - 180
    assert abs(away) < 1e-6


@given(st.floats(-1e6, 1e6), st.floats(0.5, 1e4), st.floats(-1e3, 1e3))
def test_every_value_has_a_place_in_a_turn(value: float, period: float, start: float) -> None:
    found = turned(value, start, period)
    assert start <= found < start + period


SPEC = ValueSpec(
    unit="",
    units=("bar", "deg"),
    scales=(5.0, 1.0),
    offsets=(5.0, -180.0),
    periods=(0.0, 360.0),
    half_widths=(0.1, 3.0),
    coverage=0.9,
)
SAID = Said(labels=("pressure", "angle"), value=SPEC)


@given(st.floats(-180, 179.99), st.floats(0.1, 50))
def test_a_value_on_a_circle_comes_from_a_sine_and_a_cosine(angle: float, length: float) -> None:
    turns = (angle + 180) / 360 * 2 * math.pi
    numbers = [0.5, length * math.sin(turns), length * math.cos(turns)]
    output = TensorSpec(name="out", shape=(1, 3), dtype="float32")
    TASK.check(SAID)
    TASK.check_outputs(SAID, [output])
    answer = TASK.make_decode(SAID, [output], PreprocessSpec(size=(8, 8)))(
        [np.array([numbers], np.float32)]
    )
    assert isinstance(answer, Values)
    assert answer["pressure"] == pytest.approx(7.5)
    away = (answer["angle"] - angle + 180) % 360 - 180
    assert abs(away) < 0.01
    assert -180 <= answer["angle"] < 180
    assert (answer.half_widths, answer.starts) == ((0.1, 3.0), (0.0, -180.0))
    with pytest.raises(ValueError, match=r"expected \(1, 3\)"):
        TASK.check_outputs(SAID, [TensorSpec(name="out", shape=(1, 2), dtype="float32")])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"half_widths": (0.1, -1.0)}, "half_widths has -1"),
        ({"coverage": None}, "one of half_widths and coverage"),
        ({"coverage": 1.0}, "coverage is 1"),
        ({"periods": (0.0, -360.0)}, "periods has -360"),
        ({"scales": (1e31, 1.0)}, "scales has 1e"),
    ],
)
def test_impossible_descriptions_are_refused(wrong: dict[str, object], message: str) -> None:
    fields = {"unit": "", "half_widths": (0.1, 3.0), "coverage": 0.9}
    with pytest.raises(ValueError, match=message):
        ValueSpec(**(fields | wrong))  # type: ignore[arg-type]


def test_there_must_be_one_number_for_each_value() -> None:
    with pytest.raises(ValueError, match=r"1 half widths for 2 values"):
        TASK.check(
            Said(labels=("a", "b"), value=ValueSpec(unit="", half_widths=(1.0,), coverage=0.9))
        )


def test_only_what_needs_it_needs_a_newer_installation() -> None:
    assert TASK.schema(Said(value=ValueSpec(unit="bar", scale=2.0))) == 1
    assert TASK.schema(Said(labels=("a", "b"), value=ValueSpec(unit="bar"))) == 3
    assert TASK.schema(SAID) == 4
    assert dict(TASK.rows(SAID))["interval"] == "value ± 0.1, 3, for 90% of pictures"

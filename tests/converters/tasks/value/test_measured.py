"""Errors in units, a score in percent of the range, and the interval."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.converters.measure.accuracy_gate import LabelGate, drop_points
from edgeinfer.converters.tasks.value.conformal import LEAST_PICTURES, half_width, known_within
from edgeinfer.converters.tasks.value.evaluation import ValueEvaluation
from edgeinfer.converters.tasks.value.target import ValueTarget
from edgeinfer.converters.tasks.value.task import TASK
from edgeinfer.device.tasks.spec import ValueSpec
from edgeinfer.device.tasks.task import Said
from edgeinfer.device.tasks.value.prediction import Value, Values

BAR = Said(value=ValueSpec(unit="bar", scales=(5.0,), offsets=(5.0,), ranges=(10.0,)))
ANGLE = Said(
    value=ValueSpec(unit="deg", offsets=(0.0,), periods=(360.0,), ranges=(360.0,), scales=(1.0,))
)


def measured(said: Said, pairs: list[tuple[float, float]]) -> ValueEvaluation:
    outcomes = [
        TASK.outcome(ValueTarget((true,)), Value(value=answer, unit="")) for true, answer in pairs
    ]
    found = TASK.evaluation(outcomes, said)
    assert isinstance(found, ValueEvaluation)
    return found


def test_a_point_of_the_score_is_a_percent_of_the_range() -> None:
    exact = measured(BAR, [(2.0, 2.0), (8.0, 8.0)])
    off = measured(BAR, [(2.0, 2.1), (8.0, 7.7)])
    assert exact.score == 1.0
    assert drop_points(exact, off) == pytest.approx(2.0)
    figures = off.figures()
    assert figures["mae"] == pytest.approx(0.2)
    assert figures["percent"] == pytest.approx(2.0)
    assert figures["rmse"] == pytest.approx(np.sqrt((0.01 + 0.09) / 2))
    assert figures["worst"] == pytest.approx(0.3)
    assert figures["r2"] == pytest.approx(1 - 0.1 / 18)
    assert off.worst(1) == [1]
    assert off.group_names[0] == "0 to 2.5 bar"
    lines = LabelGate(figure=TASK.figure).lines({"test": {"float32": exact, "int8": off}}, "int8")
    assert "test INT8: mean error 0.2 bar (2.00 % of the range)" in lines[-1]


def test_errors_on_a_circle_go_the_shorter_way() -> None:
    found = measured(ANGLE, [(359.0, 1.0), (10.0, 350.0), (90.0, 270.0)])
    np.testing.assert_allclose(np.abs(found.errors[:, 0]), [2, 20, 180])
    assert found.scores.tolist() == pytest.approx([1 - 2 / 360, 1 - 20 / 360, 0.5])


def test_an_answer_that_is_not_a_number_is_as_wrong_as_the_range_is_long() -> None:
    found = measured(BAR, [(2.0, float("nan")), (3.0, float("inf"))])
    assert found.scores.tolist() == [0.0, 0.0]
    assert found.figures()["mae"] == 10.0


def test_equal_true_values_have_no_r2_and_no_pictures_no_figures() -> None:
    assert "r2" not in measured(BAR, [(2.0, 2.1), (2.0, 2.2)]).figures()
    nothing = measured(BAR, [])
    assert (nothing.samples, nothing.figures(), nothing.lines()) == (0, {}, [])


@given(st.lists(st.floats(0, 100), min_size=1, max_size=400))
def test_the_interval_covers_the_wanted_share_of_a_further_picture(errors: list[float]) -> None:
    width = half_width(np.array(errors))
    if len(errors) < LEAST_PICTURES:
        assert width is None, "nine of ten cannot be known"
        return
    # Of n + 1 equally likely places of a further error, at least this share is inside.
    inside = sum(error <= width for error in errors) if width is not None else 0
    assert inside / (len(errors) + 1) >= 0.9 - 1e-12
    low, high = known_within(len(errors))
    assert 0 <= low < high <= 1


def test_the_interval_is_made_again_from_other_answers_and_covers_them() -> None:
    errors = np.linspace(0, 1, 50)
    first = measured(BAR, [(5.0, 5.0 + error) for error in errors])
    said = TASK.settled(BAR, first)
    assert said.value is not None
    assert list(said.value.half_widths or ()) == pytest.approx([errors[47]])
    assert first.under(said).figures()["covered"] == pytest.approx(48 / 50)
    wider = TASK.settled(said, measured(said, [(5.0, 5.0 + 2 * error) for error in errors]))
    assert wider.value is not None
    assert list(wider.value.half_widths or ()) == pytest.approx([2 * errors[47]])
    few = TASK.settled(said, measured(said, [(5.0, 5.1)] * 8))
    assert few.value is not None
    assert (few.value.half_widths, few.value.coverage) == (None, None)
    assert "9 are needed" in TASK.summary({}, "validation.keras", few, 8)[-1]


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=2))
def test_a_target_survives_as_text(values: list[float]) -> None:
    said = Said(labels=("a", "b"), value=ValueSpec(unit="", units=("m", "s")))
    text = TASK.write_target(ValueTarget(tuple(values)), said)
    assert TASK.target_reader(said)(text).values == tuple(values)


@pytest.mark.parametrize("text", ["", "1;2", "nan", "1,5", "inf"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected 1 finite|could not convert"):
        TASK.target_reader(BAR)(text)


def test_several_values_have_figures_each() -> None:
    said = Said(
        labels=("flow", "angle"),
        value=replace(
            BAR.value or ValueSpec(unit=""),
            units=("l", "deg"),
            scales=(5.0, 1.0),
            offsets=(5.0, 0.0),
            periods=(0.0, 360.0),
            ranges=(10.0, 360.0),
        ),
    )
    answer = Values(names=said.labels, values=np.array([3.0, 10.0]), units=("l", "deg"))
    found = TASK.evaluation([TASK.outcome(ValueTarget((2.0, 350.0)), answer)], said)
    assert found.figures()["mae.flow"] == pytest.approx(1.0)
    assert found.figures()["mae.angle"] == pytest.approx(20.0)
    assert found.score == pytest.approx(1 - (1 / 10 + 20 / 360) / 2)
    assert TASK.truth(ValueTarget((2.0, 350.0)), said) == "flow 2 l, angle 350 deg"
    files = TASK.report({"test.int8": found}, "test.int8")
    assert files["values.test.int8.csv"].startswith(b"flow truth,flow answer,flow error,angle")
    assert files["values.test.int8.png"].startswith(b"\x89PNG")


def test_chance_is_the_median() -> None:
    targets = [ValueTarget((value,)) for value in (0.0, 5.0, 10.0)]
    assert TASK.chance(targets) == pytest.approx(1 - 10 / 3 / 10)
    assert TASK.chance([]) == 0.0


def test_the_interval_is_made_of_pictures_that_chose_nothing() -> None:
    pictures = 100
    errors = np.full(pictures, 0.1)
    errors[TASK.kept_back(pictures)] = 2.0
    settled = TASK.settled(BAR, measured(BAR, [(5.0, 5.0 + error) for error in errors]))
    assert settled.value is not None
    assert settled.value.half_widths == pytest.approx((2.0,))
    assert not list(range(20))[TASK.kept_back(20)]

from __future__ import annotations

from typing import Any

import numpy as np

from edgeinfer.converters.common.page.parts import Figures, Page, Part, Pictures, Section, Table
from edgeinfer.converters.common.page.render import render
from edgeinfer.converters.tasks.value.page import MOST_POINTS, Readings, value_counts, value_parts
from edgeinfer.converters.tasks.value.target import ValueTarget
from edgeinfer.converters.tasks.value.task import TASK
from edgeinfer.device.tasks.spec import ValueSpec
from edgeinfer.device.tasks.task import Said
from edgeinfer.device.tasks.value.prediction import Value
from tests.support.html import read_page


def readings(count: int, **changes: Any) -> Readings:
    truths = np.linspace(0.0, 10.0, count)
    errors = np.where(truths >= 5, 0.5, 0.1) * np.where(np.arange(count) % 2, 1, -1)
    given: dict[str, Any] = {"name": "", "unit": "bar", "truths": truths, "errors": errors}
    return Readings(**{**given, "answers": truths + errors, **changes})


def shown(parts: tuple[Part, ...]) -> str:
    return read_page(render(Page(title="t", sections=(Section(title="s", parts=parts),)))).text


def test_errors_are_in_the_unit_and_over_the_range() -> None:
    one = readings(101, half_width=0.2)
    parts = value_parts([one], ["mean error 0.3 bar"])
    (table,) = [part for part in parts if isinstance(part, Table)]
    (row,) = table.rows
    assert row[:3] == ("value, bar", "101", f"{np.abs(one.errors).mean():.4g}")
    assert row[4] == f"{1 - (one.errors**2).sum() / ((one.truths - 5) ** 2).sum():.4f}"
    # Of 101 pictures 50 are within 0.2.
    assert row[7].startswith("49.50 % (")
    (figures,) = [part for part in parts if isinstance(part, Figures)]
    scatter, over = figures.figures
    assert scatter.svg.count("<circle") == 101
    assert over.table is not None
    assert [cells[2] for cells in over.table.rows] == ["0.1"] * 5 + ["0.5"] * 5
    assert "from 5 to 6" in over.description
    assert "mean error 0.3 bar" in shown(parts)


def test_the_largest_errors_are_the_pictures_shown() -> None:
    errors = np.array([0.1, -3.0, 0.2, 1.0])
    truths = np.array([1.0, 2.0, 3.0, 4.0])
    one = readings(4, truths=truths, errors=errors, answers=truths + errors)
    (pictures,) = [part for part in value_parts([one]) if isinstance(part, Pictures)]
    assert [shown.place for shown in pictures.pictures] == [1, 3, 2, 0]
    assert pictures.pictures[0].lines == ("-1 bar, truth 2 bar", "error -3 bar")


def test_many_pictures_are_drawn_in_part_and_it_is_said() -> None:
    (figures,) = [part for part in value_parts([readings(9000)]) if isinstance(part, Figures)]
    scatter = figures.figures[0]
    assert scatter.svg.count("<circle") == MOST_POINTS
    assert f"{MOST_POINTS:,} of 9,000 pictures are drawn" in scatter.note
    assert len(scatter.svg) < 300_000


def test_equal_values_and_answers_without_a_number_have_a_page() -> None:
    same = np.full(3, 2.0)
    one = readings(3, truths=same, errors=np.full(3, 1.0), answers=np.array([np.nan, np.inf, 3.0]))
    assert shown(value_parts([one]))
    assert shown(value_parts([readings(0)])) == "t t s No picture was answered."


def test_several_values_have_a_chart_each_and_hostile_names_stay_text() -> None:
    pair = [readings(20, name="<b>speed</b>", unit="km/h"), readings(20, name="angle", unit="")]
    parts = value_parts(pair)
    assert len([part for part in parts if isinstance(part, Figures)]) == 2
    assert "<b>speed</b>, km/h" in shown(parts)


def test_data_has_its_range_in_each_split() -> None:
    values = {"train": np.array([[0.0], [1.0], [2.0]]), "test": np.zeros((0, 1))}
    table, _ = value_counts(values, ["pressure, bar"])
    assert isinstance(table, Table)
    assert table.rows == (("train", "3", "0", "0.5", "1", "1.5", "2"),)


def test_the_task_gives_these_parts() -> None:
    said = Said(value=ValueSpec(unit="bar", scales=(5.0,), offsets=(5.0,), ranges=(10.0,)))
    pairs = [(ValueTarget((true,)), Value(value=true + 0.1, unit="bar")) for true in (2.0, 7.0)]
    evaluation = TASK.evaluation([TASK.outcome(*pair) for pair in pairs], said)
    parts = TASK.page_parts(evaluation, said)
    assert [part.title for part in parts if isinstance(part, Pictures)] == ["The largest errors"]
    assert "mean error 0.1 bar" in shown(parts)
    counts = shown(TASK.data_parts({"train": [target for target, _ in pairs]}, said))
    assert "True values: value, bar" in counts

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from edgeinfer.converters.common.page.parts import Figures, Part, Pictures, Section, Table
from edgeinfer.converters.common.page.parts import Page as WholePage
from edgeinfer.converters.common.page.render import render
from edgeinfer.converters.tasks.classification.evaluation import ClassEvaluation
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.page_parts import MOST_ROWS, long_table
from edgeinfer.converters.tasks.registry import OWN, find_compared, find_measured
from edgeinfer.device.tasks.task import Said
from tests.support.html import read_page


def classified(classes: int, pictures: int, *, seed: int = 0) -> ClassEvaluation:
    """Return answers of a classifier that is right three times of four."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, classes, pictures)
    logits = generator.normal(0, 1, (pictures, classes))
    logits[np.arange(pictures), truth] += 3
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    answers = shares.argmax(axis=1)
    return ClassEvaluation(
        scores=(answers == truth).astype(np.float64),
        groups=truth,
        group_names=tuple(f"class <{number}>" for number in range(classes)),
        score_name="top-1",
        certainty=shares[np.arange(pictures), truth],
        answers=answers,
        logs=np.log(shares).astype(np.float32),
    )


def said_of(evaluation: Evaluation) -> Said:
    return Said(labels=evaluation.group_names)


def shown(parts: Sequence[Part]) -> str:
    page = WholePage(title="t", sections=(Section(title="s", parts=tuple(parts)),))
    return read_page(render(page)).text


def tables(parts: Sequence[Part]) -> list[Table]:
    return [part for part in parts if isinstance(part, Table)]


def galleries(parts: Sequence[Part]) -> list[Pictures]:
    return [part for part in parts if isinstance(part, Pictures)]


@pytest.mark.parametrize("name", OWN)
def test_every_task_has_a_page_of_any_answers(name: str) -> None:
    task = find_compared(name)
    said = Said(labels=("a", "b"))
    for evaluation in (
        task.evaluation([], said),
        Evaluation(
            scores=np.array([0.2, 1.0, 0.7]),
            groups=np.array([0, 1, 1]),
            group_names=("a", "b", "nothing"),
            score_name="F1",
        ),
    ):
        assert shown(task.page_parts(evaluation, said))


def test_any_answers_have_groups_their_spread_and_the_worst_pictures() -> None:
    evaluation = Evaluation(
        scores=np.array([0.25, 1.0, 0.5, 1.0]),
        groups=np.array([1, 0, 1, 0]),
        group_names=("near", "far"),
        score_name="F1",
    )
    parts = find_compared("detection").page_parts(evaluation, said_of(evaluation))
    text = shown(parts)
    assert "F1: 68.75 %" in text
    assert [row[0] for row in tables(parts)[0].rows] == ["far", "near"]
    (worst,) = galleries(parts)
    assert [one.place for one in worst.pictures] == [0, 2]


def test_a_classifier_has_classes_confusions_curves_and_pictures() -> None:
    evaluation = classified(3, 200)
    parts = find_measured("classification").page_parts(evaluation, said_of(evaluation))
    classes, confusion = tables(parts)
    assert len(classes.rows) == len(confusion.rows) == 3
    right = evaluation.confusion[1, 1] / evaluation.confusion[1].sum()
    assert classes.rows[1][2].startswith(f"{100 * right:.2f} % (")
    assert confusion.rows[1][2] == str(evaluation.confusion[1, 1])
    assert confusion.shades[1][2] == pytest.approx(right)
    (figures,) = [part for part in parts if isinstance(part, Figures)]
    curves, diagram = figures.figures
    assert len(curves.legend) == 3
    assert "Expected calibration error" in diagram.note
    assert "over 200 pictures" in diagram.note
    worst, doubtful = galleries(parts)
    assert all(evaluation.scores[one.place] == 0 for one in worst.pictures)
    assert evaluation.probabilities is not None
    certainty = evaluation.probabilities.max(axis=1)
    assert doubtful.pictures[0].place == certainty.argmin()
    shown(parts)


def test_many_classes_show_only_what_is_confused_most() -> None:
    evaluation = classified(300, 1200)
    parts = find_measured("classification").page_parts(evaluation, said_of(evaluation))
    classes, pairs = tables(parts)
    assert len(classes.rows) == MOST_ROWS
    assert f"The first {MOST_ROWS} of 300 rows" in classes.note
    assert len(pairs.rows) <= 30
    counts = [int(row[2]) for row in pairs.rows]
    assert counts == sorted(counts, reverse=True)
    assert len(shown(parts)) < 200_000


def test_a_classifier_without_kept_probabilities_has_no_curves() -> None:
    evaluation = classified(3, 20)
    bare = ClassEvaluation(
        scores=evaluation.scores,
        groups=evaluation.groups,
        group_names=evaluation.group_names,
        score_name=evaluation.score_name,
        answers=evaluation.answers,
    )
    parts = find_measured("classification").page_parts(bare, said_of(bare))
    assert not [part for part in parts if isinstance(part, Figures)]


def test_data_is_counted_by_group_and_split() -> None:
    targets = {"train": [0, 1, 1, 1], "validation": [1], "test": []}
    (table,) = find_measured("classification").data_parts(targets, Said(labels=("cat", "dog")))
    assert isinstance(table, Table)
    assert table.header == ("group", "train", "validation", "all")
    assert table.rows == (
        *(("dog", "3", "1", "4"), ("cat", "1", "0", "1")),
        ("all", "4", "1", "5"),
    )


def test_long_tables_are_cut_and_say_so() -> None:
    table = long_table("t", ("a",), [("x",)] * (MOST_ROWS + 5), note="before.")
    assert len(table.rows) == MOST_ROWS
    assert table.note == f"before. The first {MOST_ROWS} of {MOST_ROWS + 5} rows."
    assert table.folded

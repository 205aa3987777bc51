"""The files of a search, from plain figures."""

from __future__ import annotations

import base64
import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.converters.measure.loss import Loss
from edgeinfer.device.core.errors import SearchError
from edgeinfer.device.pictures.decode import read_image
from edgeinfer.host.search.budget import Budget
from edgeinfer.host.search.candidate import Trial
from edgeinfer.host.search.front import entries
from edgeinfer.host.search.report.finish import Ending
from edgeinfer.host.search.report.folds import Folded
from edgeinfer.host.search.report.report import (
    FRONT_TABLE,
    PAGE,
    PICTURE,
    TRIALS_TABLE,
    write_report,
)
from edgeinfer.host.search.report.tables import FRONT_HEADER, front_rows, trial_line
from edgeinfer.host.search.study.results import Found
from tests.host.search.examples import SIZE, baseline, footprint, pruned, student, trial

ENDING = Ending(
    winner=1,
    bundle="out/x.edgebundle",
    test_samples=1000,
    winner_top1=0.8912,
    winner_float_top1=0.891,
    baseline_top1=0.895,
    baseline_float_top1=0.9,
    test_uses=1,
)


def make_found(budget: Budget | None = None, name: str = "clothes") -> Found:
    trials = (
        trial(0, pruned(0.5), 0.88, 0.7),
        trial(1, pruned(0.3, teacher=True), 0.895, 0.5),
        trial(2, student(0.25), 0.80, 0.2),
        Trial(
            number=3,
            candidate=student(1.0),
            outcome="not trained",
            reason="3 ms is more than <2>",
            footprint=footprint(1.5),
            seconds=3.0,
        ),
        Trial(number=4, candidate=student(0.5), outcome="failed", reason="the loss became nan"),
    )
    return Found(
        name=name,
        budget=budget or Budget(accuracy_points=1, invoke_ms=1.9),
        baseline=baseline(),
        models=tuple(entries(baseline(), SIZE, trials)),
        trials=trials,
        spent_s=630.0,
    )


class _Outside(HTMLParser):
    """Notes whatever a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "href") and not (value or "").startswith("data:"):
                self.tags.append(f"{tag} {value}")
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("ending", [None, ENDING])
def test_the_page_needs_no_other_file(tmp_path: Path, ending: Ending | None) -> None:
    write_report(tmp_path, make_found(), ending)
    page = (tmp_path / PAGE).read_text()
    parser = _Outside()
    parser.feed(page)
    assert parser.tags == []
    assert parser.open == []
    (inline,) = re.findall(r"base64,([A-Za-z0-9+/=]+)", page)
    assert base64.b64decode(inline) == (tmp_path / PICTURE).read_bytes()
    assert "The winner is <b>#1</b>, pruned to 30 %" in page
    assert "3 ms is more than &lt;2&gt;" in page
    assert ("89.12 %" in page) == (ending is not None)
    assert ("was not used yet" in page) == (ending is None)


def test_what_the_winner_loses_is_reported_with_its_interval(tmp_path: Path) -> None:
    lost, before = Loss(points=0.8, low=-0.6, high=2.2), Loss(points=0.5, low=-2.0, high=3.0)
    ending = replace(ENDING, lost=lost, lost_on_validation=before)
    write_report(tmp_path, make_found(), ending)
    page = " ".join((tmp_path / PAGE).read_text().split())
    assert "the winner loses 0.80 points (-0.60 to 2.20) here" in page
    assert "on validation 0.50 points (-2.00 to 3.00)." in page
    assert "folds" not in page
    write_report(tmp_path, make_found(), replace(ending, folds=Folded(samples=900, lost=lost)))
    page = " ".join((tmp_path / PAGE).read_text().split())
    assert (
        "With 5 folds, 900 pictures: 0.80 points (-0.60 to 2.20) lost compared with the float"
        in page
    )
    write_report(tmp_path, make_found(), replace(ending, folds=Folded(reason="<pruned>")))
    assert "No folds: &lt;pruned&gt;." in (tmp_path / PAGE).read_text()


def test_equal_searches_have_equal_pictures(tmp_path: Path) -> None:
    write_report(tmp_path / "a", make_found(), None)
    write_report(tmp_path / "b", make_found(), None)
    assert (tmp_path / "a" / PICTURE).read_bytes() == (tmp_path / "b" / PICTURE).read_bytes()
    pixels = read_image(tmp_path / "a" / PICTURE)
    assert pixels.shape[0] > 600
    # The budget's red, the pruned ones' blue, the winner's green.
    for colour in ((213, 94, 0), (0, 114, 178), (0, 158, 115)):
        assert (np.abs(pixels.astype(int) - colour).sum(axis=2) < 12).sum() > 50


@pytest.mark.parametrize(
    "budget", [Budget(invoke_ms=0.1), Budget(size_kb=1), Budget(accuracy_points=0)]
)
def test_a_search_without_a_winner_has_a_report_too(tmp_path: Path, budget: Budget) -> None:
    found = make_found(budget, name="$cost$ <b>")
    write_report(tmp_path, found, None)
    page = (tmp_path / PAGE).read_text()
    assert found.winner is None
    assert "No candidate keeps the budget." in page
    assert "&lt;b&gt;: the" in page


def test_the_tables_hold_what_was_measured(tmp_path: Path) -> None:
    write_report(tmp_path, make_found(), ENDING)
    front = list(csv.DictReader(io.StringIO((tmp_path / FRONT_TABLE).read_text())))
    assert [row["model"] for row in front] == ["#2", "#1"]
    assert [row["winner"] for row in front] == ["0", "1"]
    assert float(front[1]["validation_top1"]) == 0.895
    trials = list(csv.DictReader(io.StringIO((tmp_path / TRIALS_TABLE).read_text())))
    assert [row["outcome"] for row in trials] == [*["measured"] * 3, "not trained", "failed"]
    assert trials[3]["ratio"] == "1.5000"
    assert (trials[3]["validation_top1"], trials[4]["ratio"]) == ("", "")


def test_the_front_is_shown_with_the_baseline() -> None:
    rows = front_rows(make_found())
    assert all(len(row) == len(FRONT_HEADER) for row in rows)
    assert [row[0] for row in rows] == ["#2", "#1 *", "baseline"]
    assert rows[1][2:] == ("89.50 %", "-0.50", "0.50 (0.47 to 0.55)", "1", "50.0")


def test_a_trial_is_shown_on_one_line() -> None:
    lines = [trial_line(one) for one in make_found().trials]
    assert lines[1] == (
        "#1 pruned to 30 % (l1), 28x28, with teacher: 89.50 %, time x0.50 (1 ms), 50.0 kB (12 s)"
    )
    assert lines[3] == (
        "#3 small-cnn x1, 28x28 (time x1.50): not trained, 3 ms is more than <2> (3 s)"
    )
    assert lines[4] == "#4 small-cnn x0.5, 28x28: failed, the loss became nan (0 s)"


def test_a_second_use_of_the_test_split_is_reported(tmp_path: Path) -> None:
    from dataclasses import replace

    write_report(tmp_path, make_found(), replace(ENDING, test_uses=2))
    assert "used 2 times, for as many winners" in (tmp_path / PAGE).read_text()


@pytest.mark.parametrize(
    ("chance", "front", "left_out"),
    [
        (0.0, ["#2", "#1"], ""),
        (0.5, ["#2", "#1"], ""),
        (
            0.79,
            ["#1"],
            "1 model is left out: its accuracy may be chance, which reaches 79.00 %",
        ),
        (0.95, ["baseline"], "3 models are left out: their accuracy may be chance"),
    ],
)
def test_what_may_be_chance_is_not_on_the_front(
    tmp_path: Path, chance: float, front: list[str], left_out: str
) -> None:
    found = replace(make_found(), chance=chance)
    assert [model.title for model in found.front] == front
    assert found.left_out().startswith(left_out)
    assert bool(found.left_out()) == bool(left_out)
    write_report(tmp_path, found, None)
    assert ("may be chance" in (tmp_path / PAGE).read_text()) == bool(left_out)


def test_what_may_be_chance_does_not_win() -> None:
    found = make_found(Budget(size_kb=60))
    assert found.require_winner().title == "#1"
    nothing_else = replace(found, models=(found.models[0], found.models[3]), chance=0.79)
    with pytest.raises(SearchError, match="no candidate keeps the budget; baseline"):
        nothing_else.require_winner()

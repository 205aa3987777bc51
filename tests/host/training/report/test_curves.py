from __future__ import annotations

from edgeinfer.converters.common.page.parts import Figures, Page, Section, Table
from edgeinfer.converters.common.page.render import render
from edgeinfer.host.tasks.registry import find_taught
from edgeinfer.host.tasks.shown_score import ShownScore
from edgeinfer.host.training.history import Epoch
from edgeinfer.host.training.report.curves import curve_parts
from tests.support.html import read_page


def epochs(**counts: int) -> list[Epoch]:
    return [
        Epoch(
            stage=stage.replace("_", "-"), epoch=number + 1, loss=2.0 / (number + 1), accuracy=0.5,
            val_loss=1.0 / (number + 1), val_accuracy=0.25, learning_rate=1e-3, seconds=1.5,
        )
        for stage, count in counts.items()
        for number in range(count)
    ]  # fmt: skip


def test_every_epoch_is_in_the_curves_and_in_the_table() -> None:
    figures, _, table = curve_parts(epochs(head=3, fine_tune=2), ShownScore())
    assert isinstance(figures, Figures)
    assert isinstance(table, Table)
    loss, accuracy = figures.figures
    # Two lines with a dot for each epoch, and a word where a stage begins.
    assert loss.svg.count("<circle") == accuracy.svg.count("<circle") == 10
    assert ">head</text>" in loss.svg
    assert ">fine-tune</text>" in loss.svg
    assert [row[0] for row in table.rows] == [
        *("head 1", "head 2", "head 3", "fine-tune 1", "fine-tune 2")
    ]
    assert "the lowest, 0.3333, in head epoch 3" in loss.description
    assert "25.00 %" in accuracy.description


def test_a_single_stage_needs_no_name() -> None:
    figures, *_ = curve_parts(epochs(train=1), ShownScore())
    assert isinstance(figures, Figures)
    assert ">train</text>" not in figures.figures[0].svg


def test_no_epochs_are_said_and_many_are_drawn() -> None:
    for some in ([], epochs(train=300)):
        page = Page(
            title="t", sections=(Section(title="s", parts=curve_parts(some, ShownScore())),)
        )
        read_page(render(page))


def test_values_have_a_mean_error_in_place_of_an_accuracy() -> None:
    figures, _, table = curve_parts(epochs(train=2), find_taught("value").shown_score)
    assert isinstance(figures, Figures)
    assert isinstance(table, Table)
    assert "75.00 % to 75.00 % of the range on validation" in figures.figures[1].description
    assert "validation mean error" in table.header
    assert "75.00 %" in table.rows[0]

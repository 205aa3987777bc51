from __future__ import annotations

import numpy as np

from edgeinfer.converters.common.page.parts import Page, Pictures, Section, Table
from edgeinfer.converters.common.page.render import render
from edgeinfer.converters.tasks.registry import find_measured
from edgeinfer.device.tasks.spec import Decoder, MultiLabelSpec
from edgeinfer.device.tasks.task import Said
from tests.support.html import read_page

SAID = Said(
    labels=("rain", "<night>", "never"),
    decoder=Decoder(activation="sigmoid", multi_label=MultiLabelSpec(min_scores=(0.5, 0.3, 0.5))),
)
TASK = find_measured("multilabel")


def test_each_label_has_its_figures_and_wrong_pictures_are_shown() -> None:
    outcomes = [
        (frozenset({0}), np.array([0.9, 0.1, 0.1])),
        (frozenset({0, 1}), np.array([0.8, 0.29, 0.0])),
        (frozenset(), np.array([0.1, 0.4, 0.0])),
    ]
    parts = TASK.page_parts(TASK.evaluation(outcomes, SAID), SAID)
    (table,) = [part for part in parts if isinstance(part, Table)]
    assert table.rows[0][1:5] == (
        *("2", "100.00 % (34.2 to 100.0)", "100.00 % (34.2 to 100.0)", "100.00 %"),
    )
    assert table.rows[1][2:] == ("0.00 % (0.0 to 79.3)", "0.00 % (0.0 to 79.3)", "0.00 %", "0.3")
    assert table.rows[2][1:4] == ("0", "-", "-")
    worst, doubtful = [part for part in parts if isinstance(part, Pictures)]
    assert [one.place for one in worst.pictures] == [2, 1]
    # The second picture's 0.29 is nearest to its threshold.
    assert doubtful.pictures[0].place == 1
    page = Page(title="t", sections=(Section(title="s", parts=parts),))
    assert "<night>" in read_page(render(page)).text


def test_data_is_counted_by_label() -> None:
    targets = {"train": [frozenset({0, 1}), frozenset({1})], "test": [frozenset[int]()]}
    (table,) = TASK.data_parts(targets, SAID)
    assert isinstance(table, Table)
    assert table.rows == (
        ("rain", "1", "0", "1"),
        ("<night>", "2", "0", "2"),
        ("never", "0", "0", "0"),
        ("all pictures", "2", "1", "3"),
    )


def test_no_pictures_have_a_page_too() -> None:
    assert TASK.page_parts(TASK.evaluation([], SAID), SAID)

"""True boxes as text: what is written is read, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.converters.tasks.detection.target import (
    BoxesTarget,
    TrueBox,
    read_boxes,
    write_boxes,
)

EDGES = st.lists(st.integers(0, 10**6), min_size=2, max_size=2, unique=True).map(sorted)


@st.composite
def true_boxes(draw: st.DrawFn) -> TrueBox:
    (left, right), (top, bottom) = draw(EDGES), draw(EDGES)
    edges = (edge / 10**6 for edge in (left, top, right, bottom))
    return TrueBox(draw(st.integers(0, 4)), *edges)


@given(st.lists(true_boxes(), max_size=5))
def test_what_is_written_is_read(things: list[TrueBox]) -> None:
    target = BoxesTarget(tuple(things))
    assert read_boxes(write_boxes(target), 5) == target


def test_boxes_are_in_pixels_of_any_size() -> None:
    target = read_boxes("1 0.25 0.5 0.75 1", 2)
    assert target.boxes((200, 40)).tolist() == [[50, 20, 150, 40]]
    assert target.labels.tolist() == [1]
    assert read_boxes("", 2).boxes((9, 9)).shape == (0, 4)


@pytest.mark.parametrize(
    "text",
    [
        "0 0.1 0.1 0.2",
        "0 0.1 0.1 0.2 0.2 0.3",
        "cat 0.1 0.1 0.2 0.2",
        "2 0.1 0.1 0.2 0.2",
        "-1 0.1 0.1 0.2 0.2",
        "0 0.2 0.1 0.1 0.2",
        "0 0.1 0.1 0.1 0.2",
        "0 0.1 0.1 1.2 0.2",
        "0 nan 0.1 0.2 0.2",
        "0 0.1 0.1 inf 0.2",
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="box"):
        read_boxes(text, 2)

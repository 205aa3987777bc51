"""Where boxes go: nothing overlaps, edges run downwards, what is straight stays straight."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.diagnose.inspect.graph_layout import Layout, TooLargeError, lay_out, spread

BOX, GAP, WAYPOINT = 100.0, 10.0, 8.0


def placed(count: int, edges: list[tuple[int, int]], max_items: int = 1000) -> Layout:
    return lay_out(
        count, edges, box_width=BOX, gap=GAP, waypoint_width=WAYPOINT, max_items=max_items
    )


def test_a_chain_is_one_column() -> None:
    layout = placed(4, [(0, 1), (1, 2), (2, 3)])
    assert layout.layer == (0, 1, 2, 3)
    assert layout.x == (BOX / 2,) * 4
    assert layout.width == BOX


def test_a_shortcut_runs_next_to_the_boxes() -> None:
    layout = placed(4, [(0, 1), (1, 2), (2, 3), (0, 3)])
    assert layout.x == pytest.approx((layout.x[0],) * 4, abs=0.01)
    first, second = layout.edges[0, 3]
    assert (first[0], second[0]) == (1, 2)
    assert first[1] == pytest.approx(second[1])
    assert abs(first[1] - layout.x[0]) == pytest.approx((BOX + WAYPOINT) / 2 + GAP, abs=0.01)


def test_branches_stand_side_by_side() -> None:
    layout = placed(4, [(0, 1), (0, 2), (1, 3), (2, 3)])
    assert layout.layer == (0, 1, 1, 2)
    assert abs(layout.x[1] - layout.x[2]) >= BOX + GAP


def test_what_reads_nothing_stands_above_its_reader() -> None:
    assert placed(4, [(0, 1), (1, 3), (2, 3)]).layer == (0, 1, 1, 2)


def test_too_much_is_refused() -> None:
    with pytest.raises(TooLargeError, match="11 boxes"):
        placed(11, [], max_items=10)
    with pytest.raises(TooLargeError, match="more than 10 boxes and waypoints"):
        placed(9, [*pairwise(range(9)), (0, 8)], max_items=10)


@given(
    st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), max_size=30).map(
        lambda pairs: [(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]]
    )
)
def test_boxes_and_edges_never_overlap(edges: list[tuple[int, int]]) -> None:
    layout = placed(15, edges)
    assert set(layout.edges) == set(edges)
    items = {(layer, x, BOX) for layer, x in zip(layout.layer, layout.x, strict=True)}
    assert len(items) == 15
    for (source, target), waypoints in layout.edges.items():
        # One waypoint in every layer between, from top to bottom.
        between = range(layout.layer[source] + 1, layout.layer[target])
        assert [layer for layer, _ in waypoints] == list(between)
        items |= {(layer, x, WAYPOINT) for layer, x in waypoints}
    for layer in range(layout.layers):
        row = sorted((x, width) for number, x, width in items if number == layer)
        assert row
        assert row[0][0] - row[0][1] / 2 >= -1e-6
        assert row[-1][0] + row[-1][1] / 2 <= layout.width + 1e-6
        for (left, left_width), (right, right_width) in pairwise(row):
            assert right - left >= (left_width + right_width) / 2 + GAP - 1e-6


def test_spreading_keeps_what_fits_and_shares_what_does_not() -> None:
    assert spread([0, 50], [10], [1, 1]) == [0, 50]
    assert spread([0, 0], [10], [1, 1]) == [-5, 5]
    assert spread([0, 0], [10], [3, 1]) == [-2.5, 7.5]
    assert spread([30, 0, 0], [10, 10], [1, 1, 1]) == [0, 10, 20]


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=6), st.data())
def test_no_small_change_is_nearer(wanted: list[float], data: st.DataObject) -> None:
    count = len(wanted)
    distances = data.draw(st.lists(st.floats(1, 20), min_size=count - 1, max_size=count - 1))
    weights = data.draw(st.lists(st.floats(0.5, 9), min_size=count, max_size=count))

    def cost(places: list[float]) -> float:
        return sum(w * (p - q) ** 2 for w, p, q in zip(weights, places, wanted, strict=True))

    best = spread(wanted, distances, weights)
    assert all(b - a >= d - 1e-9 for (a, b), d in zip(pairwise(best), distances, strict=True))
    # A least-squares problem under linear bounds has one minimum: no feasible step improves it.
    for first in range(count):
        for last in range(first, count):
            for step in (-0.01, 0.01):
                moved = [p + step * (first <= i <= last) for i, p in enumerate(best)]
                gaps = zip(pairwise(moved), distances, strict=True)
                if all(b - a >= d for (a, b), d in gaps):
                    assert cost(moved) >= cost(best) - 1e-9

"""How many channels each layer keeps, and which."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.converters.pruning.cost import CostModel
from edgeinfer.converters.pruning.graph import ChannelGraph, channel_graph
from edgeinfer.converters.pruning.plan import (
    PlanOptions,
    between,
    choose_cells,
    plan_counts,
    polynomial_share,
)
from edgeinfer.converters.pruning.surgery import keep_channels

keras = pytest.importorskip("keras", reason="pruning needs the host extra")
layers = keras.layers


@pytest.fixture(scope="module")
def graph() -> ChannelGraph:
    """Groups of 24, 20 and 7 channels."""
    image = keras.Input((8, 8, 3))
    x = layers.Conv2D(24, 3, padding="same", name="a")(image)
    x = layers.DepthwiseConv2D(3, padding="same")(x)
    x = layers.Conv2D(20, 1, name="b")(x) + layers.Conv2D(20, 1)(x)
    x = layers.Conv2D(7, 1, name="c")(x)
    return channel_graph(keras.Model(image, layers.Dense(2)(layers.Flatten()(x))))


def _scores(graph: ChannelGraph, seed: int) -> Any:
    return np.random.default_rng(seed).exponential(size=graph.cells)


@given(
    seed=st.integers(0, 99),
    keep_cost=st.floats(0, 1),
    multiple=st.integers(1, 12),
    min_share=st.floats(0, 1),
)
def test_a_plan_reaches_its_target_or_its_bounds(
    graph: ChannelGraph, seed: int, keep_cost: float, multiple: int, min_share: float
) -> None:
    options = PlanOptions(multiple=multiple, min_share=min_share)
    counts = plan_counts(graph, _scores(graph, seed), keep_cost, options)
    cost = CostModel(graph)
    stuck = True
    for index, full in cost.full.items():
        assert counts[index] == full or counts[index] % multiple == 0
        assert counts[index] >= max(1, min_share * full)
        fewer = (counts[index] - 1) // multiple * multiple
        stuck &= fewer < max(2, min_share * full)
    assert stuck or cost.total(counts) <= keep_cost * cost.total(cost.full) * (1 + 1e-9)


@given(seed=st.integers(0, 99), low=st.floats(0, 1), high=st.floats(0, 1))
def test_less_cost_never_keeps_more_of_a_group(
    graph: ChannelGraph, seed: int, low: float, high: float
) -> None:
    low, high = sorted((low, high))
    scores, options = _scores(graph, seed), PlanOptions(multiple=4, min_share=0.1)
    fewer = plan_counts(graph, scores, low, options)
    more = plan_counts(graph, scores, high, options)
    assert all(fewer[index] <= more[index] for index in more)


def test_the_least_important_go_first_where_costs_are_equal() -> None:
    image = keras.Input((8, 8, 3))
    x, y = (layers.Conv2D(8, 3, name=name)(image) for name in ("x", "y"))
    both = layers.Flatten()(layers.Concatenate()([x, y]))
    graph = channel_graph(keras.Model(image, layers.Dense(2)(both)))
    scores = np.ones(graph.cells)
    scores[graph.groups[1].cells] = 0.5
    counts = plan_counts(graph, scores, 0.75, PlanOptions(multiple=2, min_share=0.0))
    assert counts == {0: 8, 1: 4}


def test_the_cost_of_what_is_left_is_what_was_planned(graph: ChannelGraph) -> None:
    scores = _scores(graph, 3)
    counts = plan_counts(graph, scores, 0.4, PlanOptions(multiple=4))
    left = CostModel(channel_graph(keep_channels(graph, choose_cells(graph, scores, counts))))
    assert left.total(left.full) == pytest.approx(CostModel(graph).total(counts))
    assert list(left.full.values()) == list(counts.values())


def test_the_most_important_cells_stay(graph: ChannelGraph) -> None:
    scores = _scores(graph, 5)
    keep = choose_cells(graph, scores, {0: 10, 1: 4, 2: 7})
    for group, count in zip(graph.groups, (10, 4, 7), strict=True):
        stays, goes = keep[group.cells], ~keep[group.cells]
        assert stays.sum() == count
        if goes.any():
            assert scores[group.cells][stays].min() >= scores[group.cells][goes].max()
    grouped = np.concatenate([group.cells for group in graph.groups])
    assert keep[np.setdiff1d(np.arange(graph.cells), grouped)].all()


@given(share=st.floats(0, 1), multiple=st.integers(1, 9))
def test_no_step_removes_what_stays_in_the_end(
    graph: ChannelGraph, share: float, multiple: int
) -> None:
    final = {0: 8, 1: 3, 2: 7}
    counts = between(graph, final, share, multiple)
    full = CostModel(graph).full
    for index in final:
        assert final[index] <= counts[index] <= full[index]
        wanted = full[index] - share * (full[index] - final[index])
        assert wanted - 1e-9 <= counts[index] or counts[index] == full[index]
    assert between(graph, final, 1.0, multiple) == final
    assert between(graph, final, 0.0, multiple) == full


@given(st.integers(1, 50))
def test_the_first_steps_remove_most(steps: int) -> None:
    shares = [0.0, *(polynomial_share(step, steps) for step in range(1, steps + 1))]
    gone = np.diff(shares)
    assert shares[-1] == 1.0
    assert (gone > 0).all()
    assert (np.diff(gone) <= 0).all()
    assert polynomial_share(1, 2) == 0.875


@pytest.mark.parametrize("wrong", [{"multiple": 0}, {"min_share": -0.1}, {"min_share": 1.1}])
def test_impossible_bounds_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="min_share"):
        PlanOptions(**wrong)

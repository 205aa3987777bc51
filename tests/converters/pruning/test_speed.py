"""How many channels may stay for a speedup, by timers that are functions of the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeinfer.converters.measure.timing_worker import InvokeTime
from edgeinfer.converters.pruning import speed
from edgeinfer.converters.pruning.cost import CostModel
from edgeinfer.converters.pruning.graph import ChannelGraph, channel_graph
from edgeinfer.converters.pruning.plan import PlanOptions, choose_cells, plan_counts
from edgeinfer.converters.pruning.speed import MAX_PROBES, TOLERANCE, Probe, counts_for_speedup
from edgeinfer.converters.pruning.surgery import keep_channels
from edgeinfer.device.core.errors import ConversionError

keras = pytest.importorskip("keras", reason="pruning needs the host extra")
layers = keras.layers
FREE = PlanOptions(multiple=1, min_share=0.0)


def _cost(graph: ChannelGraph) -> float:
    cost = CostModel(graph)
    return cost.total(cost.full)


def _timer(graph: ChannelGraph, time_of_share: Callable[[float], float]) -> speed.Time:
    """Return a timer after which the whole model takes 1."""
    whole = _cost(graph)

    def time(model: Any) -> InvokeTime:
        ratio = 1.0 / time_of_share(_cost(channel_graph(model)) / whole)
        return InvokeTime(ms=1.0 / ratio, ratio=ratio, ratio_low=ratio, ratio_high=ratio)

    return time


@pytest.fixture(scope="module")
def graph() -> ChannelGraph:
    image = keras.Input((8, 8, 3))
    x = layers.Conv2D(64, 3, padding="same")(image)
    x = layers.Conv2D(96, 1)(layers.ReLU()(x))
    return channel_graph(keras.Model(image, layers.Dense(2)(layers.Flatten()(x)), name="net"))


@pytest.fixture(scope="module")
def scores(graph: ChannelGraph) -> Any:
    return np.random.default_rng(0).exponential(size=graph.cells)


@settings(max_examples=25)
@given(wanted=st.floats(1.0, 8.0), fixed=st.floats(0, 0.1), power=st.floats(0.5, 2.0))
def test_the_result_is_fast_enough_and_only_slightly_faster(
    graph: ChannelGraph, scores: Any, wanted: float, fixed: float, power: float
) -> None:
    told: list[Probe] = []
    timer = _timer(graph, lambda share: fixed + (1 - fixed) * share**power)
    fewest = choose_cells(graph, scores, plan_counts(graph, scores, 0.0, FREE))
    if timer(keep_channels(graph, fewest)).ratio < wanted:
        with pytest.raises(ConversionError, match="fewest channels allowed"):
            counts_for_speedup(graph, scores, wanted, FREE, timer)
        return
    found = counts_for_speedup(graph, scores, wanted, FREE, timer, tell=told.append)
    assert len(told) <= MAX_PROBES
    assert found in told
    assert found.time.ratio >= wanted
    enough = [probe.time.ratio for probe in told if probe.time.ratio >= wanted]
    assert found.time.ratio == min(enough)
    assert found.time.ratio <= wanted * (1 + TOLERANCE) * 1.15
    cost = CostModel(graph)
    assert found.keep_cost == pytest.approx(cost.total(found.counts) / cost.total(cost.full))


def test_a_share_of_the_time_that_no_cut_reduces_is_counted(
    graph: ChannelGraph, scores: Any
) -> None:
    """Aiming as if time were proportional to cost comes nearer and nearer, but never there."""
    told: list[Probe] = []
    timer = _timer(graph, lambda share: 0.4 + 0.6 * share)
    found = counts_for_speedup(graph, scores, 2.0, FREE, timer, tell=told.append)
    assert 2.0 <= found.time.ratio <= 2.0 * (1 + TOLERANCE)
    assert len(told) <= 4


def test_blocks_too_large_to_aim_finely_do_not_bound_the_search() -> None:
    """The first cut is nearly enough, and is below what was aimed at: the next takes a block."""
    image = keras.Input((8, 8, 3))
    x = layers.Conv2D(32, 3, padding="same")(image)
    graph = channel_graph(keras.Model(image, layers.Dense(2)(layers.Flatten()(x))))
    options = PlanOptions(multiple=8, min_share=0.0)
    timer = _timer(graph, lambda share: share * 1.02)
    found = counts_for_speedup(graph, np.ones(graph.cells), 1.98, options, timer)
    assert found.counts == {0: 8}


def test_bounds_that_do_not_allow_it_are_an_error(graph: ChannelGraph, scores: Any) -> None:
    options = PlanOptions(multiple=8, min_share=0.5)
    told: list[Probe] = []
    timer = _timer(graph, lambda share: share)
    with pytest.raises(ConversionError, match=r"net: .*at most .* times as fast") as error:
        counts_for_speedup(graph, scores, 10.0, options, timer, tell=told.append)
    fewest = plan_counts(graph, scores, 0.0, options)
    assert told[-1].counts == fewest
    assert f"at most {told[-1].time.ratio:.2f} times" in str(error.value)
    assert "--min-share" in str(error.value)
    assert len(told) < MAX_PROBES


def test_the_fewest_channels_are_tried_before_it_is_given_up(
    graph: ChannelGraph, scores: Any
) -> None:
    told: list[Probe] = []
    timer = _timer(graph, lambda share: 0.9 + 0.1 * share**8)
    with pytest.raises(ConversionError, match=r"1\.11 times as fast"):
        counts_for_speedup(graph, scores, 2.0, FREE, timer, tell=told.append)
    assert told[-1].counts == plan_counts(graph, scores, 0.0, FREE)


@settings(max_examples=15)
@given(st.lists(st.floats(0.3, 5.0), min_size=MAX_PROBES, max_size=MAX_PROBES))
def test_the_search_ends_with_any_measured_times(
    graph: ChannelGraph, scores: Any, ratios: list[float]
) -> None:
    told = iter(ratios)

    def time(model: Any) -> InvokeTime:
        ratio = next(told)
        return InvokeTime(ms=1.0, ratio=ratio, ratio_low=ratio, ratio_high=ratio)

    try:
        assert counts_for_speedup(graph, scores, 2.0, FREE, time).time.ratio >= 2.0
    except ConversionError:
        assert ratios[0] < 2.0

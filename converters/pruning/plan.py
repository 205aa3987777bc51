"""Which channels are removed: the least important for their time, a round number in each group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edgeinfer.converters.pruning.cost import CostModel
from edgeinfer.converters.pruning.graph import ChannelGraph
from edgeinfer.converters.pruning.importance import Scores
from edgeinfer.converters.pruning.surgery import Keep

Counts = Mapping[int, int]
"""How many cells each group keeps, by the group's number."""


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """Bounds of a plan.

    Attributes:
        multiple: each group keeps a multiple of this many cells, or all.
        min_share: the smallest share of its cells that each group keeps, 0 to 1.
    """

    multiple: int = 8
    min_share: float = 0.2

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        if self.multiple < 1 or not 0 <= self.min_share <= 1:
            raise ValueError(f"multiple {self.multiple}, min_share {self.min_share}")


def plan_counts(
    graph: ChannelGraph, scores: Scores, keep_cost: float, options: PlanOptions
) -> Counts:
    """Choose how many cells each group keeps, so that a share of the cost is left.

    In a loop, of the least important blocks of all groups, the one with the least importance per
    saved cost is removed.

    Args:
        graph: of the model.
        scores: how much each cell matters.
        keep_cost: share of the whole cost that may be left, 0 to 1. If the bounds do not
            allow so little, the result is what they allow.
        options: the bounds.
    """
    cost = CostModel(graph)
    counts = dict(cost.full)
    # Sums of the lowest scores: the importance of the first n cells to remove.
    lost = [
        np.concatenate([[0.0], np.cumsum(np.sort(scores[group.cells]))]) for group in graph.groups
    ]
    left = cost.total(counts)
    target = left * keep_cost
    while left > target:
        best: tuple[float, int, int, float] | None = None
        for index, full in cost.full.items():
            fewer = _next_lower(counts[index], options.multiple)
            # A single channel left would look like one that Add spreads over all others.
            if fewer < max(2, full * options.min_share):
                continue
            saved = cost.saved(counts, index, fewer)
            price = lost[index][full - fewer] - lost[index][full - counts[index]]
            if saved > 0 and (best is None or price / saved < best[0]):
                best = (price / saved, index, fewer, saved)
        if best is None:
            break
        counts[best[1]] = best[2]
        left -= best[3]
    return counts


def between(graph: ChannelGraph, final: Counts, share: float, multiple: int) -> Counts:
    """Return the counts on the way to `final`, when `share` of the cells is removed.

    Args:
        graph: of the model as it was at the beginning.
        final: the counts at the end.
        share: 0 to 1; 1 gives `final` itself.
        multiple: the counts on the way are multiples of it.
    """
    counts = {}
    for index, group in enumerate(graph.groups):
        full = len(group.cells)
        wanted = full - share * (full - final[index])
        rounded = int(np.ceil(wanted / multiple)) * multiple
        counts[index] = final[index] if share >= 1 else min(full, max(final[index], rounded))
    return counts


def choose_cells(graph: ChannelGraph, scores: Scores, counts: Counts) -> Keep:
    """Return which cells stay: in each group the most important ones."""
    keep = np.ones(graph.cells, bool)
    for index, group in enumerate(graph.groups):
        order = np.argsort(-scores[group.cells], kind="stable")
        keep[group.cells[order[counts[index] :]]] = False
    return keep


def polynomial_share(step: int, steps: int) -> float:
    """Return the share of the cells that is removed after a step: fast at first, then slowly.

    Source: Zhu and Gupta 2017, "To prune, or not to prune", arXiv:1710.01878, with exponent 3.

    Args:
        step: 1 to `steps`.
        steps: the number of steps for all of them.
    """
    return 1.0 - (1.0 - step / steps) ** 3


def _next_lower(count: int, multiple: int) -> int:
    return (count - 1) // multiple * multiple

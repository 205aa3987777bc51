"""What a model costs in arithmetic, for any number of channels left in each group.

A depthwise convolution's multiplications take several times as long as others: it uses each value
that it loads for only one channel, while a pointwise convolution uses it for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edgeinfer.converters.pruning.graph import ChannelGraph, Indices, LayerUse
from edgeinfer.converters.pruning.operators import Kind

DEPTHWISE_WEIGHT = 8.0
"""Time of a depthwise multiplication compared with any other, from the operator times of an INT8
EfficientNet-Lite0 (`edgeinfer benchmark --ops`, XNNPACK, one thread on x86-64)."""


@dataclass(frozen=True, kw_only=True)
class _Term:
    """One layer's multiplications: `factor` times the channels out, times those in where it mixes.

    Attributes:
        factor: multiplications for one pair of channels (for one channel, if depthwise).
        inputs: how many of the channels that come in belong to a cell of each group, and how many
            are locked (group -1).
        outputs: the same for the result.
        mixes: whether each channel of the result looks at all that come in.
    """

    factor: float
    inputs: Mapping[int, float]
    outputs: Mapping[int, float]
    mixes: bool

    def cost(self, counts: Mapping[int, int]) -> float:
        total = self.factor * _channels(self.outputs, counts)
        return total * _channels(self.inputs, counts) if self.mixes else total


class CostModel:
    """A model's multiplications as a function of how many cells each group keeps.

    Args:
        graph: of the model.
        depthwise_weight: the cost of a depthwise multiplication; 1 gives plain MACs.
    """

    def __init__(self, graph: ChannelGraph, *, depthwise_weight: float = DEPTHWISE_WEIGHT) -> None:
        self.full = {index: len(group.cells) for index, group in enumerate(graph.groups)}
        owner = np.full(graph.cells, -1)
        for index, group in enumerate(graph.groups):
            owner[group.cells] = index
        self._terms = [
            term
            for use in graph.uses
            if (term := _term(use, owner[graph.cell], self.full, depthwise_weight)) is not None
        ]
        self._of_group: dict[int, list[_Term]] = {index: [] for index in self.full}
        for term in self._terms:
            for index in {*term.inputs, *term.outputs} - {-1}:
                self._of_group[index].append(term)

    def total(self, counts: Mapping[int, int]) -> float:
        """Return the cost if each group keeps this many cells."""
        return sum(term.cost(counts) for term in self._terms)

    def saved(self, counts: Mapping[int, int], group: int, fewer: int) -> float:
        """Return how much is saved when a group keeps `fewer` cells than it has now."""
        less = {**counts, group: fewer}
        return sum(term.cost(counts) - term.cost(less) for term in self._of_group[group])


def multiplications(graph: ChannelGraph) -> float:
    """Return how many multiply-accumulate operations one input takes."""
    model = CostModel(graph, depthwise_weight=1.0)
    return model.total(model.full)


def _term(
    use: LayerUse, owner: Indices, full: Mapping[int, int], depthwise_weight: float
) -> _Term | None:
    """Return a layer's cost, None for one that multiplies nothing."""
    layer = use.call.layer
    if use.kind is Kind.UNKNOWN:
        return _fixed(use)
    if not use.kind.makes_channels:
        return None
    kernel = float(np.prod(getattr(layer, "kernel_size", (1,))))
    positions = float(use.positions)
    if use.kind is Kind.TRANSPOSED:
        positions /= float(np.prod(layer.strides))
    depthwise = use.kind is Kind.DEPTHWISE
    if use.kind is Kind.SEPARABLE:
        kernel = float(layer.depth_multiplier)  # its pointwise part, which is nearly all of it
    return _Term(
        factor=positions * kernel * (depthwise_weight if depthwise else 1.0),
        inputs=_shares(owner[use.inputs[0]], full),
        outputs=_shares(owner[use.output], full),
        mixes=not depthwise,
    )


def _fixed(use: LayerUse) -> _Term | None:
    """Return the cost of a layer that stays whole, such as a shared or grouped convolution."""
    layer = use.call.layer
    channels = getattr(layer, "filters", None) or getattr(layer, "units", None)
    kernel = getattr(layer, "kernel", None)
    if channels is None or kernel is None:
        return None
    # The places of the result, with its channels on any axis.
    positions = np.prod([side or 1 for side in use.call.shape[1:]]) / channels
    if hasattr(layer, "output_padding"):  # transposed: each input is multiplied, not each result
        positions /= np.prod(layer.strides)
    factor = float(positions * np.prod(kernel.shape))
    return _Term(factor=factor, inputs={}, outputs={-1: 1.0}, mixes=False)


def _shares(owners: Indices, full: Mapping[int, int]) -> dict[int, float]:
    """Return how many of some channels each cell of a group stands for, on average."""
    groups, counts = np.unique(owners, return_counts=True)
    return {
        int(group): count / full[int(group)] if group >= 0 else float(count)
        for group, count in zip(groups, counts, strict=True)
    }


def _channels(shares: Mapping[int, float], counts: Mapping[int, int]) -> float:
    return sum(share * counts[group] if group >= 0 else share for group, share in shares.items())

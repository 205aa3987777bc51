"""How much each group of channels matters, cell by cell: by size, by scale, by first-order Taylor.

- `l1`: sum of the absolute weights that make a channel (Li et al. 2017, "Pruning Filters for
  Efficient ConvNets", arXiv:1608.08710), relative to the layer's mean, since layers differ in scale.
- `bn`: absolute scale of the batch normalization behind it (Liu et al. 2017, "Network Slimming",
  arXiv:1708.06519).
- `taylor`: by how much the loss would change, to first order, were the channel's weights zero: the
  square of the sum of gradient times weight, averaged over batches (Molchanov et al. 2019,
  "Importance Estimation for Neural Network Pruning", arXiv:1906.10771). Only this method looks at data,
  and only it compares channels of different layers well.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.pruning.graph import ChannelGraph, LayerUse
from edgeinfer.converters.pruning.operators import Kind
from edgeinfer.device.core.errors import ConversionError

Importance = Literal["l1", "bn", "taylor"]
"""How the importance of channels is measured, see `PruneConfig.importance`."""

Scores: TypeAlias = NDArray[np.float64]
"""(cells,) how much each cell of a ChannelGraph matters."""

LossBatch: TypeAlias = tuple[Any, Any, Any]
"""Inputs (n, ...), targets and sample weights (n,)."""


def weight_scores(graph: ChannelGraph, importance: Literal["l1", "bn"]) -> Scores:
    """Return the scores that need no data.

    Raises:
        ConversionError: `bn` is asked for, and a group has no batch normalization with a scale.
    """
    if importance == "l1":
        return _l1(graph)
    scores = np.zeros(graph.cells)
    seen = np.zeros(graph.cells, bool)
    for use in graph.uses:
        if use.kind is Kind.NORMALIZE and use.call.layer.scale:
            cells = graph.cell[use.output]
            np.add.at(scores, cells, np.abs(np.asarray(use.call.layer.gamma)))
            seen[cells] = True
    for group in graph.groups:
        if not seen[group.cells].all():
            raise ConversionError(
                group.name,
                got="no batch normalization follows it",
                expected="a scale for each of its channels",
                next_step="use --importance l1 or taylor",
            )
    return scores


def taylor_scores(
    graph: ChannelGraph,
    loss: Callable[[Any, Any], Any],
    batches: Iterable[LossBatch],
    *,
    model: Any = None,
) -> Scores:
    """Return the scores by gradients, the model in inference mode.

    Args:
        graph: of the model.
        loss: gives (n,) losses from (targets, outputs): logits, of models that end in them.
        batches: small ones are better than large ones, in which gradients cancel.
        model: gives the outputs that the loss takes, with the weights of the graph's model; None is
            that model itself.
    """
    import tensorflow as tf

    answering = graph.model if model is None else model

    weighted = [(use, variable) for use in graph.uses for variable in _trainable(use)]
    variables = [variable.value for _, variable in weighted]

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def contributions(inputs: Any, targets: Any, weights: Any) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            outputs = answering(inputs, training=False)
            # With mixed precision the outputs are float16, the weights are not.
            losses = tf.cast(loss(targets, outputs), tf.float32)
            value = tf.reduce_mean(losses * tf.cast(weights, tf.float32))
        gradients = tape.gradient(value, variables, unconnected_gradients="zero")
        return [
            _per_channel(use, gradient * variable)
            for (use, _), gradient, variable in zip(weighted, gradients, variables, strict=True)
        ]

    total = np.zeros(graph.cells)
    count = 0
    for inputs, targets, weights in batches:
        sums: dict[int, NDArray[np.float64]] = {}
        for (use, _), values in zip(weighted, contributions(inputs, targets, weights), strict=True):
            sums[id(use)] = sums.get(id(use), 0.0) + np.asarray(values, np.float64)
        for use in {id(use): use for use, _ in weighted}.values():
            np.add.at(total, graph.cell[use.output], sums[id(use)] ** 2)
        count += 1
    return total / max(1, count)


def _trainable(use: LayerUse) -> list[Any]:
    """Return the weights that belong to a channel of the result."""
    if not use.kind.makes_channels and use.kind is not Kind.NORMALIZE:
        return []
    layer = use.call.layer
    fixed = ("moving_mean", "moving_variance", "depthwise_kernel")
    separable = use.kind is Kind.SEPARABLE
    return [
        variable
        for variable in layer.weights
        if variable.name not in (fixed if separable else fixed[:2])
    ]


def _per_channel(use: LayerUse, values: Any) -> Any:
    """Sum a weight's values over all but the result's channels."""
    import tensorflow as tf

    if len(values.shape) == 1:
        return values
    if use.kind is Kind.TRANSPOSED:  # (h, w, out, in)
        return tf.reduce_sum(values, axis=[*range(len(values.shape) - 2), -1])
    if use.kind is Kind.DEPTHWISE:  # (h, w, in, multiplier): channel in * multiplier + m
        return tf.reshape(tf.reduce_sum(values, axis=[0, 1]), [-1])
    return tf.reduce_sum(values, axis=list(range(len(values.shape) - 1)))


def _l1(graph: ChannelGraph) -> Scores:
    scores = np.zeros(graph.cells)
    for use in graph.uses:
        if not use.kind.makes_channels:
            continue
        sums = sum(
            np.asarray(_per_channel(use, np.abs(np.asarray(variable))))
            for variable in _trainable(use)
            if len(variable.shape) > 1
        )
        np.add.at(scores, graph.cell[use.output], sums / max(float(np.mean(sums)), 1e-30))
    return scores

"""Cross-layer equalization: channels of one tensor with very different ranges get similar ranges.

All channels of an activation share one scale, so the widest one makes the steps of all others
coarse. Where everything between two layers is linear up to positive factors, as ReLU, pooling and
additions are, a channel can be divided by a factor after the first layer and the second layer's
weights multiplied by it: the model computes the same, with channels of similar range.

Method: Nagel et al. 2019, arXiv:1906.04721, which balances the ranges of weights. Here weights have
a scale for each output channel already, so activations are balanced against the next layer's input
channels, with ranges measured on pictures, as Xiao et al. 2022, arXiv:2211.10438, do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.common.progress import Progress, Silent
from edgeinfer.converters.quantize.all_tensors import WatchedModel
from edgeinfer.converters.quantize.float_graph import NO_ACTIVATION, RELU, RELU6, FloatGraph
from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tflite.model import Operator, Subgraph

STRENGTH = 0.5
"""How the ranges are shared if the next layer mixes channels: the geometric mean."""

MAX_RATIO = 1e3
"""A channel that is narrower than the widest by more than this is unused and stays unchanged."""

MAX_CLIPPED = 1e-3
"""ReLU6 becomes ReLU where its upper limit cuts off at most this share of the values."""

_RELU6_LIMIT = 6.0
_PASSES = frozenset({"MAX_POOL_2D", "AVERAGE_POOL_2D", "RELU", "ADD", "MEAN", "PAD", "RESHAPE"})
"""Operators that do not change a positive factor of each channel."""

_LINEAR = (NO_ACTIVATION, RELU, RELU6)

Channels = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Equalized:
    """A model that computes the same with more similar channels.

    Attributes:
        model: the float `.tflite` bytes.
        groups: how many tensors, or sets of tensors that are added up, were equalized.
        widest: the largest ratio of two channels' ranges that was equalized.
    """

    model: bytes
    groups: int
    widest: float


@dataclass(frozen=True, kw_only=True)
class _Group:
    """Tensors that share the factors of their channels, and the layers before and after them."""

    tensors: frozenset[int]
    producers: tuple[int, ...]
    consumers: tuple[int, ...]
    passes: tuple[int, ...]


def equalize(
    model: bytes,
    preprocess: PreprocessSpec,
    pictures: Iterable[Pixels],
    *,
    progress: Progress | None = None,
) -> Equalized:
    """Equalize the channels of a float model.

    Args:
        model: the float `.tflite` bytes.
        preprocess: how a picture becomes the input.
        pictures: (H, W, 3) uint8 RGB each, like those that the model will see.
        progress: reports each picture.

    Returns:
        The model unchanged, and no groups, if there is nothing to equalize.

    Raises:
        ConversionError: the model has loops or custom operators.
    """
    graph = FloatGraph(model)
    groups = find_groups(graph)
    ranges, clipped = _measure(model, preprocess, groups, pictures, progress or Silent())
    evened, widest = 0, 1.0
    for group in groups:
        if _is_limited(graph, group, clipped):
            continue
        seen = np.max([ranges[tensor] for tensor in group.tensors], axis=0)
        if not seen.any():
            continue
        seen = np.maximum(seen, seen.max() / MAX_RATIO)
        factors = _factors(graph, group, seen)
        _apply(graph, group, factors.astype(np.float32))
        evened, widest = evened + 1, max(widest, float(seen.max() / seen.min()))
    return Equalized(model=graph.to_bytes() if evened else model, groups=evened, widest=widest)


def find_groups(graph: FloatGraph) -> list[_Group]:
    """Return the sets of tensors whose channels may be scaled: those between layers only."""
    subgraph = graph.graph
    weighted = set(graph.weighted)
    parent = {index: index for index in range(len(subgraph.tensors))}

    def root(index: int) -> int:
        while parent[index] != index:
            index = parent[index]
        return index

    passes = [
        index
        for index, op in enumerate(subgraph.operators)
        if _lets_through(subgraph, op) and graph.activation(index) in _LINEAR
    ]
    for index in passes:
        operator = subgraph.operators[index]
        for tensor in _data(subgraph, operator):
            parent[root(tensor)] = root(operator.outputs[0])

    pinned = {root(index) for index in (*subgraph.inputs, *subgraph.outputs)}
    members: dict[int, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for index, operator in enumerate(subgraph.operators):
        data, output = _data(subgraph, operator), operator.outputs[0]
        if index in passes:
            members[root(output)]["passes"].add(index)
            continue
        if index not in weighted or len(data) != 1:
            pinned.update(root(tensor) for tensor in (*data, *operator.outputs))
            continue
        if graph.activation(index) in _LINEAR and graph.takes_bias(index):
            members[root(output)]["producers"].add(index)
        else:
            pinned.add(root(output))
        if graph.reads_every_channel(index):
            members[root(data[0])]["consumers"].add(index)
        else:
            pinned.add(root(data[0]))
    groups = []
    for key, found in members.items():
        if key in pinned or not found["producers"] or not found["consumers"]:
            continue
        tensors = frozenset(i for i in parent if root(i) == key)
        groups.append(
            _Group(
                tensors=tensors,
                producers=tuple(sorted(found["producers"])),
                consumers=tuple(sorted(found["consumers"])),
                passes=tuple(sorted(found["passes"])),
            )
        )
    return groups


def _data(subgraph: Subgraph, operator: Operator) -> list[int]:
    """Return an operator's inputs that are computed, without its constants."""
    return [i for i in operator.inputs if i >= 0 and not len(subgraph.tensors[i].data)]


def _lets_through(subgraph: Subgraph, operator: Operator) -> bool:
    """Return whether factors of an operator's channels pass through it unchanged."""
    data, output = _data(subgraph, operator), subgraph.tensors[operator.outputs[0]]
    if operator.op not in _PASSES or not data or not output.shape:
        return False
    shapes = [subgraph.tensors[index].shape for index in data]
    if any(not shape or shape[-1] != output.shape[-1] for shape in shapes):
        return False
    if operator.op == "ADD":
        return len(data) == 2 and shapes[0] == shapes[1]
    if operator.op == "MEAN":
        axes = np.frombuffer(subgraph.tensors[operator.inputs[1]].data, np.int32)
        return len(shapes[0]) - 1 not in axes % len(shapes[0])
    if operator.op == "PAD":
        return shapes[0][:-1] != output.shape[:-1]
    return len(data) == 1


def _measure(
    model: bytes,
    preprocess: PreprocessSpec,
    groups: list[_Group],
    pictures: Iterable[Pixels],
    progress: Progress,
) -> tuple[dict[int, Channels], dict[int, float]]:
    """Return each tensor's largest value by channel, and the share that ReLU6 may have cut off."""
    tensors = sorted({tensor for group in groups for tensor in group.tensors})
    watched = WatchedModel(model, preprocess)
    ranges = {i: np.zeros(watched.graph.tensors[i].shape[-1]) for i in tensors}
    limited = dict.fromkeys(tensors, 0)
    count = dict.fromkeys(tensors, 0)
    for pixels in pictures:
        watched.run(pixels)
        for index in tensors:
            values = np.abs(watched.value(index))
            rows = values.reshape(-1, values.shape[-1])
            ranges[index] = np.maximum(ranges[index], rows.max(axis=0))
            limited[index] += int((values >= _RELU6_LIMIT).sum())
            count[index] += values.size
        progress.advance()
    return ranges, {i: limited[i] / max(1, count[i]) for i in tensors}


def _is_limited(graph: FloatGraph, group: _Group, clipped: dict[int, float]) -> bool:
    """Return whether a ReLU6 in the group cuts off too much to become a ReLU."""
    return any(
        clipped[graph.graph.operators[index].outputs[0]] > MAX_CLIPPED
        for index in (*group.producers, *group.passes)
        if graph.activation(index) == RELU6
    )


def _factors(graph: FloatGraph, group: _Group, seen: Channels) -> Channels:
    """Return the divisor of each channel; the largest is 1."""
    mixing = [i for i in group.consumers if graph.graph.operators[i].op != "DEPTHWISE_CONV_2D"]
    factors: Channels = seen
    if mixing:
        weights = np.max([_input_ranges(graph, i) for i in mixing], axis=0)
        weights = np.maximum(weights, weights.max(initial=0.0) / MAX_RATIO)
        if weights.any():
            factors = seen**STRENGTH / weights ** (1 - STRENGTH)
    factors = factors / factors.max()
    return factors


def _input_ranges(graph: FloatGraph, operator: int) -> Channels:
    """Return how large each input channel's weights are, relative to their output's largest."""
    weights = np.abs(graph.weights(operator)).astype(np.float64)
    rows = weights.reshape(weights.shape[0], -1, weights.shape[-1]).max(axis=1)
    largest = rows.max(axis=1, keepdims=True)
    shares: Channels = np.divide(rows, largest, out=np.zeros_like(rows), where=largest > 0)
    widest: Channels = shares.max(axis=0)
    return widest


def _apply(graph: FloatGraph, group: _Group, factors: NDArray[np.float32]) -> None:
    for index in (*group.producers, *group.passes):
        if graph.activation(index) == RELU6:
            graph.set_activation(index, RELU)
    for index in group.producers:
        weights = graph.weights(index)
        if graph.graph.operators[index].op == "DEPTHWISE_CONV_2D":
            weights /= factors
        else:
            weights /= factors.reshape(-1, *[1] * (weights.ndim - 1))
        graph.set_weights(index, weights)
        if (bias := graph.bias(index)).any():
            graph.set_bias(index, bias / factors)
    for index in group.consumers:
        weights = graph.weights(index)
        repeat = weights.shape[-1] // len(factors)
        graph.set_weights(index, weights * np.repeat(factors, repeat))

"""Which channels of a Keras model depend on each other and can only be removed together.

Every value that flows through the model has channels along its last axis, and each of those got a
number where it was made: by a convolution or a dense layer. Batch normalization, activations and
pooling pass the numbers on, Concatenate puts them one after another, Flatten repeats them for each
position, and Add makes two numbers one (a union-find joins them). One number is a *cell*: it
is removed or kept as a whole, in all layers that hold it. Cells that the same layers make form a *group*,
in which a round number of cells is kept. What reaches the model's outputs, or an operation that is
not known here, is locked and stays.

Method: the coupling of parameters by a dependency graph follows Fang et al. 2023, "DepGraph: Towards
Any Structural Pruning", arXiv:2301.12900, here per channel instead of per layer.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.pruning.operators import Kind, kind_of, mixes_channels
from edgeinfer.converters.tensorflow.trace import Call, Trace, functional

Indices = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class LayerUse:
    """A layer's call, and the channels that come in and go out.

    Attributes:
        call: the call.
        kind: how it treats channels.
        inputs: for each tensor the numbers of its channels, (C,).
        output: those of the result, (C,).
    """

    call: Call
    kind: Kind
    inputs: tuple[Indices, ...]
    output: Indices

    @property
    def positions(self) -> int:
        """How often its weights are applied for one input: the result's size without channels."""
        sides = [side or 1 for side in self.call.shape[1:-1]]
        return int(np.prod(sides)) if sides else 1


@dataclass(frozen=True, kw_only=True, eq=False)
class ChannelGroup:
    """Cells that the same layers make.

    Attributes:
        name: of the first layer that makes them.
        layers: the names of all that do.
        cells: their numbers, (n,).
    """

    name: str
    layers: tuple[str, ...]
    cells: Indices


@dataclass(frozen=True, kw_only=True, eq=False)
class ChannelGraph:
    """A model split into calls, channels and groups.

    Attributes:
        model: the Keras model.
        inputs: numbers of the model's input tensors in the trace.
        outputs: those of its outputs.
        uses: every call, in an order in which they can run.
        cell: (channels,) the cell of each channel number.
        groups: what can be pruned.
        unknown: layers whose effect on channels is not known; all channels that they touch stay.
    """

    model: Any
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    uses: tuple[LayerUse, ...]
    cell: Indices
    groups: tuple[ChannelGroup, ...]
    unknown: tuple[str, ...]

    @property
    def cells(self) -> int:
        """The number of cell numbers; not all of them are used."""
        return len(self.cell)


def channel_graph(model: Any) -> ChannelGraph:
    """Split a Keras model into calls, channels and groups.

    Args:
        model: functional or Sequential, channels last.

    Raises:
        ConversionError: it is neither, or has layers with several results.
    """
    trace = Trace()
    inputs, outputs = trace.follow(functional(model))
    numbering = _Numbering()
    channels = dict[int, Indices]()
    for number, tensor in zip(inputs, model.inputs, strict=True):
        channels[number] = numbering.fresh(tensor.shape[-1] or 1, locked=True)
    repeated = _used_twice(trace.calls)
    uses, unknown = [], []
    for call in trace.calls:
        incoming = tuple(channels[number] for number in call.inputs)
        kind = Kind.UNKNOWN if id(call.layer) in repeated else kind_of(call, incoming)
        if kind is Kind.UNKNOWN:
            unknown.append(call.layer.name)
        outgoing = numbering.follow(kind, call, incoming)
        channels[call.output] = outgoing
        uses.append(LayerUse(call=call, kind=kind, inputs=incoming, output=outgoing))
    for number in outputs:
        numbering.lock(channels[number])
    cell = numbering.roots()
    return ChannelGraph(
        model=model,
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        uses=tuple(uses),
        cell=cell,
        groups=_groups(uses, cell, numbering.locked_cells()),
        unknown=tuple(dict.fromkeys(unknown)),
    )


def _used_twice(calls: Sequence[Call]) -> set[int]:
    """Return the layers called more than once whose weights or settings would have to fit both."""
    seen: set[int] = set()
    twice: set[int] = set()
    for call in calls:
        if getattr(call.layer, "weights", None) or hasattr(call.layer, "target_shape"):
            (twice if id(call.layer) in seen else seen).add(id(call.layer))
    return twice


def _groups(
    uses: Sequence[LayerUse], cell: Indices, locked: NDArray[np.bool_]
) -> tuple[ChannelGroup, ...]:
    """Put the cells that the same layers make together, in the order of the layers."""
    makers: dict[int, list[str]] = {}
    for use in uses:
        if use.kind.makes_channels:
            for number in np.unique(cell[use.output]):
                makers.setdefault(int(number), []).append(use.call.layer.name)
    members: dict[tuple[str, ...], list[int]] = {}
    for number, layers in makers.items():
        if not locked[number]:
            members.setdefault(tuple(layers), []).append(number)
    return tuple(
        ChannelGroup(name=layers[0], layers=layers, cells=np.array(sorted(cells), np.int64))
        for layers, cells in members.items()
    )


@dataclass(kw_only=True)
class _Numbering:
    """Numbers for channels, and which of them are the same cell."""

    parent: list[int] = field(default_factory=list)
    locked: set[int] = field(default_factory=set)

    def follow(self, kind: Kind, call: Call, incoming: tuple[Indices, ...]) -> Indices:
        """Return the numbers of a call's result."""
        width = call.shape[-1] or 1
        if kind is Kind.UNKNOWN:
            for numbers in incoming:
                self.lock(numbers)
            return self.fresh(width, locked=True)
        if kind in (Kind.CONV, Kind.DENSE, Kind.TRANSPOSED, Kind.SEPARABLE):
            return self.fresh(width, locked=mixes_channels(call.layer))
        if kind is Kind.DEPTHWISE:
            source = np.repeat(incoming[0], width // len(incoming[0]))
            if width == len(incoming[0]):
                return source
            made = self.fresh(width)
            self.join(made, source)
            return made
        if kind is Kind.CONCATENATE:
            return np.concatenate(incoming)
        if kind is Kind.FLATTEN:
            return np.tile(incoming[0], width // len(incoming[0]))
        return self._merge(incoming)

    def _merge(self, incoming: tuple[Indices, ...]) -> Indices:
        """Join what is added channel by channel; a single channel is spread over all."""
        widest = max(incoming, key=len)
        for numbers in incoming:
            if len(numbers) == len(widest):
                self.join(numbers, widest)
            else:
                self.lock(numbers)
        return widest

    def fresh(self, count: int, *, locked: bool = False) -> Indices:
        """Number new channels."""
        numbers = np.arange(len(self.parent), len(self.parent) + count, dtype=np.int64)
        self.parent.extend(map(int, numbers))
        if locked:
            self.lock(numbers)
        return numbers

    def lock(self, numbers: Indices) -> None:
        """Keep channels in any case."""
        self.locked.update(map(int, numbers))

    def join(self, left: Indices, right: Indices) -> None:
        """Join channels, pair by pair."""
        for a, b in zip(left, right, strict=True):
            roots = sorted((self._root(int(a)), self._root(int(b))))
            self.parent[roots[1]] = roots[0]

    def roots(self) -> Indices:
        """Return (channels,) the cell of each."""
        return np.array([self._root(number) for number in range(len(self.parent))], np.int64)

    def locked_cells(self) -> NDArray[np.bool_]:
        """Return (channels,) whether the cell of that number is locked."""
        locked = np.zeros(len(self.parent), bool)
        for number in self.locked:
            locked[self._root(number)] = True
        return locked

    def _root(self, number: int) -> int:
        while self.parent[number] != number:
            self.parent[number] = self.parent[self.parent[number]]
            number = self.parent[number]
        return number

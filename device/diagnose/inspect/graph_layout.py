"""Where the boxes of a graph go: in layers from top to bottom, branches side by side.

Method: Sugiyama, Tagawa, Toda 1981, "Methods for visual understanding of hierarchical system
structures": longest-path layers; an edge that passes layers gets a waypoint in each, so that it
runs next to the boxes; barycentres order each layer. The longest path is the spine, one straight
column. Within the order, the other places are the nearest to their neighbours' mean that keep the
boxes apart: a least-squares problem with ordered variables, which pooling adjacent violators solves
(Barlow et al. 1972).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

_ORDER_SWEEPS = 8
_PLACE_SWEEPS = 12
_SPINE_WEIGHT = 1e6
"""Against 1 of all else: without a fixed column, a long chain of branches wanders sideways."""


class TooLargeError(Exception):
    """More boxes and waypoints than were allowed."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where everything is.

    Attributes:
        layers: how many there are, the first one on top.
        layer: of each node.
        x: the middle of each node, pixels from the leftmost box's left edge.
        width: of all, pixels.
        edges: for each edge (source, target) of nodes the waypoints between them as (layer, x).
    """

    layers: int
    layer: tuple[int, ...]
    x: tuple[float, ...]
    width: float
    edges: dict[tuple[int, int], tuple[tuple[int, float], ...]]


def lay_out(
    count: int,
    edges: Iterable[tuple[int, int]],
    *,
    box_width: float,
    gap: float,
    waypoint_width: float,
    max_items: int,
) -> Layout:
    """Place the nodes 0 to `count` - 1.

    Args:
        count: how many nodes.
        edges: pairs (source, target); a source has the lower number, so that there is no cycle.
        box_width: of a node, pixels.
        gap: least room between two boxes, pixels.
        waypoint_width: room for an edge that passes a layer, pixels.
        max_items: the most nodes and waypoints.

    Raises:
        TooLargeError: there are more.
    """
    if count > max_items:
        raise TooLargeError(f"{count:,} boxes")
    pairs = sorted(set(edges))
    layer = _layers(count, pairs)
    chains, item_layers = _chains(layer, pairs, max_items)
    above: list[list[int]] = [[] for _ in item_layers]
    below: list[list[int]] = [[] for _ in item_layers]
    for source, target in pairs:
        upper = chains[source][layer[target] - layer[source] - 1]
        above[target].append(upper)
        below[upper].append(target)
    for chain in chains:
        for upper, lower in pairwise(chain):
            above[lower].append(upper)
            below[upper].append(lower)
    rows = _ordered(item_layers, above, below)
    widths = [box_width if item < count else waypoint_width for item in range(len(item_layers))]
    x = _placed(rows, above, below, widths, gap, _spine(layer, pairs))
    left = min((x[i] - widths[i] / 2 for i in range(len(x))), default=0.0)
    right = max((x[i] + widths[i] / 2 for i in range(len(x))), default=0.0)
    return Layout(
        layers=len(rows),
        layer=tuple(layer),
        x=tuple(place - left for place in x[:count]),
        width=right - left,
        edges={
            (source, target): tuple(
                (item_layers[item], x[item] - left)
                for item in chains[source][1 : layer[target] - layer[source]]
            )
            for source, target in pairs
        },
    )


def _layers(count: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    """Return each node's layer: below its lowest source; without one, just above what reads it."""
    layer = [0] * count
    sources, targets = {a for a, _ in pairs}, {b for _, b in pairs}
    for source, target in pairs:  # sorted: a source's own layer is final when it is read
        layer[target] = max(layer[target], layer[source] + 1)
    nearest: dict[int, int] = {}
    for source, target in pairs:
        nearest[source] = min(nearest.get(source, layer[target]), layer[target])
    for node in sources - targets:
        layer[node] = nearest[node] - 1
    return layer


def _spine(layer: Sequence[int], pairs: Sequence[tuple[int, int]]) -> frozenset[int]:
    """Return the nodes of a path from the lowest node up, a layer a step."""
    above = {target: source for source, target in pairs if layer[source] == layer[target] - 1}
    path: list[int] = []
    node = max(range(len(layer)), key=lambda item: (layer[item], -item), default=None)
    while node is not None:
        path.append(node)
        node = above.get(node)
    return frozenset(path)


def _chains(
    layer: Sequence[int], pairs: Sequence[tuple[int, int]], max_items: int
) -> tuple[list[list[int]], list[int]]:
    """Return each node with its waypoints below, and the layer of each node and waypoint.

    All edges of a source share its waypoints: what several read is one line that branches.
    """
    item_layers = list(layer)
    deepest = list(layer)
    for source, target in pairs:
        deepest[source] = max(deepest[source], layer[target] - 1)
    chains = []
    for node, begin in enumerate(layer):
        more = max(0, deepest[node] - begin)
        if len(item_layers) + more > max_items:
            raise TooLargeError(f"more than {max_items:,} boxes and waypoints")
        chains.append([node, *range(len(item_layers), len(item_layers) + more)])
        item_layers += range(begin + 1, begin + more + 1)
    return chains, item_layers


def _ordered(
    item_layers: Sequence[int], above: Sequence[Sequence[int]], below: Sequence[Sequence[int]]
) -> list[list[int]]:
    """Return the items of each layer from left to right, with few crossings."""
    rows: list[list[int]] = [[] for _ in range(max(item_layers, default=-1) + 1)]
    for item, number in enumerate(item_layers):
        rows[number].append(item)
    position = [0.0] * len(item_layers)
    for row in rows:
        for index, item in enumerate(row):
            position[item] = index
    for sweep in range(_ORDER_SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            wanted = {
                item: _mean([position[i] for i in (above if down else below)[item]], position[item])
                for item in row
            }
            row.sort(key=lambda item: (wanted[item], position[item]))
            for index, item in enumerate(row):
                position[item] = index
    return rows


def _placed(
    rows: Sequence[Sequence[int]],
    above: Sequence[Sequence[int]],
    below: Sequence[Sequence[int]],
    widths: Sequence[float],
    gap: float,
    spine: frozenset[int],
) -> list[float]:
    """Return the middle of each item, pixels."""
    x = [0.0] * len(widths)
    for sweep in range(_PLACE_SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            # From half time on both ways, so that both ends of an edge count equally.
            both = sweep >= _PLACE_SWEEPS // 2
            wanted = []
            for item in row:
                near = [*above[item], *below[item]] if both else (above if down else below)[item]
                wanted.append(0.0 if item in spine else _mean([x[i] for i in near], x[item]))
            distances = [(widths[a] + widths[b]) / 2 + gap for a, b in pairwise(row)]
            weights = [_SPINE_WEIGHT if item in spine else 1.0 for item in row]
            for item, place in zip(row, spread(wanted, distances, weights), strict=True):
                x[item] = place
    return x


def spread(
    wanted: Sequence[float], distances: Sequence[float], weights: Sequence[float]
) -> list[float]:
    """Return places as near as can be to the wanted ones, each so far from the one before it.

    Args:
        wanted: where each would be best.
        distances: the least distance between each and its successor, one fewer.
        weights: how much a squared deviation counts, above 0.
    """
    offsets = [0.0]
    for distance in distances:
        offsets.append(offsets[-1] + distance)
    # Runs of items that touch: (mean place, weight, how many), places less their offsets.
    runs: list[tuple[float, float, int]] = []
    for place, offset, weight in zip(wanted, offsets, weights, strict=False):
        run = (place - offset, weight, 1)
        while runs and runs[-1][0] > run[0]:
            mean, before, items = runs.pop()
            total = before + run[1]
            run = ((mean * before + run[0] * run[1]) / total, total, items + run[2])
        runs.append(run)
    places = [mean for mean, _, items in runs for _ in range(items)]
    return [place + offset for place, offset in zip(places, offsets, strict=False)]


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default

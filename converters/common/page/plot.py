"""Charts as SVG: lines, points, bars and rules over two axes.

A chart has no fonts, colours or scripts: those of the page apply, so it is light or dark
as the page is. It is at most as wide as a phone, so that its numbers can be read there.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from edgeinfer.converters.common.page.axis import Axis, number_text
from edgeinfer.converters.common.page.texts import plain

WIDTH, HEIGHT = 420, 280
"""Size of a chart in its units, about pixels."""

COLOURS = 6
"""How many colours the page has."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 10, 24, 42


@dataclass(frozen=True, kw_only=True)
class Line:
    """Points that are joined, in their order; a gap where one is not finite.

    Attributes:
        x: the places.
        y: the values.
        colour: 0 to `COLOURS` - 1.
        dashed: whether the line is dashed.
        dots: whether each point has a dot.
    """

    x: Sequence[float]
    y: Sequence[float]
    colour: int = 0
    dashed: bool = False
    dots: bool = False


@dataclass(frozen=True, kw_only=True)
class Points:
    """Separate points.

    Attributes:
        x: the places.
        y: the values.
        colour: 0 to `COLOURS` - 1.
    """

    x: Sequence[float]
    y: Sequence[float]
    colour: int = 0


@dataclass(frozen=True, kw_only=True)
class Bars:
    """Bars between two values each, such as shares or intervals.

    Attributes:
        left: where each begins on the first axis.
        right: where each ends.
        low: its lower ends on the second axis.
        high: its upper ends.
        colour: 0 to `COLOURS` - 1.
    """

    left: Sequence[float]
    right: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    colour: int = 0


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A thin dashed line from one point to another, with a word at its end.

    Attributes:
        start: (x, y).
        end: (x, y).
        text: the word; empty for none.
    """

    start: tuple[float, float]
    end: tuple[float, float]
    text: str = ""


Layer: TypeAlias = Line | Points | Bars | Rule


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A chart.

    Attributes:
        x: the axis below.
        y: the axis at the left.
        layers: what is drawn, the lowest first.
    """

    x: Axis
    y: Axis
    layers: tuple[Layer, ...]


def draw(plot: Plot, title: str, description: str) -> str:
    """Return a chart as an SVG element.

    Args:
        plot: the chart.
        title: its name, for readers who do not see it.
        description: what it shows, for the same readers.
    """
    parts = [
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{_escaped(f"{title}. {description}")}">',
        f"<title>{_escaped(title)}</title><desc>{_escaped(description)}</desc>",
        *_axes(plot),
    ]
    for layer in plot.layers:
        parts += _drawn(plot, layer)
    return "".join([*parts, "</svg>"])


def _axes(plot: Plot) -> Iterator[str]:
    bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
    for tick in plot.y.ticks():
        y = _y(plot, tick)
        yield f'<path class="grid" d="M{_LEFT} {y}H{right}"/>'
        yield f'<text class="end" x="{_LEFT - 6}" y="{_moved(y, 4)}">{number_text(tick)}</text>'
    for tick in plot.x.ticks():
        x = _x(plot, tick)
        yield f'<path class="grid" d="M{x} {_TOP}V{bottom}"/>'
        yield f'<text class="mid" x="{x}" y="{bottom + 16}">{number_text(tick)}</text>'
    yield f'<path class="frame" d="M{_LEFT} {_TOP}V{bottom}H{right}"/>'
    centre = _number((_LEFT + right) / 2)
    yield f'<text class="mid" x="{centre}" y="{HEIGHT - 6}">{_escaped(plot.x.title)}</text>'
    yield f'<text x="2" y="10">{_escaped(plot.y.title)}</text>'


def _drawn(plot: Plot, layer: Layer) -> Iterator[str]:
    if isinstance(layer, Line):
        dashed = " dash" if layer.dashed else ""
        yield f'<path class="line c{layer.colour}{dashed}" d="{_way(plot, layer)}"/>'
        if layer.dots:
            yield from _dots(plot, layer.x, layer.y, layer.colour, 3)
    elif isinstance(layer, Points):
        yield from _dots(plot, layer.x, layer.y, layer.colour, 2)
    elif isinstance(layer, Bars):
        for left, right, low, high in zip(
            layer.left, layer.right, layer.low, layer.high, strict=True
        ):
            x, y = _x(plot, left), _y(plot, high)
            wide = _number(max(0.8, float(_x(plot, right)) - float(x)))
            tall = _number(max(0.8, float(_y(plot, low)) - float(y)))
            yield f'<rect class="bar c{layer.colour}" x="{x}" y="{y}" width="{wide}" '
            yield f'height="{tall}"/>'
    else:
        (x1, y1), (x2, y2) = layer.start, layer.end
        start, end = f"{_x(plot, x1)} {_y(plot, y1)}", f"{_x(plot, x2)} {_y(plot, y2)}"
        yield f'<path class="rule" d="M{start}L{end}"/>'
        if layer.text:
            yield f'<text class="small" x="{_moved(_x(plot, x2), 3)}" '
            yield f'y="{_moved(_y(plot, y2), 10)}">{_escaped(layer.text)}</text>'


def _way(plot: Plot, line: Line) -> str:
    commands, drawing = [], False
    for x, y in zip(line.x, line.y, strict=True):
        if not (math.isfinite(x) and math.isfinite(y)):
            drawing = False
            continue
        commands.append(f"{'L' if drawing else 'M'}{_x(plot, x)} {_y(plot, y)}")
        drawing = True
    return "".join(commands)


def _dots(
    plot: Plot, xs: Sequence[float], ys: Sequence[float], colour: int, radius: int
) -> Iterator[str]:
    for x, y in zip(xs, ys, strict=True):
        if math.isfinite(x) and math.isfinite(y):
            yield f'<circle class="dot c{colour}" cx="{_x(plot, x)}" cy="{_y(plot, y)}" '
            yield f'r="{radius}"/>'


def _x(plot: Plot, value: float) -> str:
    return _number(_LEFT + plot.x.share(value) * (WIDTH - _LEFT - _RIGHT))


def _y(plot: Plot, value: float) -> str:
    return _number(HEIGHT - _BOTTOM - plot.y.share(value) * (HEIGHT - _TOP - _BOTTOM))


def _moved(place: str, by: float) -> str:
    return _number(float(place) + by)


def _escaped(text: str) -> str:
    return html.escape(plain(text))


def _number(value: float) -> str:
    """Return a place with a tenth of a unit, which no eye misses."""
    return f"{value:.1f}".removesuffix(".0")

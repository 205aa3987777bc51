"""A drawing of a model's graph as SVG text: a box an operator, data flowing from top to bottom.

Written by hand, so that a board needs no drawing package for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from edgeinfer.device.core.errors import ModelError, printable
from edgeinfer.device.diagnose.inspect.graph_layout import Layout, TooLargeError, lay_out
from edgeinfer.device.diagnose.inspect.operators import shape_text
from edgeinfer.device.tflite.activation_memory import peak_activation
from edgeinfer.device.tflite.macs import model_macs, operator_macs
from edgeinfer.device.tflite.model import Subgraph, Tensor, TfliteModel

MAX_ITEMS = 20_000
"""Most boxes and waypoints of a drawing: what lies beyond takes minutes, and nobody could read."""

_BOX_WIDTH, _BOX_HEIGHT = 240, 60
_GAP, _LAYER_GAP, _WAYPOINT_WIDTH = 24, 34, 8
_MARGIN, _HEADER = 24, 64
_TEXT_WIDTH = 31
"""Characters of 12 pixels' monospace, 7.2 pixels each, that fit into a box."""

_STYLE = """
text { font: 12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #1d2733; }
.title { font-size: 16px; font-weight: bold; }
.op { font-weight: bold; }
.note { fill: #5a6572; }
rect { stroke-width: 1.2; }
.plain { fill: #f4f4f1; stroke: #8b9098; }
.macs { fill: #dfeaf8; stroke: #3b6fb0; }
.custom { fill: #fde8d2; stroke: #c0721a; }
.end { fill: #e2f2df; stroke: #4b8a45; }
path { fill: none; stroke: #6b7683; stroke-width: 1.4; }
#tip path { fill: #6b7683; stroke: none; }
"""


@dataclass(frozen=True, kw_only=True)
class _Box:
    """One box: its kind names the style, `hint` is what a pointer that rests on it shows."""

    kind: str
    lines: tuple[str, ...]
    hint: str


def draw_graph(model: TfliteModel, *, name: str) -> str:
    """Return the SVG text of a model's first graph.

    Args:
        model: the model.
        name: the headline, such as the file's name.

    Raises:
        ModelError: the graph is too large to be drawn.
    """
    graph = model.subgraphs[0]
    boxes, edges = _boxes(model)
    try:
        layout = lay_out(
            len(boxes),
            edges,
            box_width=_BOX_WIDTH,
            gap=_GAP,
            waypoint_width=_WAYPOINT_WIDTH,
            max_items=MAX_ITEMS,
        )
    except TooLargeError as error:
        raise ModelError(
            name,
            got=f"its graph cannot be drawn: {error}",
            expected=f"at most {MAX_ITEMS:,}",
            next_step="inspect it with --ops instead",
        ) from error
    width = max(layout.width, 560) + 2 * _MARGIN
    height = _HEADER + layout.layers * (_BOX_HEIGHT + _LAYER_GAP) + _MARGIN
    left = (width - layout.width) / 2
    peak = peak_activation(model)
    summary = (
        f"{len(graph.operators):,} operators, {model_macs(model):,} MACs, "
        f"activations up to {peak.size_bytes:,} bytes"
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}">',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8Z"/></marker></defs>',
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
        f'<text class="title" x="{_MARGIN}" y="28">{_shown(name, 60, keep_end=True)}</text>',
        f'<text class="note" x="{_MARGIN}" y="48">{summary}</text>',
        *(_path(layout, source, target, left) for source, target in layout.edges),
        *(
            _drawn(box, layout.x[node] + left - _BOX_WIDTH / 2, _top(layout.layer[node]))
            for node, box in enumerate(boxes)
        ),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _boxes(model: TfliteModel) -> tuple[list[_Box], list[tuple[int, int]]]:
    """Return the boxes (inputs, operators in the file's order, outputs) and what links them."""
    graph = model.subgraphs[0]
    peak = peak_activation(model).operator
    boxes: list[_Box] = []
    edges: list[tuple[int, int]] = []
    writer: dict[int, int] = {}
    for index in graph.inputs:
        writer[index] = len(boxes)
        boxes.append(_end_box("input", graph.tensors[index]))
    for number, operator in enumerate(graph.operators):
        edges += [(writer[index], len(boxes)) for index in operator.inputs if index in writer]
        writer.update(dict.fromkeys(operator.outputs, len(boxes)))
        boxes.append(_operator_box(graph, number, is_peak=number == peak))
    for index in graph.outputs:
        if index in writer:
            edges.append((writer[index], len(boxes)))
        boxes.append(_end_box("output", graph.tensors[index]))
    return boxes, edges


def _end_box(kind: str, tensor: Tensor) -> _Box:
    return _Box(kind="end", lines=(kind, tensor.name, _type(tensor)), hint=tensor.name)


def _operator_box(graph: Subgraph, number: int, *, is_peak: bool) -> _Box:
    operator = graph.operators[number]
    macs = operator_macs(graph, operator)
    outputs = [graph.tensors[index] for index in operator.outputs]
    result = _type(outputs[0]) if outputs else "no output"
    if len(outputs) > 1:
        result += f", +{len(outputs) - 1}"
    notes = [f"{macs:,} MACs"] if macs else []
    notes += ["peak memory"] if is_peak else []
    return _Box(
        kind="custom" if operator.custom else "macs" if macs else "plain",
        lines=(f"{number}  {operator.op}", result, ", ".join(notes)),
        hint=", ".join(tensor.name for tensor in outputs),
    )


def _type(tensor: Tensor) -> str:
    return f"{shape_text(tensor)}  {tensor.dtype}"


def _top(layer: int) -> int:
    return _HEADER + layer * (_BOX_HEIGHT + _LAYER_GAP)


def _drawn(box: _Box, x: float, y: int) -> str:
    middle = x + _BOX_WIDTH / 2
    radius = _BOX_HEIGHT / 2 if box.kind == "end" else 6
    shown = [line for line in box.lines if line]
    first = y + _BOX_HEIGHT / 2 + 4 - 8 * (len(shown) - 1)
    texts = "".join(
        f'<text class="{"op" if index == 0 else "note" if index == 2 else ""}" '
        f'text-anchor="middle" x="{middle:.1f}" y="{first + 16 * index:.1f}">'
        f"{_shown(line, _TEXT_WIDTH)}</text>"
        for index, line in enumerate(shown)
    )
    return (
        f"<g><title>{_shown(box.hint, 300)}</title>"
        f'<rect class="{box.kind}" x="{x:.1f}" y="{y}" width="{_BOX_WIDTH}" '
        f'height="{_BOX_HEIGHT}" rx="{radius:.0f}"/>{texts}</g>'
    )


def _path(layout: Layout, source: int, target: int, left: float) -> str:
    """Draw one edge: from box to waypoint to box a curve, past each waypoint's layer straight."""
    x, y = layout.x[source] + left, _top(layout.layer[source]) + _BOX_HEIGHT
    steps = [f"M{x:.1f} {y}"]
    ends = [*layout.edges[source, target], (layout.layer[target], layout.x[target])]
    for index, (layer, place) in enumerate(ends):
        to_x, to_y = place + left, _top(layer)
        middle = (y + to_y) / 2
        steps.append(f"C{x:.1f} {middle:.0f} {to_x:.1f} {middle:.0f} {to_x:.1f} {to_y}")
        x, y = to_x, to_y
        if index < len(ends) - 1:
            y += _BOX_HEIGHT
            steps.append(f"V{y}")
    return f'<path d="{"".join(steps)}" marker-end="url(#tip)"/>'


def _shown(text: str, length: int, *, keep_end: bool = False) -> str:
    """Return text fit for XML, in which some characters are not allowed even escaped."""
    text = printable(text).replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")
    if len(text) > length:
        text = "…" + text[1 - length :] if keep_end else text[: length - 1] + "…"
    return escape(text)

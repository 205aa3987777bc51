"""The report's picture: accuracy against time, size as area, the front, the budget, the winner."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from edgeinfer.host.search.front import BASELINE, Entry
from edgeinfer.host.search.study.results import Found

# Okabe and Ito's palette, which colour-blind people can distinguish; the shapes differ as well.
_BLUE, _ORANGE, _GREEN, _RED, _GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#7F7F7F"
_STYLES = {
    "plain": ("D", _GREY, "as it is, other ranges or precision"),
    "pruned": ("o", _BLUE, "pruned"),
    "student": ("^", _ORANGE, "student"),
    "baseline": ("X", _RED, "baseline: plain INT8"),
}
_LOGARITHMIC_FROM = 6.0
"""If times differ by this factor, the axis is logarithmic."""

_AREAS = (30.0, 420.0)
"""Area of the smallest and the largest marker, square points."""


def draw_front(found: Found) -> bytes:
    """Draw all measured models as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 6.0), layout="constrained")
    axes: Any = figure.subplots()
    _draw_budget(axes, found)
    outline = _outline(found)
    axes.plot(
        [_ms(model) for model in outline],
        [100 * model.measured.accuracy for model in outline],
        color=_BLUE, linewidth=1.3, alpha=0.7, zorder=2, label="front: no other is better",
    )  # fmt: skip
    on_front = {BASELINE, *(model.number for model in found.front)}
    for style, (marker, colour, title) in _STYLES.items():
        models = [model for model in found.models if _style(model) == style]
        if not models:
            continue
        axes.scatter(
            [_ms(model) for model in models],
            [100 * model.measured.accuracy for model in models],
            s=[_area(model, found) for model in models],
            marker=marker, color=colour, edgecolor="black", linewidth=0.6, zorder=3,
            alpha=[0.95 if model.number in on_front else 0.35 for model in models],
        )  # fmt: skip
        # In the legend all have the same size: the area shows a single model's size.
        axes.scatter([], [], s=60, marker=marker, color=colour, edgecolor="black", label=title)
    if found.winner is not None:
        at = (_ms(found.winner), 100 * found.winner.measured.accuracy)
        size = _area(found.winner, found) + 260
        axes.scatter(
            *at, s=size, marker="o", facecolor="none", edgecolor=_GREEN, linewidth=2.4, zorder=4
        )
        axes.scatter(
            [], [], s=110, marker="o", facecolor="none", edgecolor=_GREEN, linewidth=2.4,
            label=f"winner: {found.winner.title}",
        )  # fmt: skip
    _name(axes, found)
    times = [_ms(model) for model in found.models]
    wide = max(times) > _LOGARITHMIC_FROM * min(times)
    if wide:
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(_plain)
    axes.xaxis.set_major_formatter(_plain)
    axes.tick_params(axis="x", which="both", labelsize=8)
    axes.margins(0.09)
    axes.grid(True, which="both", color="#DDDDDD", linewidth=0.6)
    axes.set(
        xlabel=f"invoke, ms{' (logarithmic)' if wide else ''}",
        ylabel=f"validation {_safe(found.baseline.score_name)}, %",
    )
    sizes = [model.measured.footprint.size_bytes / 1000 for model in found.models]
    axes.set_title(
        f"{_safe(found.name)}: accuracy against time; area is size, {min(sizes):,.0f} to "
        f"{max(sizes):,.0f} kB",
        fontsize=11,
    )
    axes.legend(loc="lower right", fontsize=8, framealpha=0.9)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120, metadata={"Software": None})
    return picture.getvalue()


def _draw_budget(axes: Any, found: Found) -> None:
    floor = found.budget.floor(found.baseline.float_accuracy)
    axes.axhline(
        100 * found.baseline.float_accuracy, color=_GREY, linewidth=1, linestyle=":",
        label="the float model",
    )  # fmt: skip
    if floor is not None:
        axes.axhline(
            100 * floor, color=_RED, linewidth=1.3, linestyle="--",
            label=f"budget: {100 * floor:.2f} %",
        )  # fmt: skip
    if found.budget.invoke_ms is not None:
        axes.axvline(
            found.budget.invoke_ms, color=_RED, linewidth=1.3, linestyle="-.",
            label=f"budget: {found.budget.invoke_ms:g} ms",
        )  # fmt: skip


def _outline(found: Found) -> list[Entry]:
    """Return the part of the front that remains if size does not count."""
    best, outline = -1.0, []
    for model in found.front:
        if model.measured.accuracy > best:
            best = model.measured.accuracy
            outline.append(model)
    return outline


def _name(axes: Any, found: Found) -> None:
    """Write numbers next to the models of the front, and the baseline's name."""
    named = {model.number: model for model in (*found.front, *found.models[:1])}
    above = True
    for model in sorted(named.values(), key=_ms):
        text = "baseline" if model.number == BASELINE else model.title
        axes.annotate(
            text, (_ms(model), 100 * model.measured.accuracy), textcoords="offset points",
            xytext=(0, 13 if above else -19), ha="center", fontsize=8, zorder=5,
        )  # fmt: skip
        above = not above


def _style(model: Entry) -> str:
    return "baseline" if model.number == BASELINE else model.candidate.kind


def _area(model: Entry, found: Found) -> float:
    sizes = [one.measured.footprint.size_bytes for one in found.models]
    share = model.measured.footprint.size_bytes / max(sizes)
    return float(np.interp(share, (0.0, 1.0), _AREAS))


def _ms(model: Entry) -> float:
    return model.measured.footprint.invoke_ms


def _plain(value: float, _position: object) -> str:
    return f"{value:.3g}"


def _safe(text: str) -> str:
    # A name may contain '$', which matplotlib would read as mathematics.
    return text.replace("$", r"\$")[:60]

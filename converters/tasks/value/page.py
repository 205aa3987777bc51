"""What a page says of measured values: truth against answer, and the error over the range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.common.page.axis import axis_of
from edgeinfer.converters.common.page.parts import (
    Figure,
    Figures,
    Part,
    Pictures,
    Shown,
    Table,
    Text,
)
from edgeinfer.converters.common.page.plot import Bars, Line, Plot, Points, Rule, draw
from edgeinfer.converters.tasks.page_parts import (
    NO_PICTURES,
    PICTURES_SHOWN,
    long_table,
    share_text,
)
from edgeinfer.converters.tasks.value.conformal import COVERAGE
from edgeinfer.converters.tasks.value.evaluation import ValueEvaluation
from edgeinfer.device.tasks.task import Said

Floats = NDArray[np.float64]

MOST_POINTS = 2000
"""A scatter shows at most this many pictures, drawn evenly from all."""

_PARTS = 10
_BINS = 20


@dataclass(frozen=True, kw_only=True)
class Readings:
    """One value on some pictures.

    Attributes:
        name: the value's name; empty where there is one.
        unit: its unit; may be empty.
        truths: (pictures,) float64.
        answers: (pictures,) float64.
        errors: (pictures,) float64: answer less truth; on a circle the shorter way around it.
        half_width: of the interval around an answer, in the unit; None without one.
        confidence: how often the truth should be in the interval, 0 to 1.
    """

    name: str
    unit: str
    truths: Floats
    answers: Floats
    errors: Floats
    half_width: float | None = None
    confidence: float = 0.9

    @property
    def title(self) -> str:
        """The name with the unit."""
        unit = f", {self.unit}" if self.unit else ""
        return f"{self.name or 'value'}{unit}"


def readings_of(evaluation: ValueEvaluation, said: Said) -> list[Readings]:
    """Return each value of an evaluation."""
    coverage = None if said.value is None else said.value.coverage
    return [
        Readings(
            name=name,
            unit=one.unit,
            truths=evaluation.truths[:, place],
            answers=evaluation.answers[:, place],
            errors=evaluation.errors[:, place],
            half_width=one.half_width,
            confidence=coverage or COVERAGE,
        )
        for place, (name, one) in enumerate(zip(evaluation.names, evaluation.scalings, strict=True))
    ]


def value_parts(readings: Sequence[Readings], figures: Sequence[str] = ()) -> tuple[Part, ...]:
    """Return the parts about measured values.

    Args:
        readings: each value.
        figures: sentences with the errors.
    """
    if not readings or not len(readings[0].truths):
        return (NO_PICTURES,)
    parts: list[Part] = [Text(paragraphs=tuple(figures))] if figures else []
    parts.append(_table(readings))
    for one in readings:
        parts.append(Figures(figures=(_scatter(one), _over_range(one))))
    sizes = np.max([np.abs(one.errors) / _spread(one) for one in readings], axis=0)
    order = np.argsort(-sizes, kind="stable")[:PICTURES_SHOWN]
    parts.append(
        Pictures(
            title="The largest errors",
            note=f"{len(order)} of {len(sizes):,} pictures, the largest error first.",
            pictures=tuple(
                Shown(place=int(place), lines=_lines(readings, int(place))) for place in order
            ),
        )
    )
    return tuple(parts)


def value_counts(values: dict[str, Floats], titles: Sequence[str]) -> tuple[Part, ...]:
    """Return how the true values are spread in each split.

    Args:
        values: (pictures, values) of each split.
        titles: of the values.
    """
    parts: list[Part] = []
    for place, title in enumerate(titles):
        columns = {split: found[:, place] for split, found in values.items() if len(found)}
        rows = [
            (split, f"{len(found):,}", *(f"{number:,.4g}" for number in _quartiles(found)))
            for split, found in columns.items()
        ]
        header = ("split", "pictures", "lowest", "quarter", "middle", "three quarters", "highest")
        parts.append(long_table(f"True values: {title}", header, rows))
        if columns:
            parts.append(_histogram(np.concatenate(list(columns.values())), title))
    return tuple(parts)


def _table(readings: Sequence[Readings]) -> Table:
    rows = []
    for one in readings:
        errors, away = np.abs(one.errors), one.truths - one.truths.mean()
        spread = float((away**2).sum())
        explained = 1 - float((errors**2).sum()) / spread if spread else float("nan")
        covered = "-"
        if one.half_width is not None:
            inside = int((errors <= one.half_width * (1 + 1e-9)).sum())
            covered = f"{share_text(inside, len(errors))} within ±{one.half_width:.3g}"
        rows.append(
            (
                one.title,
                f"{len(errors):,}",
                f"{errors.mean():.4g}",
                f"{np.sqrt((errors**2).mean()):.4g}",
                f"{explained:.4f}" if np.isfinite(explained) else "-",
                f"{np.quantile(errors, 0.95):.4g}",
                f"{errors.max():.4g}",
                covered,
            )
        )
    header = (
        *("value", "pictures", "mean error", "RMSE", "R2", "95 % are below", "largest"),
        "truth in the interval",
    )
    wanted = sorted({f"{one.confidence:.0%}" for one in readings if one.half_width is not None})
    note = "Errors without their signs, in the unit of the value."
    if wanted:
        note += f" The interval around an answer should hold the truth in {' or '.join(wanted)}."
    return long_table("Each value", header, rows, note=note)


def _scatter(one: Readings) -> Figure:
    places = np.arange(len(one.truths))
    if len(places) > MOST_POINTS:
        places = np.linspace(0, len(places) - 1, MOST_POINTS).astype(int)
    true, answers = one.truths[places].tolist(), one.answers[places].tolist()
    axis = axis_of([*one.truths.tolist()], f"truth ({one.title})")
    y = axis_of([*one.truths.tolist(), *answers], "answer")
    title = f"Truth and answer: {one.title}"
    said = (
        f"{len(places):,} of {len(one.truths):,} pictures; true values from "
        f"{one.truths.min():,.4g} to {one.truths.max():,.4g}, mean error "
        f"{np.abs(one.errors).mean():.3g}."
    )
    rule = Rule(start=(axis.low, axis.low), end=(axis.high, axis.high))
    plot = Plot(x=axis, y=y, layers=(rule, Points(x=true, y=answers)))
    note = "On the dashed line, the answer is the truth."
    if len(places) < len(one.truths):
        note += f" {len(places):,} of {len(one.truths):,} pictures are drawn."
    return Figure(title=title, svg=draw(plot, title, said), description=said, note=note)


def _over_range(one: Readings) -> Figure:
    """Return the mean and the largest error in parts of the range of the true values."""
    edges = np.linspace(one.truths.min(), one.truths.max(), _PARTS + 1)
    part = np.clip(np.searchsorted(edges, one.truths, side="right") - 1, 0, _PARTS - 1)
    errors, rows = np.abs(one.errors), []
    middle, means, largest, left, right = [], [], [], [], []
    for index in np.unique(part):
        here = errors[part == index]
        low, high = float(edges[index]), float(edges[index + 1])
        left.append(low)
        right.append(high)
        middle.append((low + high) / 2)
        means.append(float(here.mean()))
        largest.append(float(here.max()))
        rows.append(
            (
                f"{low:,.4g} to {high:,.4g}",
                f"{len(here):,}",
                f"{here.mean():.4g}",
                f"{one.errors[part == index].mean():+.4g}",
                f"{here.max():.4g}",
            )
        )
    title = f"Error over the range: {one.title}"
    worst = int(np.argmax(means))
    said = f"The mean error is largest, {means[worst]:.3g}, from {rows[worst][0]}."
    plot = Plot(
        x=axis_of([*left, *right], f"truth ({one.title})", room=0.02),
        y=axis_of([0.0, *largest], "error", zero=True),
        layers=(
            Bars(left=left, right=right, low=[0.0] * len(left), high=largest, colour=1),
            Line(x=middle, y=means, dots=True),
        ),
    )
    return Figure(
        title=title,
        svg=draw(plot, title, said),
        description=said,
        note=f"{said} Line: the mean error; bars: the largest one.",
        table=Table(
            title="The numbers",
            header=("truth", "pictures", "mean error", "with its sign", "largest"),
            rows=tuple(rows),
            folded=True,
        ),
    )


def _histogram(values: Floats, title: str) -> Figure:
    counts, edges = np.histogram(values, bins=_BINS)
    name = f"How the true values are spread: {title}"
    said = f"{len(values):,} pictures in {_BINS} parts of the range."
    plot = Plot(
        x=axis_of(edges.tolist(), title, room=0.0),
        y=axis_of([0.0, *counts.tolist()], "pictures", zero=True),
        layers=(
            Bars(
                left=edges[:-1].tolist(),
                right=edges[1:].tolist(),
                low=[0.0] * _BINS,
                high=counts.tolist(),
            ),
        ),
    )
    return Figure(title=name, svg=draw(plot, name, said), description=said)


def _lines(readings: Sequence[Readings], place: int) -> tuple[str, ...]:
    lines = []
    for one in readings:
        name = f"{one.name}: " if one.name else ""
        answer, truth, unit = one.answers[place], one.truths[place], one.unit
        lines.append(f"{name}{answer:,.4g} {unit}, truth {truth:,.4g} {unit}".replace(" ,", ","))
        lines.append(f"error {one.errors[place]:+,.3g} {unit}".rstrip())
    return tuple(line.rstrip() for line in lines)


def _spread(one: Readings) -> float:
    return float(np.ptp(one.truths)) or 1.0


def _quartiles(values: Floats) -> list[float]:
    return [float(number) for number in np.quantile(values, (0, 0.25, 0.5, 0.75, 1))]

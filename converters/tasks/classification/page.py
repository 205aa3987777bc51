"""What a page says of a classifier's answers."""

from __future__ import annotations

import numpy as np

from edgeinfer.converters.common.page.axis import Axis
from edgeinfer.converters.common.page.parts import (
    Figure,
    Figures,
    Key,
    Part,
    Pictures,
    Shown,
    Table,
)
from edgeinfer.converters.common.page.plot import COLOURS, Bars, Line, Plot, Points, Rule, draw
from edgeinfer.converters.common.page.texts import isolated
from edgeinfer.converters.tasks.classification.evaluation import ClassEvaluation
from edgeinfer.converters.tasks.classification.reliability import (
    BINS,
    Curve,
    precision_recall,
    reliability,
)
from edgeinfer.converters.tasks.intervals import wilson
from edgeinfer.converters.tasks.page_parts import (
    NO_PICTURES,
    PICTURES_SHOWN,
    long_table,
    lowest_first,
    percent,
    score_text,
    share_text,
    with_interval,
    worst_pictures,
)

MATRIX_CLASSES = 20
"""With more classes, the page lists the classes that are confused most instead of a matrix."""

_PAIRS = 30
_CURVE_POINTS = 60
_UNIT = (0.0, 1.0)


def class_parts(evaluation: ClassEvaluation) -> tuple[Part, ...]:
    """Return the parts about a classifier's answers."""
    if not evaluation.samples:
        return (NO_PICTURES,)
    curves = _curves(evaluation)
    parts: list[Part] = [score_text(evaluation), _class_table(evaluation, curves)]
    parts.append(_confusion(evaluation))
    if evaluation.probabilities is not None:
        parts.append(Figures(figures=(_curve_figure(evaluation, curves), _diagram(evaluation))))
    parts += worst_pictures(evaluation, lambda place: _lines(evaluation, place))
    if evaluation.probabilities is not None:
        parts.append(_least_certain(evaluation))
    return tuple(parts)


def _curves(evaluation: ClassEvaluation) -> list[Curve | None]:
    """Return a curve for each class; None for classes without pictures."""
    probabilities = evaluation.probabilities
    if probabilities is None:
        return [None] * len(evaluation.group_names)
    return [
        precision_recall(probabilities[:, index].astype(np.float64), evaluation.groups == index)
        for index in range(len(evaluation.group_names))
    ]


def _class_table(evaluation: ClassEvaluation, curves: list[Curve | None]) -> Table:
    confusion = evaluation.confusion
    answered, there = confusion.sum(axis=0), confusion.sum(axis=1)
    order = range(len(evaluation.group_names))
    many = len(order) > MATRIX_CLASSES
    rows = []
    for index in lowest_first(evaluation.group_scores()) if many else order:
        right, average = int(confusion[index, index]), curves[index]
        both = int(there[index] + answered[index])
        rows.append(
            (
                evaluation.group_names[index],
                f"{there[index]:,}",
                share_text(right, int(there[index])),
                share_text(right, int(answered[index])),
                percent(2 * right / both) if both else "-",
                "-" if average is None else percent(average.average),
            )
        )
    return long_table(
        "Each class",
        ("class", "pictures", "recall", "precision", "F1", "average precision"),
        rows,
        note="Recall: the share of the class's pictures that are answered with it. Precision: the "
        "share of its answers that are right. 95 % intervals in brackets."
        + (" The lowest recall first." if many else ""),
    )


def _confusion(evaluation: ClassEvaluation) -> Table:
    confusion, names = evaluation.confusion, evaluation.group_names
    if len(names) > MATRIX_CLASSES:
        wrong = confusion - np.diag(np.diag(confusion))
        order = np.argsort(-wrong, axis=None, kind="stable")[:_PAIRS]
        pairs = [divmod(int(place), len(names)) for place in order]
        rows = [
            (names[row], names[column], f"{wrong[row, column]:,}", f"{confusion[row].sum():,}")
            for row, column in pairs
            if wrong[row, column]
        ]
        header = ("truth", "answer", "pictures", "of the class's")
        return long_table(
            "The classes that are confused most", header, rows, texts=2,
            note=f"{int(wrong.sum()):,} wrong answers among {len(names)} classes.",
        )  # fmt: skip
    shares = confusion / np.maximum(1, confusion.sum(axis=1, keepdims=True))
    return Table(
        title="Which classes are confused",
        note="Rows: the truth. Columns: the answer. Darker: a larger share of the class.",
        header=("truth \\ answer", *names),
        rows=tuple(
            (name, *(str(int(count)) if count else "" for count in row))
            for name, row in zip(names, confusion, strict=True)
        ),
        shades=tuple((0.0, *(float(share) for share in row)) for row in shares),
        upright=True,
    )


def _curve_figure(evaluation: ClassEvaluation, curves: list[Curve | None]) -> Figure:
    """Return precision against recall of the classes with the lowest average precision."""
    known = [(curve, index) for index, curve in enumerate(curves) if curve is not None]
    shown = sorted(known, key=lambda pair: (pair[0].average, pair[1]))[:COLOURS]
    names = [evaluation.group_names[index] for _, index in shown]
    layers, rows = [], []
    for colour, (curve, index) in enumerate(shown):
        places = np.unique(np.linspace(0, len(curve.recall) - 1, _CURVE_POINTS).astype(int))
        recall, precision = curve.recall[places].tolist(), curve.precision[places].tolist()
        layers.append(Line(x=recall, y=precision, colour=colour))
        rows += [
            (evaluation.group_names[index], f"{x:.3f}", f"{y:.3f}")
            for x, y in zip(recall, precision, strict=True)
        ]
    title = "Precision against recall"
    said = (
        f"One line for each of {len(shown)} classes, by the threshold of its probability: "
        + ", ".join(
            f"{isolated(name)}: average precision {percent(curve.average)}"
            for name, (curve, _) in zip(names, shown, strict=True)
        )
    )
    plot = Plot(
        x=Axis(low=0.0, high=1.0, title="recall"),
        y=Axis(low=0.0, high=1.0, title="precision"),
        layers=tuple(layers),
    )
    few = len(known) > len(shown)
    return Figure(
        title=title,
        svg=draw(plot, title, said),
        description=said,
        legend=tuple(Key(colour=colour, text=name) for colour, name in enumerate(names)),
        note=f"The {len(shown)} classes with the lowest average precision." if few else "",
        table=Table(
            title="The numbers", header=("class", "recall", "precision"), rows=tuple(rows),
            folded=True,
        ),
    )  # fmt: skip


def _diagram(evaluation: ClassEvaluation) -> Figure:
    """Return how often answers of each certainty are right."""
    assert evaluation.probabilities is not None
    certainty = evaluation.probabilities.max(axis=1).astype(np.float64)
    found = reliability(certainty, evaluation.scores == 1.0)
    shares = found.right / found.counts
    ends = [
        wilson(int(won), int(count)) for won, count in zip(found.right, found.counts, strict=True)
    ]
    middle = found.certainty.tolist()
    title = "Reliability: how often answers of a certainty are right"
    said = (
        f"Expected calibration error {100 * found.error:.2f} points, over {evaluation.samples:,} "
        f"pictures in {BINS} ranges"
    )
    if np.isfinite(found.by_chance):
        said += (
            f"; as few pictures would show about {100 * found.by_chance:.2f} points if every "
            "certainty were true"
        )
    plot = Plot(
        x=Axis(low=0.0, high=1.0, title="certainty of the answer"),
        y=Axis(low=0.0, high=1.0, title="share of right answers"),
        layers=(
            Rule(start=(0.0, 0.0), end=(1.0, 1.0)),
            Bars(
                left=[x - 0.008 for x in middle],
                right=[x + 0.008 for x in middle],
                low=[low for low, _ in ends],
                high=[high for _, high in ends],
            ),
            Line(x=middle, y=shares.tolist()),
            Points(x=middle, y=shares.tolist()),
        ),
    )
    rows = tuple(
        (percent(x), f"{count:,}", with_interval(float(share), interval))
        for x, count, share, interval in zip(middle, found.counts, shares, ends, strict=True)
    )
    return Figure(
        title=title,
        svg=draw(plot, title, said),
        description=said,
        note=f"{said}. On the dashed line, certainty is true; bars are 95 % intervals.",
        table=Table(
            title="The numbers", header=("certainty", "pictures", "right"), rows=rows, folded=True
        ),
    )


def _least_certain(evaluation: ClassEvaluation) -> Pictures:
    assert evaluation.probabilities is not None
    certainty = evaluation.probabilities.max(axis=1)
    places = np.argsort(certainty, kind="stable")[:PICTURES_SHOWN]
    return Pictures(
        title="The least certain answers",
        note="Right or wrong, the least certain first: more pictures like these help most.",
        pictures=tuple(
            Shown(place=int(place), lines=_lines(evaluation, int(place))) for place in places
        ),
    )


def _lines(evaluation: ClassEvaluation, place: int) -> tuple[str, ...]:
    """Return what a page says of one answer."""
    answer = int(evaluation.answers[place])
    said = isolated(evaluation.group_names[answer])
    sure = ""
    if evaluation.probabilities is not None:
        sure = f" {100 * float(evaluation.probabilities[place, answer]):.1f} %"
    if evaluation.scores[place] == 1.0:
        return (f"{said}{sure}, right",)
    true = isolated(evaluation.group_names[evaluation.groups[place]])
    return (f"{said}{sure}", f"truth: {true}")

"""What a page says of a detector: its precisions, each class, what a least score does, mistakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from edgeinfer.converters.common.page.axis import Axis
from edgeinfer.converters.common.page.parts import Figure, Key, Part, Pictures, Shown, Table, Text
from edgeinfer.converters.common.page.plot import Line, Plot, draw
from edgeinfer.converters.tasks.detection.coco import Answered
from edgeinfer.converters.tasks.detection.counted import CountedEvaluation
from edgeinfer.converters.tasks.detection.evaluation import DetectionEvaluation
from edgeinfer.converters.tasks.detection.target import BoxesTarget
from edgeinfer.converters.tasks.page_parts import (
    NO_PICTURES,
    PICTURES_SHOWN,
    long_table,
    percent,
    with_interval,
)
from edgeinfer.device.tasks.prediction import Canvas, Colour

WHITE: Colour = (255, 255, 255)
"""Of true boxes; answers have the colours of their classes."""

_SIZES = (("small", 0.0, 0.01), ("middle", 0.01, 0.09), ("large", 0.09, 1.01))
"""Sizes of things by the share of the picture's area that their boxes have."""


def detection_parts(evaluation: DetectionEvaluation) -> tuple[Part, ...]:
    """Return what a page says of answers to pictures with true boxes."""
    if not evaluation.samples:
        return (NO_PICTURES,)
    figures = evaluation.figures()
    precisions = [
        (title, with_interval(figures[name], (figures[f"{name}.low"], figures[f"{name}.high"])))
        for title, name in (
            ("mAP50: boxes that overlap by half", "map50"),
            ("mAP75: by three quarters", "map75"),
            ("mAP50-95: the mean over 50 to 95 %", "map50_95"),
        )
    ]
    counted = [
        (title, percent(figures[name]))
        for title, name in (
            ("F1", "f1"),
            ("precision: of the boxes that are said, those that are right", "precision"),
            ("recall: of the true boxes, those that are found", "recall"),
            ("pictures with the right number of things", "exact_counts"),
        )
    ]
    least = f"{evaluation.min_score:g}"
    groups = [
        (group.name, f"{group.samples:,}", with_interval(group.score, (group.low, group.high)))
        for group in evaluation.by_group()
    ]
    return (
        Text(
            paragraphs=(
                f"{evaluation.samples:,} pictures. 95 % intervals in brackets. A box is right if "
                "it has the right class and overlaps the true one enough.",
            )
        ),
        Table(title="Average precision", header=("", "figure"), rows=tuple(precisions)),
        Table(
            title=f"From a score of {least} on, as the model answers",
            header=("", "figure"),
            rows=tuple(counted),
        ),
        long_table("Each class", ("class", "pictures", "average precision (50)"), groups),
        least_score_figure(evaluation, "boxes"),
        *worst_parts(evaluation, _draw),
    )


def boxes_parts(
    targets: Mapping[str, Sequence[BoxesTarget]], labels: Sequence[str]
) -> tuple[Part, ...]:
    """Return how many things of each class and size each split has."""
    splits = [split for split, found in targets.items() if found]
    rows = []
    for number, label in enumerate(labels):
        counts = [
            sum(thing.label == number for target in targets[split] for thing in target.things)
            for split in splits
        ]
        rows.append((label, *(f"{count:,}" for count in counts), f"{sum(counts):,}"))
    areas = [
        (thing.right - thing.left) * (thing.bottom - thing.top)
        for split in splits
        for target in targets[split]
        for thing in target.things
    ]
    sizes = [
        (
            f"{name}: {100 * low:.0f} to {min(100.0, 100 * high):.0f} % of the picture",
            f"{sum(low <= area < high for area in areas):,}",
        )
        for name, low, high in _SIZES
    ]
    pictures = [
        ("pictures", *(f"{len(targets[split]):,}" for split in splits), ""),
        ("without a thing", *(f"{_bare(targets[split]):,}" for split in splits), ""),
    ]
    return (
        long_table("Things in each split", ("class", *splits, "all"), [*rows, *pictures]),
        long_table("Sizes", ("", "things"), sizes),
    )


def _bare(targets: Sequence[BoxesTarget]) -> int:
    return sum(not target.things for target in targets)


def least_score_figure(evaluation: CountedEvaluation, things: str) -> Figure:
    """Return precision, recall and F1 for each least score that a user may choose.

    Args:
        evaluation: the answers.
        things: what counts, in the plural.
    """
    scores, shares = evaluation.by_least_score()
    names = ("precision", "recall", "F1")
    title = "What a least score does"
    plot = Plot(
        x=Axis(low=0.0, high=1.0, title="--min-score"),
        y=Axis(low=0.0, high=1.0, title="share"),
        layers=tuple(
            Line(x=scores, y=shares[:, place].tolist(), colour=place, dashed=place == 1)
            for place in range(len(names))
        ),
    )
    said = f"Precision rises and recall falls with the least score of the {things} that count."
    rows = tuple(
        (f"{score:.2f}", *(percent(share) for share in found))
        for score, found in zip(scores, shares.tolist(), strict=True)
    )
    return Figure(
        title=title,
        svg=draw(plot, title, said),
        description=said,
        legend=tuple(
            Key(colour=place, text=name, dashed=place == 1) for place, name in enumerate(names)
        ),
        table=Table(title="The numbers", header=("least score", *names), rows=rows, folded=True),
    )


def worst_parts(
    evaluation: CountedEvaluation, draw: Callable[[Answered, float, Canvas], None]
) -> tuple[Part, ...]:
    """Return the pictures with the most mistakes, if there are any.

    Args:
        evaluation: the answers.
        draw: draws a picture's true boxes and its answers from a score on.
    """
    places = evaluation.worst(PICTURES_SHOWN)
    if not places:
        return ()
    wrong = int((evaluation.scores < 1.0).sum())
    shown = []
    for place in places:
        found, said, true = evaluation.counts[place].tolist()
        shown.append(
            Shown(
                place=place,
                lines=(f"{found} of {true} found, {said} said",),
                draw=partial(draw, evaluation.pictures[place], evaluation.min_score),
            )
        )
    return (
        Pictures(
            title="The worst answers",
            note=f"{len(places)} of {wrong:,} pictures with a mistake, the worst first. True boxes "
            "are white, those that were said have colours.",
            pictures=tuple(shown),
        ),
    )


def _draw(answered: Answered, least: float, canvas: Canvas) -> None:
    draw_boxes(answered.target)(canvas)
    scale = (canvas.width / answered.size[0], canvas.height / answered.size[1])
    for box, label, score in zip(answered.boxes, answered.classes, answered.scores, strict=True):
        if score >= least:
            left, top, right, bottom = (box * (*scale, *scale)).tolist()
            canvas.box(left, top, right, bottom, canvas.colour(int(label)))


def draw_boxes(target: BoxesTarget) -> Callable[[Canvas], None]:
    """Return what draws true boxes in white."""

    def draw(canvas: Canvas) -> None:
        for left, top, right, bottom in target.boxes((canvas.width, canvas.height)).tolist():
            canvas.box(left, top, right, bottom, WHITE)

    return draw

"""What a page says of points: how many things are found and counted, each class, mistakes."""

from __future__ import annotations

from edgeinfer.converters.common.page.parts import Part, Table, Text
from edgeinfer.converters.tasks.detection.coco import Answered
from edgeinfer.converters.tasks.detection.page import draw_boxes, least_score_figure, worst_parts
from edgeinfer.converters.tasks.page_parts import NO_PICTURES, long_table, percent, with_interval
from edgeinfer.converters.tasks.points.evaluation import PointsEvaluation
from edgeinfer.converters.tasks.points.found import centres_of
from edgeinfer.device.tasks.prediction import Canvas


def points_parts(evaluation: PointsEvaluation) -> tuple[Part, ...]:
    """Return what a page says of answers to pictures with true boxes."""
    if not evaluation.samples:
        return (NO_PICTURES,)
    figures = evaluation.figures()
    counted = [
        ("F1", with_interval(evaluation.score, evaluation.interval)),
        *(
            (title, percent(figures[name]))
            for title, name in (
                ("precision: of the points that are said, those in a thing's box", "precision"),
                ("recall: of the true things, those that are found", "recall"),
                ("pictures with the right number of each class", "exact_counts"),
            )
        ),
        ("by how many the numbers of a picture are wrong", f"{figures['count_error']:.2f}"),
    ]
    groups = [
        (group.name, f"{group.samples:,}", with_interval(group.score, (group.low, group.high)))
        for group in evaluation.by_group()
    ]
    return (
        Text(
            paragraphs=(
                f"{evaluation.samples:,} pictures. 95 % intervals in brackets. A thing is found if "
                "a point of its class is in its box; one point finds one thing.",
            )
        ),
        Table(
            title=f"From a score of {evaluation.min_score:g} on, as the model answers",
            header=("", "figure"),
            rows=tuple(counted),
        ),
        long_table("Each class", ("class", "pictures", "F1"), groups),
        least_score_figure(evaluation, "points"),
        *worst_parts(evaluation, _draw),
    )


def _draw(answered: Answered, least: float, canvas: Canvas) -> None:
    draw_boxes(answered.target)(canvas)
    points = canvas.places(centres_of(answered.boxes), answered.size)
    for point, label, score in zip(points.tolist(), answered.classes, answered.scores, strict=True):
        if score >= least:
            canvas.figure([], [(round(point[0]), round(point[1]))], canvas.colour(int(label)))

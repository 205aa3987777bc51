"""What a page says of points, and that its pictures show them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from edgeinfer.converters.bundle.page.thumbnails import Thumbnails, section_with_thumbnails
from edgeinfer.converters.common.page.parts import Figure, Gallery, Pictures, Section, Table
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.tasks.detection.coco import Answered
from edgeinfer.converters.tasks.detection.target import BoxesTarget, TrueBox
from edgeinfer.converters.tasks.points.evaluation import evaluate_points
from edgeinfer.converters.tasks.points.page import points_parts

LABELS = ("cat", "dog")
TARGET = BoxesTarget((TrueBox(0, 0.1, 0.1, 0.3, 0.3), TrueBox(1, 0.5, 0.5, 0.9, 0.9)))
RIGHT = ((20, 20, 0, 0.9), (70, 70, 1, 0.7))


def answered(*rows: tuple[float, ...]) -> Answered:
    """Return an answer of rows of x, y, class and score."""
    table = np.array(rows, np.float64).reshape(-1, 4)
    boxes = np.concatenate([table[:, :2] - 4, table[:, :2] + 4], axis=1)
    return Answered(TARGET, (100, 100), boxes, table[:, 2].astype(np.int64), table[:, 3])


def test_a_page_has_counts_classes_least_scores_and_mistakes() -> None:
    pictures = [answered(*RIGHT), answered(RIGHT[0]), answered(*RIGHT, (75, 15, 0, 0.8))]
    parts = points_parts(evaluate_points(pictures, LABELS, 0.5))
    tables = {part.title: part for part in parts if isinstance(part, Table)}
    assert [row[0] for row in tables["Each class"].rows] == ["cat", "dog"]
    rows = tables["From a score of 0.5 on, as the model answers"].rows
    assert ("recall: of the true things, those that are found", "83.33 %") in rows
    assert ("by how many the numbers of a picture are wrong", "0.67") in rows
    assert len([part for part in parts if isinstance(part, Figure)]) == 1
    (worst,) = (part for part in parts if isinstance(part, Pictures))
    assert [one.place for one in worst.pictures] == [1, 2]
    assert worst.pictures[0].lines == ("1 of 2 found, 1 said",)


def test_a_page_without_pictures_says_so() -> None:
    assert len(points_parts(evaluate_points([], LABELS, 0.5))) == 1


def shown(path: Path, answer: Answered) -> str:
    """Return the picture of a mistake on a page."""
    parts = points_parts(evaluate_points([answer], LABELS, 0.5))
    sample = Sample(source=str(path), target=TARGET)
    made = section_with_thumbnails(Section(title="x", parts=parts), [sample], Thumbnails())
    (gallery,) = (part for part in made.parts if isinstance(part, Gallery))
    return gallery.tiles[0].uri


def test_mistakes_are_drawn_with_boxes_and_the_points_that_count(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    assert cv2.imwrite(str(path), np.full((100, 100, 3), 90, np.uint8))
    boxes, unsure = shown(path, answered()), shown(path, answered((75, 15, 0, 0.3)))
    point = shown(path, answered((75, 15, 0, 0.8)))
    assert Thumbnails().uri(str(path)) != boxes == unsure != point

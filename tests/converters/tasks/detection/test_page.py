"""What a page says of a detector, and that its pictures show the boxes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from edgeinfer.converters.bundle.page.thumbnails import Thumbnails, section_with_thumbnails
from edgeinfer.converters.common.page.parts import Figure, Gallery, Pictures, Section, Table
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.tasks.detection.coco import Answered
from edgeinfer.converters.tasks.detection.evaluation import evaluate_boxes
from edgeinfer.converters.tasks.detection.page import boxes_parts, detection_parts
from edgeinfer.converters.tasks.detection.target import BoxesTarget, TrueBox

LABELS = ("cat", "dog")
TARGET = BoxesTarget((TrueBox(0, 0.1, 0.1, 0.3, 0.3), TrueBox(1, 0.5, 0.5, 0.9, 0.9)))


def answered(*rows: tuple[float, ...]) -> Answered:
    """Return an answer of rows of left, top, right, bottom, class and score."""
    table = np.array(rows, np.float64).reshape(-1, 6)
    return Answered(TARGET, (100, 100), table[:, :4], table[:, 4].astype(np.int64), table[:, 5])


RIGHT = ((10, 10, 30, 30, 0, 0.9), (50, 50, 90, 90, 1, 0.7))


def test_a_page_has_precisions_classes_least_scores_and_mistakes() -> None:
    pictures = [answered(*RIGHT), answered(RIGHT[0]), answered(*RIGHT, (60, 0, 90, 30, 0, 0.8))]
    parts = detection_parts(evaluate_boxes(pictures, LABELS, 0.5))
    tables = {part.title: part for part in parts if isinstance(part, Table)}
    assert [row[0] for row in tables["Each class"].rows] == ["cat", "dog"]
    rows = tables["From a score of 0.5 on, as the model answers"].rows
    assert ("recall: of the true boxes, those that are found", "83.33 %") in rows
    (figure,) = (part for part in parts if isinstance(part, Figure))
    assert figure.table is not None
    # Nothing scores 0.95: the precision of nothing is not known.
    assert figure.table.rows[-1] == ("0.95", "-", "0.00 %", "0.00 %")
    (worst,) = (part for part in parts if isinstance(part, Pictures))
    assert [one.place for one in worst.pictures] == [1, 2]
    assert worst.pictures[0].lines == ("1 of 2 found, 1 said",)


def test_a_page_without_pictures_says_so() -> None:
    assert len(detection_parts(evaluate_boxes([], LABELS, 0.5))) == 1


def test_mistakes_are_drawn_with_true_boxes_in_white(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    assert cv2.imwrite(str(path), np.full((100, 100, 3), 90, np.uint8))
    parts = detection_parts(evaluate_boxes([answered(RIGHT[0])], LABELS, 0.5))
    section = Section(title="x", parts=parts)
    made = section_with_thumbnails(section, [Sample(source=str(path), target=TARGET)], Thumbnails())
    (gallery,) = (part for part in made.parts if isinstance(part, Gallery))
    plain = Thumbnails().uri(str(path))
    assert gallery.tiles[0].uri.startswith("data:image/")
    assert gallery.tiles[0].uri != plain


def test_data_is_counted_by_things_and_sizes() -> None:
    parts = boxes_parts(
        {"train": [TARGET, BoxesTarget()], "validation": [TARGET], "test": []}, LABELS
    )
    tables = {part.title: part for part in parts if isinstance(part, Table)}
    assert tables["Things in each split"].rows == (
        ("cat", "1", "1", "2"),
        ("dog", "1", "1", "2"),
        ("pictures", "2", "1", ""),
        ("without a thing", "1", "0", ""),
    )
    assert [row[1] for row in tables["Sizes"].rows] == ["0", "2", "2"]

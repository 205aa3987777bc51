"""The worst answers as one picture: each drawn where it is."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeinfer.device.outputs.drawing.draw import class_colour
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.host.evaluation.sheet import SIDE, worst_sheet
from edgeinfer.host.evaluation.worst import Answered

GAP = 8


@pytest.mark.parametrize(("height", "width"), [(100, 200), (200, 100), (150, 150)])
def test_boxes_are_where_they_are_in_the_picture(tmp_path: Path, height: int, width: int) -> None:
    """Pictures that are not square had them in other places."""
    box = np.array([[width / 2, height / 2, width * 0.9, height * 0.9]])
    found = Detections(
        labels=("cat",),
        boxes=box,
        classes=np.zeros(1, np.int64),
        scores=np.array([0.9]),
        size=(width, height),
    )
    pixels = np.full((height, width, 3), 100, np.uint8)
    one = Answered(source="a.jpg", truth="1 cat", prediction=found, pixels=pixels)
    worst_sheet([one], tmp_path / "sheet.png")
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet is not None
    drawn = (sheet == class_colour(0)).all(axis=2)
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    scale = SIDE / max(height, width)
    edges = [columns[0], rows[0], columns[-1], rows[-1]]
    assert edges == pytest.approx([GAP + scale * edge for edge in box[0]], abs=3)

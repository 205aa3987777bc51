"""The page of `data check` shows what is said to be where."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import cv2
import numpy as np

from tests.host.tasks.detection.boxed_pictures import CAT, DOG, voc
from tests.support.program import edgeinfer_here


def test_boxes_are_drawn_on_pictures_of_each_split(tmp_path: Path) -> None:
    for number in range(30):
        voc(tmp_path / "data", f"p{number:02}", [CAT] if number % 2 else [CAT, DOG], number)
    page = tmp_path / "page.html"
    done = edgeinfer_here("data", "check", tmp_path / "data", "--task", "detection", "--page", page)
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    section = text[text.index('id="places"') :]
    assert "What is where, in some of the pictures" in section
    for said in ("train: 1 cat<", "train: 1 cat, 1 dog<", "validation: ", "test: "):
        assert said in section
    addresses = re.findall(r"data:image/jpeg;base64,([^\"]+)", section)
    assert len(addresses) == 8 + 4 + 4
    encoded = np.frombuffer(base64.b64decode(addresses[0]), np.uint8)
    shown = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    assert shown is not None
    assert shown[2, 4:20].mean() > shown[8, 24:38].mean() + 60, "the upper edge of a white box"

"""`edgeinfer data region`: places on a still, where they are."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeinfer.device.outputs.drawing.draw import class_colour
from edgeinfer.device.pictures.decode import encode_png
from tests.support.program import edgeinfer_here, error_line


@pytest.fixture
def still(tmp_path: Path) -> Path:
    path = tmp_path / "still.png"
    path.write_bytes(encode_png(np.full((720, 1280, 3), 60, np.uint8)))
    return path


def test_a_line_and_a_zone(still: Path) -> None:
    done = edgeinfer_here(
        *("data", "region", still, "--line", "door:0.25,0.35,0.75,0.35"),
        *("--zone", "desk:0.55,0.55,0.95,0.55,0.95,0.85,0.55,0.85", "--region", "0.05,0,0.95,1"),
    )
    assert done.returncode == 0, done.stderr
    out = still.with_name("still-places.png")
    assert str(out) in done.stdout
    drawn = cv2.imread(str(out))
    assert drawn is not None
    assert drawn.shape == (720, 1280, 3)
    assert drawn[252, 400].tolist() == list(class_colour(0)), "the line"
    assert drawn[500, 704].tolist() == list(class_colour(1)), "the zone's left edge"
    below = (drawn[260:300, 600:680] == class_colour(0)).all(axis=-1).any()
    above = (drawn[200:244, 600:680] == class_colour(0)).all(axis=-1).any()
    assert (below, above) == (True, False), "in is downwards: to the right, from left to right"
    assert drawn[350, 20].max() < drawn[350, 200].max(), "darker outside of the region"


def test_a_small_still_without_places_has_a_grid(tmp_path: Path) -> None:
    path = tmp_path / "small.png"
    path.write_bytes(encode_png(np.full((120, 160, 3), 60, np.uint8)))
    out = tmp_path / "grid.png"
    assert edgeinfer_here("data", "region", path, "--out", out).returncode == 0
    drawn = cv2.imread(str(out))
    assert drawn is not None
    assert drawn.shape == (480, 640, 3)
    assert (drawn[100:140, 64] == 170).all(), "the grid's first line"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--line", "door:0,0,2,2"), "has a point outside of the picture"),
        (("--zone", "desk:0,0"), "has 1 point, expected 3 to 64"),
    ],
)
def test_places_that_cannot_be(still: Path, words: tuple[str, ...], said: str) -> None:
    assert said in error_line(edgeinfer_here("data", "region", still, *words), code=2)


def test_what_is_not_a_picture(tmp_path: Path) -> None:
    assert "is a folder" in error_line(edgeinfer_here("data", "region", tmp_path))
    text = tmp_path / "a.jpg"
    text.write_text("no picture")
    assert "a.jpg" in error_line(edgeinfer_here("data", "region", text))
    assert "does not exist" in error_line(edgeinfer_here("data", "region", tmp_path / "b.jpg"))

"""`edgeinfer data import` as a person and as a script sees it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.program import edgeinfer_here, error_line


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "yolo"
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    for number in range(6):
        pixels = np.full((30, 40, 3), number * 20, np.uint8)
        assert cv2.imwrite(str(folder / "images" / f"{number}.png"), pixels)
        text = f"{number % 2} 0.5 0.5 0.5 0.5\n" if number else "0 0.9 0.5 0.5 0.5\n"
        (folder / "labels" / f"{number}.txt").write_text(text)
    (folder / "data.yaml").write_text("names: [cat, dog]\n")
    return folder


def test_crops_and_the_next_command(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = edgeinfer_here("data", "import", source, out, "--crops")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "class\tpictures",
        "cat\t3",
        "dog\t3",
        f"YOLO: 6 pictures in {out}",
        "corrected: box reaches over the edge of its picture; cut there: labels/0.txt "
        "(cat 26 7.5 46 22.5)",
        f"next: `edgeinfer train {out}`",
    ]


def test_boxes_as_json(source: Path, tmp_path: Path) -> None:
    done = edgeinfer_here("data", "import", source, tmp_path / "out", "--json")
    said = json.loads(done.stdout)
    assert (said["layout"], said["boxes"], said["pictures"]) == ("YOLO", True, 6)
    refused = edgeinfer_here("train", tmp_path / "out")
    assert "has 6 usable pictures with boxes, expected at least 10" in error_line(refused)


def test_nothing_is_left_of_an_import_that_fails(source: Path, tmp_path: Path) -> None:
    (source / "labels" / "5.txt").write_text("2 0.5 0.5 0.5 0.5\n")
    done = edgeinfer_here("data", "import", source, tmp_path / "out")
    assert "line 1: its class is 2" in error_line(done)
    assert [path.name for path in tmp_path.iterdir()] == ["yolo"]
    usage = edgeinfer_here("data", "import", source, tmp_path / "out", "--crops", "--link")
    assert "--link: is given with --crops" in error_line(usage, 2)

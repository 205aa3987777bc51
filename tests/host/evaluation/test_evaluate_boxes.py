"""`evaluate` of a detector on pictures with boxes: average precision by the device's answers."""

from __future__ import annotations

import csv
import importlib.util
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeinfer.converters.common.progress import Silent
from edgeinfer.device.core.errors import MissingExtraError
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.host.evaluation.evaluate import evaluate_model
from tests.converters.detector_bundle import write_detector, write_photo
from tests.support.program import edgeinfer_here, error_line

PICTURES = 12


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    return write_detector(folder / "d.edgebundle", write_photo(folder / "photo.png"))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of a cat and a dog, as COCO; the dog of every third one is not seen."""
    folder = tmp_path_factory.mktemp("photos")
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    for number in range(PICTURES):
        dog = 20 if number % 3 == 0 else 200 - number
        write_photo(folder / f"{number:02}.png", 250 - number, dog)
        images.append({"id": number, "file_name": f"{number:02}.png"})
        for label in (0, 1):
            box = [40 * label, 40 * label, 40, 40]
            annotations.append(
                {"id": len(annotations), "image_id": number, "category_id": label, "bbox": box}
            )
    categories = [{"id": number, "name": name} for number, name in enumerate(("cat", "dog"))]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "boxes.json").write_text(json.dumps(content))
    return folder


def test_its_precision_and_its_counts(bundle: Path, photos: Path) -> None:
    told = json.loads(edgeinfer_here("evaluate", bundle, photos, "--json").stdout)
    assert told["score_name"] == "mAP50"
    classes = {one["name"]: one["score"] for one in told["groups"]}
    # Eight of twelve dogs are found: 67 of 101 steps of recall have a precision of 1.
    assert classes == {"cat": 1.0, "dog": pytest.approx(67 / 101)}
    assert told["score"] == pytest.approx((1 + 67 / 101) / 2)
    assert told["low"] < told["score"] < told["high"]
    figures = told["figures"]
    assert figures["map50_95"] == pytest.approx(told["score"])
    assert figures["recall"] == pytest.approx(20 / 24)
    assert figures["exact_counts"] == pytest.approx(8 / 12)


def test_the_text_and_the_table(bundle: Path, photos: Path, tmp_path: Path) -> None:
    done = edgeinfer_here("evaluate", bundle, photos, "--compare", bundle, "--report", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "mAP50-95 83.2% (" in done.stdout
    assert "F1 90.9%, precision 100.0%, recall 83.3%; 66.7% of pictures with" in done.stdout
    assert "+0.00 points (+0.00 to +0.00)" in done.stdout
    assert "truth: 1 cat, 1 dog" in done.stdout
    sheet = cv2.imread(str(tmp_path / "worst.png"))
    assert sheet is not None
    # The dog that was not seen has a white box only.
    assert (sheet[8 + 250, 8 + 159 : 8 + 163] == 255).all(axis=-1).any()
    rows = list(csv.DictReader((tmp_path / "pictures.csv").read_text().splitlines()))
    assert [float(row["score"]) < 1 for row in rows] == [n % 3 == 0 for n in range(PICTURES)]


def test_boxes_of_another_class_are_refused(bundle: Path, photos: Path, tmp_path: Path) -> None:
    content = json.loads((photos / "boxes.json").read_text())
    content["categories"][1]["name"] = "fox"
    for path in photos.glob("*.png"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "boxes.json").write_text(json.dumps(content))
    error = error_line(edgeinfer_here("evaluate", bundle, tmp_path))
    assert "has boxes of 'fox', expected labels of the model, such as cat, dog" in error


def test_without_the_extra_it_says_what_to_install(
    bundle: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_spec = importlib.util.find_spec

    def without(name: str, *rest: Any) -> Any:
        return None if name == "faster_coco_eval" else find_spec(name, *rest)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    with pytest.raises(MissingExtraError, match=r"needs faster_coco_eval, not installed here"):
        evaluate_model(bundle, photos, Silent())


def test_tiles_show_what_is_too_small_for_the_whole_picture(bundle: Path, tmp_path: Path) -> None:
    # Of 180 pixels two tiles are 100 wide: the detector's quarter of a tile is the cat. The dog of
    # one picture is not there.
    pixels = np.zeros((180, 180, 3), np.uint8)
    for number in range(3):
        pixels[:50, 130:, 1] = 255 - number
        (tmp_path / f"{number}.png").write_bytes(encode_png(pixels))
    boxes = [
        {"id": number, "image_id": number, "category_id": 0, "bbox": [130, 0, 50, 50]}
        for number in range(3)
    ]
    boxes.append({"id": 3, "image_id": 1, "category_id": 1, "bbox": [0, 90, 50, 50]})
    images = [{"id": number, "file_name": f"{number}.png"} for number in range(3)]
    categories = [{"id": number, "name": name} for number, name in enumerate(("cat", "dog"))]
    content = {"images": images, "annotations": boxes, "categories": categories}
    (tmp_path / "boxes.json").write_text(json.dumps(content))
    command = ("evaluate", bundle, tmp_path, "--json")
    whole = json.loads(edgeinfer_here(*command).stdout)
    tiled = json.loads(edgeinfer_here(*command, "--tiles", "2x2").stdout)
    assert (whole["figures"]["recall"], tiled["figures"]["recall"]) == (0, 0.75)
    assert {one["name"]: one["score"] for one in tiled["groups"]} == {"cat": 1, "dog": 0}
    assert [Path(one["picture"]).name for one in tiled["worst"]] == ["1.png"]
    box = tiled["worst"][0]["answer"]["detections"][0]["box"]
    assert box == pytest.approx([130, 0, 180, 50], abs=0.1)
    assert "--tiles" in edgeinfer_here(*command, "--tiles", "1x1").stderr

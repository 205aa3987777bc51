"""Pictures of noise with boxes, in the layouts that people have."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from edgeinfer.device.pictures.decode import encode_png

WIDTH, HEIGHT = 40, 20

Box = tuple[str, float, float, float, float]
CAT, DOG = ("cat", 4.0, 2.0, 20.0, 12.0), ("dog", 20.0, 5.0, 40.0, 20.0)


def picture(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    path.write_bytes(encode_png(pixels))


def voc(root: Path, name: str, boxes: Sequence[Box], seed: int) -> None:
    picture(root / "JPEGImages" / f"{name}.png", seed)
    things = "".join(
        f"<object><name>{label}</name><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax>"
        f"<ymax>{y1}</ymax></bndbox></object>"
        for label, x0, y0, x1, y1 in boxes
    )
    xml = root / "Annotations" / f"{name}.xml"
    xml.parent.mkdir(exist_ok=True)
    xml.write_text(f"<annotation><filename>{name}.png</filename>{things}</annotation>")


def yolo(root: Path, name: str, boxes: Sequence[Box], seed: int) -> None:
    picture(root / "images" / f"{name}.png", seed)
    lines = []
    for label, x0, y0, x1, y1 in boxes:
        shares = ((x0 + x1) / 80, (y0 + y1) / 40, (x1 - x0) / 40, (y1 - y0) / 20)
        lines.append(" ".join(map(str, [["cat", "dog"].index(label), *shares])))
    text = root / "labels" / f"{name}.txt"
    text.parent.mkdir(exist_ok=True)
    text.write_text("\n".join(lines))
    (root / "data.yaml").write_text("names: [cat, dog]\n")


def coco(root: Path, pictures: Mapping[str, Sequence[Box]]) -> None:
    names = ["cat", "dog"]
    annotations: list[dict[str, object]] = []
    for number, (name, boxes) in enumerate(pictures.items()):
        picture(root / f"{name}.png", number)
        for label, x0, y0, x1, y1 in boxes:
            edges = [x0, y0, x1 - x0, y1 - y0]
            annotations.append(
                {
                    "id": len(annotations),
                    "image_id": number,
                    "category_id": names.index(label),
                    "bbox": edges,
                }
            )
    content = {
        "images": [{"id": n, "file_name": f"{name}.png"} for n, name in enumerate(pictures)],
        "categories": [{"id": n, "name": name} for n, name in enumerate(names)],
        "annotations": annotations,
    }
    (root / "boxes.json").write_text(json.dumps(content))

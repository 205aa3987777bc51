"""Scenes as files: a folder for each split, with a COCO file of its boxes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2

from edgeinfer.converters.common.ordered_map import ordered_map
from edgeinfer.converters.common.progress import Progress, shown_progress
from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.host.demo.detect.scene import Scene
from edgeinfer.host.demo.write import write_file

TABLE = "_annotations.coco.json"
"""As Roboflow names it."""
_QUALITY = 92


def write_scenes(
    folder: Path,
    draw: Callable[[int], Scene],
    count: int,
    labels: Sequence[str],
    *,
    progress: Progress | None = None,
) -> Path:
    """Write `folder/00000.jpg` and so on, and their boxes.

    Args:
        folder: where to, such as `scenes/train`; it is made.
        draw: returns the scene of a number, whatever was drawn before. It is called in threads.
        count: how many.
        labels: all that there are; their order gives the categories' numbers.
        progress: reports each scene.

    Returns:
        The COCO file.

    Raises:
        StorageError: a file cannot be written.
    """
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    with shown_progress(progress, keep=False) as shown:
        shown.start(f"drawing scenes for {folder.name}", count)
        for number, scene in enumerate(ordered_map(draw, range(count))):
            name = f"{number:05}.jpg"
            write_file(folder / name, jpeg(scene.picture))
            height, width = scene.picture.shape[:2]
            images.append({"id": number, "file_name": name, "width": width, "height": height})
            for label, left, top, right, bottom in scene.things:
                sides = right - left, bottom - top
                annotations.append(
                    {
                        "id": len(annotations),
                        "image_id": number,
                        "category_id": labels.index(label),
                        "bbox": [left, top, *sides],
                        "area": sides[0] * sides[1],
                        "iscrowd": 0,
                    }
                )
            shown.advance()
    categories = [{"id": number, "name": label} for number, label in enumerate(labels)]
    said = {"images": images, "annotations": annotations, "categories": categories}
    write_file(folder / TABLE, json.dumps(said).encode())
    return folder / TABLE


def jpeg(picture: Pixels) -> bytes:
    """Return a picture as a JPEG file."""
    pixels = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, content = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))
    return content.tobytes()

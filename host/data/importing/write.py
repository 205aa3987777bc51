"""Writing a data set: copies or links in class folders, parts of pictures, or pictures and boxes.

`boxes.json` is the one form in which edgeinfer keeps boxes: COCO, with each picture's path from the
file's folder and its split, and boxes in pixels of the upright picture.
"""

from __future__ import annotations

import errno
import json
import math
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2

from edgeinfer.converters.common.progress import Progress
from edgeinfer.device.core.errors import DataError, ImageError, UsageError, storage_error
from edgeinfer.device.pictures.decode import read_image
from edgeinfer.host.data.importing.fit import UNREADABLE, FittedPicture
from edgeinfer.host.data.importing.found import Box, FoundPicture, Record
from edgeinfer.host.data.importing.names import RENAMED_PICTURE, UniqueNames, label_folders

BOXES_FILE = "boxes.json"
PICTURES = "pictures"
CROP_QUALITY = 95
MIN_CROP_SIDE = 8
"""Smaller parts of a picture show nothing that can be learned, in pixels."""

SMALL = f"box with a side below {MIN_CROP_SIDE} pixels"

Written = dict[tuple[str | None, str], int]
"""How many pictures were written of each split and label."""


def write_classes(
    out: Path,
    pictures: Sequence[FoundPicture],
    record: Record,
    *,
    link: bool,
    progress: Progress,
) -> Written:
    """Copy labelled pictures into class folders.

    Args:
        out: the folder.
        pictures: those with a label.
        record: takes names that are changed.
        link: make hard links instead of copies.
        progress: shows how far it is.

    Raises:
        StorageError: a file cannot be written.
        DataError: two labels have one folder, or a picture cannot be read.
    """
    folders = label_folders(sorted({p.label for p in pictures if p.label is not None}), record)
    names, counts = UniqueNames(), Written()
    progress.start("linking the pictures" if link else "copying the pictures", len(pictures))
    for picture in pictures:
        assert picture.label is not None
        folder = os.path.join(picture.split or "", folders[picture.label])
        _put(out, folder, picture.path, names, record, link=link)
        key = picture.split, picture.label
        counts[key] = counts.get(key, 0) + 1
        progress.advance()
    return counts


def write_boxes(
    out: Path,
    pictures: Iterable[FittedPicture],
    total: int,
    record: Record,
    *,
    link: bool,
    progress: Progress,
) -> Written:
    """Copy pictures into `pictures`, and write their boxes into `boxes.json`.

    Args:
        out: the folder.
        pictures: with their boxes.
        total: how many they are at most, for the progress.
        record: takes names that are changed.
        link: make hard links instead of copies.
        progress: shows how far it is.

    Raises:
        StorageError: a file cannot be written.
        DataError: a picture cannot be read.
    """
    names, counts = UniqueNames(), Written()
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    numbers: dict[str, int] = {}
    progress.start("copying the pictures", total)
    for number, picture in enumerate(pictures, start=1):
        folder = os.path.join(PICTURES, picture.split or "")
        file = _put(out, folder.rstrip(os.sep), picture.path, names, record, link=link)
        width, height = picture.size
        image: dict[str, object] = {
            "id": number,
            "file_name": file,
            "width": width,
            "height": height,
        }
        images.append(image if picture.split is None else {**image, "split": picture.split})
        for box in picture.boxes:
            category = numbers.setdefault(box.label, len(numbers) + 1)
            annotations.append(_annotation(len(annotations) + 1, number, category, box))
            key = picture.split, box.label
            counts[key] = counts.get(key, 0) + 1
        progress.advance()
    categories = [{"id": number, "name": label} for label, number in numbers.items()]
    content = {"images": images, "categories": categories, "annotations": annotations}
    with _writing(out / BOXES_FILE), (out / BOXES_FILE).open("x", encoding="utf-8") as stream:
        json.dump(content, stream, ensure_ascii=False, indent=1)
    return counts


def write_crops(
    out: Path,
    pictures: Iterable[FittedPicture],
    labels: Iterable[str],
    total: int,
    record: Record,
    *,
    margin: float,
    progress: Progress,
) -> Written:
    """Write the part of a picture in each box as a picture of its label.

    Args:
        out: the folder.
        pictures: with their boxes.
        labels: of all boxes.
        total: how many pictures there are at most, for the progress.
        record: takes boxes that are left out.
        margin: how much more of the picture is around each box, as a share of the box's sides.
        progress: shows how far it is.

    Raises:
        StorageError: a file cannot be written.
        DataError: two labels have one folder.
    """
    folders = label_folders(labels, record)
    names, counts = UniqueNames(), Written()
    progress.start("cutting out the boxes", total)
    for picture in pictures:
        for box, encoded in _crops(picture, margin, record):
            folder = os.path.join(picture.split or "", folders[box.label])
            stem = os.path.splitext(os.path.basename(picture.path))[0]
            path = out / folder / names.take(folder, f"{stem}.jpg")
            with _writing(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("xb") as stream:
                    stream.write(encoded)
            key = picture.split, box.label
            counts[key] = counts.get(key, 0) + 1
        progress.advance()
    return counts


def _crops(picture: FittedPicture, margin: float, record: Record) -> Iterator[tuple[Box, bytes]]:
    """Yield the JPEG of each box that is large enough."""
    if not picture.boxes:
        return
    try:
        pixels = read_image(picture.path)
    except ImageError as error:
        record.left_out(UNREADABLE, picture.place, str(error))
        return
    height, width = pixels.shape[:2]
    for box in picture.boxes:
        if min(box.right - box.left, box.bottom - box.top) < MIN_CROP_SIDE:
            record.left_out(SMALL, picture.place, box.label)
            continue
        across, down = (box.right - box.left) * margin, (box.bottom - box.top) * margin
        left, right = (
            max(0, math.floor(box.left - across)),
            min(width, math.ceil(box.right + across)),
        )
        top, bottom = max(0, math.floor(box.top - down)), min(height, math.ceil(box.bottom + down))
        part = cv2.cvtColor(pixels[top:bottom, left:right], cv2.COLOR_RGB2BGR)
        done, encoded = cv2.imencode(".jpg", part, [cv2.IMWRITE_JPEG_QUALITY, CROP_QUALITY])
        if not done:
            record.left_out(UNREADABLE, picture.place, f"{box.label}: cannot be encoded")
            continue
        yield box, encoded.tobytes()


def _annotation(number: int, image: int, category: int, box: Box) -> dict[str, object]:
    width, height = box.right - box.left, box.bottom - box.top
    edges = [round(edge, 3) for edge in (box.left, box.top, width, height)]
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "bbox": edges,
        "area": round(width * height, 3),
        "iscrowd": 0,
    }


def _put(
    out: Path, folder: str, source: str, names: UniqueNames, record: Record, *, link: bool
) -> str:
    """Copy or link a picture into a folder; return its path from `out`."""
    name = os.path.basename(source)
    chosen = names.take(folder, name)
    if chosen != name:
        record.corrected(RENAMED_PICTURE, source, f"{folder}/{chosen}")
    path = out / folder / chosen
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    if link:
        _link(source, path)
    else:
        _copy(source, path)
    return os.path.join(folder, chosen)


def _link(source: str, path: Path) -> None:
    try:
        os.link(os.path.realpath(source), path)
    except OSError as error:
        if error.errno in (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK):
            raise UsageError(
                "--link",
                got=f"{source} cannot be linked to from {path.parent} "
                f"({(error.strerror or str(error)).lower()})",
                expected="one file system for both, that has hard links",
                next_step="leave it out, to copy",
            ) from error
        raise storage_error(path, error) from error


def _copy(source: str, path: Path) -> None:
    try:
        reader = open(source, "rb")  # noqa: SIM115
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(source, got=f"cannot be read ({reason})") from error
    with reader, _writing(path), path.open("xb") as writer:
        shutil.copyfileobj(reader, writer, 2**20)


class _writing:
    """Turns an `OSError` of the block into a `StorageError` that names the path."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise storage_error(self._path, error) from error

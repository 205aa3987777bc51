"""Data sets of other tasks than classification, recognized by their usual folders and files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

from edgeinfer.device.core.errors import DataError
from edgeinfer.device.core.model_file import command_line
from edgeinfer.device.pictures.folders.names import is_wrapping, role_of
from edgeinfer.device.pictures.folders.walk import (
    is_folder,
    is_picture,
    suffix_of,
    visible_entries,
)

_MOST_LOOKED_AT = 200
"""At most this many files of a folder are opened, and of its pictures listed; a layout shows in the
first ones."""

_HEAD_BYTES = 1 << 16
_LABEL_BYTES = 512
_PICTURES_COMPARED = 20

_ANNOTATIONS = frozenset({"annotations", "annotation", "annots", "xml", "xmls", "bboxes"})
_LABELS = frozenset({"labels", "label", "labels_yolo", "yolo_labels"})
_MASK_NAMES = (
    "mask masks annotation annotations label labels labelids groundtruth groundtruths "
    "ground_truth gt segmentation segmentations segmentationclass"
)
_MASKS = frozenset(_MASK_NAMES.split())
_COCO_NAMES = ("_annotations.coco", "instances_")
_SEGMENTATION = "segmentation"

IMPORTED = frozenset({"Pascal VOC", "YOLO", "COCO", "TensorFlow CSV"})
"""Layouts of boxes that `edgeinfer data import` reads."""


def other_layout(folder: Path) -> DataError | None:
    """Return the error that names the layout of a data set for detection or segmentation.

    Args:
        folder: where the layout would begin; its splits are looked into too.

    Returns:
        None for any other folder.
    """
    shown = boxes_layout(folder)
    if shown is None:
        return None
    layout, where = shown
    got = f"is a detection data set in the {layout} layout, see {where}"
    elsewhere = "or train elsewhere and make a bundle of the .tflite file with `edgeinfer adopt`"
    if layout in IMPORTED:
        crops = folder.with_name(f"{folder.name}-crops")
        training = command_line("train", folder, "--task", "detection")
        importing = command_line("data", "import", folder, crops, "--crops")
        advice = f"{training} trains a detector; {importing} makes a picture of each box, to "
        advice += "classify them"
    elif layout == _SEGMENTATION:
        got = f"is a segmentation data set, see its masks in {where}"
        advice = f"edgeinfer does not train segmentation yet: sort the images by class, {elsewhere}"
    else:
        advice = "save the boxes as COCO, YOLO or Pascal VOC to train a detector, or sort the "
        advice += "images by class"
    return DataError(
        folder, got=got, expected="one sub-folder of images per class", next_step=advice
    )


def boxes_layout(folder: Path) -> tuple[str, str] | None:
    """Return the layout of a data set for detection or segmentation, and what shows it.

    Args:
        folder: where the layout would begin; its splits are looked into too.

    Returns:
        Its name, such as "YOLO", and a file or folder, relative to `folder`; None for any other.
    """
    entries = visible_entries(folder)
    shown = _shown(folder, entries)
    for entry in entries:
        if shown is None and role_of(entry.name) is not None and is_folder(entry):
            inner = Path(entry.path)
            if (found := _shown(inner, visible_entries(inner))) is not None:
                shown = (found[0], f"{entry.name}/{found[1]}")
    return shown


def _shown(folder: Path, entries: list[os.DirEntry[str]]) -> tuple[str, str] | None:
    """Return the layout's name, and the file or folder that shows it; None for other folders."""
    folders = {entry.name.casefold(): Path(entry.path) for entry in entries if is_folder(entry)}
    files = [entry for entry in entries if entry.name.casefold() not in folders]
    for name, inner in folders.items():
        if name in _ANNOTATIONS:
            if _holds(inner, ".xml"):
                return "Pascal VOC", inner.name
            if (file := _boxes_file(_files(inner))) is not None:
                return file[0], f"{inner.name}/{file[1]}"
        if name in _LABELS and _only_boxes(inner):
            return "YOLO", inner.name
    if _are_classes(folders):
        return None
    found = _boxes_file(files) or _next_to_pictures(folder, files)
    if found is None and (masks := _masks(folders)) is not None:
        return _SEGMENTATION, masks
    return found


def _are_classes(folders: Mapping[str, Path]) -> bool:
    """Return whether there are folders named after what they show: a table of boxes may be there,
    and is not needed."""
    named = [
        path
        for name, path in folders.items()
        if role_of(name) is None and not is_wrapping(name) and name not in _MASKS
    ]
    return sum(_stems(path) != [] for path in islice(named, _PICTURES_COMPARED)) > 1


def _next_to_pictures(folder: Path, files: list[os.DirEntry[str]]) -> tuple[str, str] | None:
    """Return the layout of pictures that have a file of the same name with their boxes."""
    for entry in islice(filter(is_picture, files), _PICTURES_COMPARED):
        stem = os.path.splitext(entry.name)[0]
        if b"<annotation" in _head(folder / f"{stem}.xml"):
            return "Pascal VOC", f"{stem}.xml"
        if _is_yolo_text(folder / f"{stem}.txt"):
            return "YOLO", f"{stem}.txt"
    return None


def _masks(folders: dict[str, Path]) -> str | None:
    """Return the name of the folder of masks, if there is one next to the folder of the images."""
    images = [path for name, path in folders.items() if is_wrapping(name) or name == "jpegimages"]
    masks = [path for name, path in folders.items() if name in _MASKS]
    if len(folders) != 2 or len(images) != 1 or len(masks) != 1:
        return None
    shown, stems = _stems(images[0]), _stems(masks[0])[:_PICTURES_COMPARED]
    same = sum(any(stem.startswith(image) for image in shown) for stem in stems)
    return masks[0].name if stems and same >= len(stems) / 2 else None


def _stems(folder: Path) -> list[str]:
    pictures = islice(filter(is_picture, visible_entries(folder)), _MOST_LOOKED_AT)
    return [os.path.splitext(entry.name)[0] for entry in pictures]


def _only_boxes(folder: Path) -> bool:
    """Return whether a folder, or one in it such as "train", holds texts and no pictures.

    Empty texts say that pictures show nothing; where all are empty, nothing speaks against it.
    """
    only_empty = False
    places = [folder, *(Path(entry.path) for entry in _folders(folder))]
    for place in places[:_MOST_LOOKED_AT]:
        files = list(islice(_files(place), _MOST_LOOKED_AT))
        if any(is_picture(entry) for entry in files):
            return False
        texts = [entry for entry in files if suffix_of(entry.name) == ".txt"]
        # One that cannot be read says as little as an empty one.
        filled = [
            path for path in (Path(entry.path) for entry in texts) if _head(path, _LABEL_BYTES)
        ]
        if any(_is_yolo_text(path) for path in filled[:20]):
            return True
        only_empty = only_empty or bool(texts and not filled)
    return only_empty


def _is_yolo_text(path: Path) -> bool:
    """Return whether a text's first line is a class and at least four numbers from 0 to 1."""
    words = _head(path, _LABEL_BYTES).split(b"\n", 1)[0].split()
    try:
        number, *sides = [float(word) for word in words]
    except ValueError:
        return False
    return len(sides) >= 4 and number == int(number) and all(0 <= side <= 1 for side in sides)


def _boxes_file(files: Iterable[os.DirEntry[str]]) -> tuple[str, str] | None:
    """Return the layout and the name of a file with the boxes of all pictures; None without one."""
    others = (entry for entry in files if not is_picture(entry))
    for entry in islice(others, _MOST_LOOKED_AT):
        suffix, name = suffix_of(entry.name), entry.name.casefold()
        if name in {"obj.names", "obj.data"}:
            return "YOLO", entry.name
        if suffix == ".json":
            said = _samples(Path(entry.path))
            if said[:1] == b"{" and (name.startswith(_COCO_NAMES) or b'"bbox"' in said):
                return "COCO", entry.name
            if said[:1] == b"[" and b'"coordinates"' in said:
                return "CreateML", entry.name
        if suffix == ".csv" and {b"xmin", b"ymin"} <= _columns(Path(entry.path)):
            return "TensorFlow CSV", entry.name
    return None


def _columns(path: Path) -> set[bytes]:
    header = _head(path, _LABEL_BYTES).split(b"\n", 1)[0].lower()
    return {cell.strip(b' "\r\t') for cell in re.split(rb"[,;\t]", header)}


def _samples(path: Path) -> bytes:
    """Return the beginning, some of the middle and the end of a file: boxes may come late."""
    try:
        size = path.stat().st_size
        places = [max(0, size // 2), max(0, size - _HEAD_BYTES)] if size > _HEAD_BYTES else []
        found = _head(path)
        with open(path, "rb") as stream:
            for place in places:
                stream.seek(place)
                found += stream.read(_HEAD_BYTES)
    except OSError:
        return b""
    return found


def _holds(folder: Path, suffix: str) -> bool:
    """Return whether a folder, or one in it, holds a file with this suffix."""
    places = [folder, *(Path(entry.path) for entry in _folders(folder))]
    return any(
        suffix_of(entry.name) == suffix
        for place in places[:_MOST_LOOKED_AT]
        for entry in islice(_files(place), _MOST_LOOKED_AT)
    )


def _folders(folder: Path) -> Iterator[os.DirEntry[str]]:
    return (entry for entry in visible_entries(folder) if is_folder(entry))


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    return (entry for entry in visible_entries(folder) if not is_folder(entry))


def _head(path: Path, count: int = _HEAD_BYTES) -> bytes:
    """Return a file's first bytes without a byte-order mark; empty if it cannot be read."""
    try:
        with open(path, "rb") as stream:
            return stream.read(count).removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError:
        return b""

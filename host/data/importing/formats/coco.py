"""COCO: JSON files of pictures, categories and boxes; also what this package's `boxes.json` is."""

from __future__ import annotations

import os
import unicodedata
from collections import defaultdict
from pathlib import Path
from typing import Any

from edgeinfer.device.core.errors import DataError
from edgeinfer.device.pictures.folders.names import Split, split_of
from edgeinfer.device.releases.untrusted_json import parse_json
from edgeinfer.host.data.folders.listing import IMPORT_FILE
from edgeinfer.host.data.importing.formats.pictures import (
    NO_SUCH_PICTURE,
    PictureIndex,
    files_below,
)
from edgeinfer.host.data.importing.formats.texts import read_text
from edgeinfer.host.data.importing.found import (
    Box,
    FoundData,
    FoundPicture,
    Record,
    note_unused,
)

MAX_JSON_BYTES = 512 * 2**20
"""The largest COCO file that is read; instances_train2017.json has 449 MB."""

_OTHER_KINDS = ("captions_", "person_keypoints_", "panoptic_", "stuff_")
_CROWD = "box around a crowd; not used"
_NO_BOX = "annotation without a box of four numbers"


def read_coco(root: Path, record: Record, files: list[Path] | None = None) -> FoundData:
    """Return the data set of COCO files and the pictures below a folder.

    Args:
        root: the folder.
        record: takes what is left out.
        files: the files; None for all below the folder.

    Raises:
        DataError: one cannot be read, or they describe no picture that is there.
    """
    index = PictureIndex(root, record)
    files = files if files is not None else find_coco(index.root)
    found: dict[str, FoundPicture] = {}
    for file in files:
        split = _split_of_file(file) or index.split(file)
        for picture in _pictures(index, file, split, record):
            if picture.path in found:
                record.left_out("picture that is in the file twice", picture.place, picture.path)
            else:
                found[picture.path] = picture
    if not found:
        raise DataError(
            root,
            got=f"none of the pictures that {', '.join(file.name for file in files[:3])} names "
            "is there",
            expected="the pictures in the same folder or below it",
            next_step="put them there, or bring both in: `edgeinfer data import --pictures FOLDER`",
        )
    for path in index.paths:
        if path not in found:
            record.left_out("picture without an annotation", index.relative(path))
    pictures = tuple(found[path] for path in sorted(found))
    return FoundData(layout="COCO", root=index.root, pictures=pictures, boxes=True)


def find_coco(root: Path) -> list[Path]:
    """Return the COCO files of boxes below a folder."""
    files = [Path(path) for path in files_below(root, (".json",))]
    plain = [file for file in files if not file.name.startswith(_OTHER_KINDS)]
    instances = [file for file in plain if file.name.startswith("instances_")]
    return instances or [file for file in plain if file.name != IMPORT_FILE]


def _split_of_file(file: Path) -> Split | None:
    return split_of(file.stem.removeprefix("instances_").removeprefix("_annotations"))


def _pictures(
    index: PictureIndex, file: Path, split: Split | None, record: Record
) -> list[FoundPicture]:
    """Return what one file says.

    Raises:
        DataError: it is not COCO, or contradicts itself.
    """
    try:
        said = parse_json(read_text(file, max_bytes=MAX_JSON_BYTES))
    except ValueError as error:
        raise DataError(file, got=f"is not JSON that can be read ({error})") from error
    if not isinstance(said, dict):
        raise DataError(file, got="is not an object", expected="COCO: images, annotations, ...")
    images = _by_id(file, said, "images")
    labels = _labels(file, said)
    boxes: dict[Any, list[Box]] = defaultdict(list)
    for entry in _list(file, said, "annotations"):
        place = f"{index.relative(file)}, annotation {entry.get('id')}"
        if entry.get("image_id") not in images:
            record.left_out("annotation of a picture that is not listed", place)
            continue
        if entry.get("category_id") not in labels:
            raise DataError(
                file,
                got=f"annotation {entry.get('id')} has the category {entry.get('category_id')}",
                expected=f"one of the {len(labels)} that it lists",
            )
        edges = entry.get("bbox")
        if entry.get("iscrowd"):
            record.left_out(_CROWD, place)
        elif edges is None or not _is_box(edges):
            record.left_out(_NO_BOX, place)
        else:
            x, y, width, height = map(float, edges)
            label = labels[entry["category_id"]]
            boxes[entry["image_id"]].append(Box(label, x, y, x + width, y + height))
    used = {box.label for found in boxes.values() for box in found}
    note_unused(labels.values(), used, index.relative(file), record)
    return _found(index, file, split, images, boxes, record)


def _found(
    index: PictureIndex,
    file: Path,
    split: Split | None,
    images: dict[Any, dict[str, Any]],
    boxes: dict[Any, list[Box]],
    record: Record,
) -> list[FoundPicture]:
    found = []
    for number, image in images.items():
        place = f"{index.relative(file)}, image {number}"
        name = image.get("file_name")
        if not isinstance(name, str) or not name.strip():
            raise DataError(file, got=f"image {number} has no file_name", expected="a file's name")
        path = index.find(name, file.parent, place)
        if path is None:
            record.left_out(NO_SUCH_PICTURE, place, name)
            continue
        width, height = image.get("width"), image.get("height")
        sized = isinstance(width, int) and isinstance(height, int) and width > 0 < height
        named = image.get("split")
        own = split_of(named) if isinstance(named, str) else None
        found.append(
            FoundPicture(
                path=path,
                place=place,
                split=own or split or index.split(path),
                boxes=tuple(boxes.get(number, ())),
                size=(width, height) if sized else None,  # type: ignore[arg-type]
            )
        )
    return found


def _labels(file: Path, said: dict[str, Any]) -> dict[Any, str]:
    labels = {}
    for number, category in _by_id(file, said, "categories").items():
        name = category.get("name")
        if not isinstance(name, str) or not name.strip():
            raise DataError(file, got=f"category {number} has no name", expected="a name for each")
        labels[number] = unicodedata.normalize("NFC", name.strip())
    return labels


def _by_id(file: Path, said: dict[str, Any], key: str) -> dict[Any, dict[str, Any]]:
    """Return the entries of a list by their ids.

    Raises:
        DataError: one has no id, or two that differ have the same.
    """
    found: dict[Any, dict[str, Any]] = {}
    for entry in _list(file, said, key):
        number = entry.get("id")
        if not isinstance(number, int | str):
            raise DataError(file, got=f"an entry of '{key}' has no id", expected="a number")
        if found.setdefault(number, entry) != entry:
            raise DataError(
                file, got=f"two entries of '{key}' have the id {number}", expected="one of each"
            )
    return found


def _list(file: Path, said: dict[str, Any], key: str) -> list[dict[str, Any]]:
    entries = said.get(key)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DataError(
            file, got=f"has no list of objects '{key}'", expected="images, annotations, categories"
        )
    for entry in entries:
        for name in ("id", "image_id", "category_id"):
            if isinstance(entry.get(name), list | dict):
                raise DataError(file, got=f"has a {name} that is not a number", expected="a number")
    return entries


def _is_box(edges: object) -> bool:
    if not isinstance(edges, list) or len(edges) != 4:
        return False
    return all(isinstance(edge, int | float) and not isinstance(edge, bool) for edge in edges)


def is_coco(path: Path, *, cut: bool = False) -> bool:
    """Return whether a JSON file is COCO, by its beginning and its end.

    Args:
        path: the file.
        cut: whether its annotations, which mostly come last, may be missing.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(1 << 16)
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - (1 << 16)))
            text = head + stream.read()
    except OSError:
        return False
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    words = (b'"bbox"', b'"annotations"', *((b'"file_name"',) if cut else ()))
    return start == b"{" and any(word in text for word in words)

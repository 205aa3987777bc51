"""Which layout a data set has, by its files; and reading it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, get_args

from edgeinfer.converters.common.progress import Progress
from edgeinfer.device.core.errors import DataError, UsageError
from edgeinfer.device.pictures.folders.arrangement import arrange
from edgeinfer.device.pictures.folders.look import folders_in, has_pictures
from edgeinfer.device.pictures.folders.names import is_wrapping, role_of
from edgeinfer.device.pictures.folders.other_layouts import boxes_layout
from edgeinfer.host.data.folders.listing import IMPORT_FILE
from edgeinfer.host.data.importing.archives import is_zip, unpack
from edgeinfer.host.data.importing.formats.classes import (
    is_project,
    label_of_zip,
    read_classes,
    read_project,
)
from edgeinfer.host.data.importing.formats.coco import find_coco, is_coco, read_coco
from edgeinfer.host.data.importing.formats.tables import (
    TABLE_SUFFIXES,
    has_boxes,
    read_box_table,
    read_label_table,
)
from edgeinfer.host.data.importing.formats.voc import read_voc
from edgeinfer.host.data.importing.formats.yolo import LISTS, read_yolo
from edgeinfer.host.data.importing.found import FoundData, Record
from edgeinfer.host.data.importing.names import label_folder

Layout = Literal["voc", "yolo", "coco", "table", "teachable", "classes"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)

_OF_BOXES: dict[str, Layout] = {
    "Pascal VOC": "voc",
    "YOLO": "yolo",
    "COCO": "coco",
    "TensorFlow CSV": "table",
}
_MOST_WRAPPINGS = 8


def read_any(
    source: Path,
    space: Path,
    record: Record,
    *,
    layout: Layout | None = None,
    pictures: Path | None = None,
    progress: Progress | None = None,
) -> FoundData:
    """Return what a data set holds.

    Args:
        source: its folder, its ZIP or `.tm` file, or its table, COCO file or `data.yaml`.
        space: an empty folder for what is unpacked.
        record: takes what is left out.
        layout: the layout; None to recognize it.
        pictures: the folder of the pictures, where it is not that of the labels.
        progress: shows the unpacking.

    Raises:
        DataError: it is missing, damaged, or not in a known layout.
        StorageError: there is no room to unpack it.
    """
    if source.is_file():
        if is_zip(source):
            unpack(source, space, record, progress)
            return _read_folder(_unwrapped(space), record, layout, pictures, source)
        return _read_file(source, pictures or source.parent, record, layout)
    if not source.is_dir():
        raise DataError(source, got="does not exist", next_step="check the path")
    if layout in (None, "teachable") and (zips := _only_zips(source)):
        for path in zips:
            unpack(path, _folder(space, label_folder(label_of_zip(path.name), record)), record)
        return read_classes(space, record)
    return _read_folder(source, record, layout, pictures, source)


def _read_file(source: Path, pictures: Path, record: Record, layout: Layout | None) -> FoundData:
    """Read a data set that is named by its table or its list of names."""
    suffix = source.suffix.lower()
    if suffix in {".yaml", ".yml"} or source.name.lower() in LISTS or layout == "yolo":
        return read_yolo(pictures, record, source)
    if layout == "coco" or (layout is None and suffix == ".json" and is_coco(source)):
        return read_coco(pictures, record, [source.absolute()])
    if suffix in TABLE_SUFFIXES or layout == "table":
        if has_boxes(source):
            return read_box_table(pictures, source, record)
        return read_label_table(pictures, source, record)
    raise DataError(
        source,
        got="is not a data set that can be imported",
        expected="a folder, a ZIP, a .tm file, a CSV or JSON table, a COCO file or a data.yaml",
    )


def _read_folder(
    root: Path, record: Record, layout: Layout | None, pictures: Path | None, source: Path
) -> FoundData:
    layout = layout or _layout_of(root, source)
    if pictures is not None and layout not in ("coco", "table"):
        raise UsageError(
            "--pictures",
            got=f"is given for {source}",
            expected="a table, a COCO file or a data.yaml",
            next_step="leave it out",
        )
    if layout == "voc":
        return read_voc(root, record)
    if layout == "yolo":
        return read_yolo(root, record)
    if layout == "coco":
        return read_coco(pictures or root, record, _coco_files(root))
    if layout == "table":
        return _read_file(_one_table(root), pictures or root, record, "table")
    if layout == "teachable":
        return read_project(root, record)
    return read_classes(root, record)


def _coco_files(root: Path) -> list[Path]:
    """Return the COCO files of a folder.

    Raises:
        DataError: there is none.
    """
    files = find_coco(root)
    # Of several those that are whole; else the reader says what is wrong with one.
    found = [path for path in files if is_coco(path)]
    found = found or [path for path in files if is_coco(path, cut=True)]
    if not found:
        raise DataError(root, got="has no COCO file", expected="JSON with images and annotations")
    return found


def _layout_of(root: Path, source: Path) -> Layout:
    """Return the layout of a folder.

    Raises:
        DataError: it has none of those that can be imported.
    """
    if is_project(root):
        return "teachable"
    place = root
    for _ in range(_MOST_WRAPPINGS):
        if (found := boxes_layout(place)) is not None:
            if found[0] in _OF_BOXES:
                return _OF_BOXES[found[0]]
            raise DataError(
                source,
                got=f"is in the layout {found[0]}, see {found[1]}",
                expected="Pascal VOC, YOLO, COCO, a table, or class folders",
                next_step="export it in one of these",
            )
        inner = folders_in(place)
        if len(inner) != 1 or has_pictures(place):
            break
        place = inner[0]
    for inner_place in folders_in(root):  # such as VOCdevkit/VOC2007
        found = boxes_layout(inner_place)
        if found is not None and found[0] in _OF_BOXES:
            return _OF_BOXES[found[0]]
    if _tables(root) and not _are_class_folders(root):
        return "table"
    if arrange(root).unclear is None and folders_in(root):
        return "classes"
    raise DataError(
        source,
        got="has no labels that can be read",
        expected="class folders, a table of labels, Pascal VOC, YOLO, COCO, or the ZIPs of "
        "Teachable Machine",
        next_step="name the layout with --layout, or give the file of the labels; of ZIPs of one "
        "class each, give the folder that they are in",
    )


def _are_class_folders(root: Path) -> bool:
    """Return whether there are folders that are named after what they show."""
    named = [
        path
        for path in folders_in(root)
        if role_of(path.name) is None and not is_wrapping(path.name) and has_pictures(path)
    ]
    inner = [
        path
        for folder in folders_in(root)
        if role_of(folder.name) is not None
        for path in folders_in(folder)
        if has_pictures(path)
    ]
    return len(named) > 1 or len(inner) > 1


def _tables(root: Path) -> list[Path]:
    return [
        path
        for path in sorted(root.iterdir())
        if path.suffix.lower() in TABLE_SUFFIXES
        and path.is_file()
        and not path.name.startswith(".")
        and path.name != IMPORT_FILE
    ]


def _one_table(root: Path) -> Path:
    """Return the only table of a folder.

    Raises:
        DataError: there is none, or several.
    """
    tables = _tables(root)
    if len(tables) == 1:
        return tables[0]
    if not tables:
        raise DataError(
            root, got="has no table of labels", expected=f"a file {', '.join(TABLE_SUFFIXES)}"
        )
    raise DataError(
        root,
        got=f"has {len(tables)} tables: {', '.join(path.name for path in tables[:3])}",
        expected="one",
        next_step=f"give the right one instead of the folder, such as {tables[0]}",
    )


def _only_zips(folder: Path) -> list[Path]:
    """Return the ZIPs of a folder that holds nothing else; they are of one class each."""
    found = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    zips = [path for path in found if path.is_file() and is_zip(path)]
    return zips if zips and len(zips) == len(found) else []


def _folder(space: Path, name: str) -> Path:
    """Make the folder of a class.

    Raises:
        DataError: two ZIPs are of the same class.
    """
    place = space / name
    try:
        place.mkdir()
    except FileExistsError as error:
        raise DataError(
            name, got="is the class of two ZIPs, by their names", next_step="rename one of them"
        ) from error
    return place


def _unwrapped(space: Path) -> Path:
    """Return the folder in which a ZIP's own folder begins, if it has one for all."""
    place = space
    for _ in range(_MOST_WRAPPINGS):
        inner = [entry for entry in os.scandir(place) if not entry.name.startswith(".")]
        if len(inner) != 1 or not inner[0].is_dir() or has_pictures(Path(inner[0].path)):
            break
        place = Path(inner[0].path)
    return place

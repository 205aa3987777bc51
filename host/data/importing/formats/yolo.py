"""YOLO: a text of boxes for each picture, the classes' names in `data.yaml` or `classes.txt`."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

from edgeinfer.device.core.errors import DataError
from edgeinfer.device.pictures.folders.names import Split, split_of
from edgeinfer.host.data.importing.formats.pictures import (
    NO_SUCH_PICTURE,
    PictureIndex,
    files_below,
)
from edgeinfer.host.data.importing.formats.texts import number, read_text
from edgeinfer.host.data.importing.formats.yolo_names import YoloNames, read_yolo_names
from edgeinfer.host.data.importing.found import (
    Box,
    FoundData,
    FoundPicture,
    Record,
    note_unused,
)

LISTS = ("classes.txt", "obj.names", "_darknet.labels", "labels.txt", "classes.names")
"""Where the names are in data sets without a `data.yaml`."""

_NO_BOXES = "picture without a file of boxes; taken as one without objects"
_POLYGON = "outline; the box around it is taken"
_CONFIDENCE = "confidence behind a box; not used"
_LARGEST = 2.0
"""Shares are at most 1; a box that leaves the picture may have a little more."""


def read_yolo(root: Path, record: Record, names_file: Path | None = None) -> FoundData:
    """Return the data set of a folder in one of YOLO's layouts.

    Args:
        root: the folder.
        record: takes what is left out.
        names_file: the file of the classes' names; None to find it.

    Raises:
        DataError: there are no names, a text is not of boxes, or a class has no name.
    """
    index = PictureIndex(root, record)
    names_file = names_file or _names_file(index.root)
    names = read_yolo_names(names_file)
    splits = _splits(index, names_file, names, record)
    texts = _Texts(index)
    pictures = []
    for path in index.paths:
        text = texts.of(path)
        split = splits.get(path) or index.split(path)
        if text is None:
            record.add("note", _NO_BOXES, index.relative(path))
            pictures.append(FoundPicture(path=path, place=index.relative(path), split=split))
            continue
        boxes = parse_yolo(Path(text), names, record, index.relative(text))
        pictures.append(
            FoundPicture(
                path=path, place=index.relative(text), split=split, boxes=boxes, ratio=True
            )
        )
    if not texts.used:
        raise DataError(
            root,
            got=f"has {len(index.paths):,} pictures, and none has a text of boxes",
            expected="images/NAME.jpg with labels/NAME.txt",
            next_step="give the folder that holds both",
        )
    used = {box.label for picture in pictures for box in picture.boxes}
    note_unused(names.names.values(), used, index.relative(names_file), record)
    for text in texts.unused(names_file):
        record.left_out(NO_SUCH_PICTURE, index.relative(text))
    return FoundData(layout="YOLO", root=index.root, pictures=tuple(pictures), boxes=True)


def parse_yolo(path: Path, names: YoloNames, record: Record, place: str) -> tuple[Box, ...]:
    """Return the boxes of one picture, as shares of its sides.

    Args:
        path: the text: a line of class and numbers for each object.
        names: the classes' names.
        record: takes what is understood in another way.
        place: the text's name, for the record.

    Raises:
        DataError: a line is not understood, or its class has no name.
    """
    boxes = []
    for row, line in enumerate(read_text(path).split("\n"), start=1):
        words = line.split()
        if not words:
            continue
        where = f"{place}, line {row}"
        try:
            values = [number(word, record, where) for word in words]
        except ValueError as error:
            raise DataError(f"{path}, line {row}", got=str(error)) from error
        kind, *rest = values
        if kind != int(kind) or int(kind) not in names.names:
            raise DataError(
                f"{path}, line {row}",
                got=f"its class is {kind:g}",
                expected=f"one of the {len(names.names)} that have a name, "
                f"{min(names.names)} to {max(names.names)}",
                next_step="give the file of names that belongs to these boxes",
            )
        if any(abs(value) > _LARGEST for value in rest):
            raise DataError(
                f"{path}, line {row}",
                got=f"has the number {max(rest, key=abs):g}",
                expected="shares of the picture's width and height, from 0 to 1",
                next_step="divide pixels by the picture's sides",
            )
        label = names.names[int(kind)]
        try:
            boxes.append(Box(label, *_edges(rest, names.keypoints, record, where)))
        except ValueError as error:
            raise DataError(
                f"{path}, line {row}", got=str(error), expected="a class and four numbers"
            ) from error
    return tuple(boxes)


def _edges(
    rest: list[float], keypoints: bool, record: Record, where: str
) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of one object."""
    count = len(rest)
    outline = count >= 6 and count % 2 == 0 and not keypoints
    if outline:
        record.corrected(_POLYGON, where)
        across, down = rest[0::2], rest[1::2]
        return min(across), min(down), max(across), max(down)
    if count < 4:
        raise ValueError(f"has {count} numbers behind its class")
    if count == 5:
        record.corrected(_CONFIDENCE, where)
    elif count > 5:
        record.corrected("points behind a box; not used", where)
    x, y, width, height = rest[:4]
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


class _Texts:
    """The texts of boxes, found by their pictures.

    Attributes:
        used: those that belong to a picture.
    """

    def __init__(self, index: PictureIndex) -> None:
        self._index = index
        self.used: set[str] = set()
        self._all: list[str] = list(files_below(index.root, (".txt",)))
        self._known = set(self._all)
        self._by_stem: dict[str, list[str]] = defaultdict(list)
        for path in self._all:
            self._by_stem[os.path.splitext(os.path.basename(path))[0]].append(path)

    def of(self, picture: str) -> str | None:
        """Return the text of a picture: in `labels` instead of `images`, next to it, or alone."""
        folder, name = os.path.split(picture)
        stem = os.path.splitext(name)[0]
        places = [os.path.join(folder, f"{stem}.txt")]
        parts = Path(folder).parts
        for at in range(len(parts) - 1, len(self._index.root.parts) - 1, -1):
            if parts[at].casefold() == "images":
                swapped = Path(*parts[:at], "labels", *parts[at + 1 :])
                places.insert(0, str(swapped / f"{stem}.txt"))
                break
        found = next((place for place in places if place in self._known), None)
        if found is None:
            same = self._by_stem.get(stem, [])
            if len(same) > 1:
                split = self._index.split(picture)
                same = [text for text in same if self._index.split(text) == split]
            found = same[0] if len(same) == 1 else None
        if found is not None:
            self.used.add(found)
        return found

    def unused(self, names_file: Path) -> list[str]:
        """Return texts in the folders of the used ones that belong to no picture."""
        folders = {os.path.dirname(path) for path in self.used}
        other = {*LISTS, names_file.name, "readme.txt", "notes.txt"}
        return [
            path
            for path in self._all
            if path not in self.used
            and os.path.dirname(path) in folders
            and os.path.basename(path).casefold() not in other
            and split_of(os.path.splitext(os.path.basename(path))[0]) is None
        ]


def _names_file(root: Path) -> Path:
    """Return the file of the classes' names.

    Raises:
        DataError: there is none, or there are several that differ.
    """
    yamls = [Path(path) for path in files_below(root, (".yaml", ".yml"))]
    named = [path for path in yamls if "names" in _top_keys(path)]
    lists = [Path(path) for path in files_below(root) if os.path.basename(path).lower() in LISTS]
    for candidates in (named, lists):
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            texts = {read_text(path).strip() for path in candidates}
            if len(texts) == 1:
                return candidates[0]
            raise DataError(
                root,
                got=f"names its classes in {len(candidates)} files: "
                f"{', '.join(os.path.relpath(path, root) for path in candidates[:3])}",
                expected="one of them",
                next_step="give the right one instead of the folder",
            )
    raise DataError(
        root,
        got="has boxes in YOLO's layout, and no file that names the classes",
        expected="data.yaml with names:, or classes.txt",
        next_step="put a classes.txt there: a name a line, in the order of their numbers",
    )


def _top_keys(path: Path) -> set[str]:
    try:
        lines = read_text(path).split("\n")
    except DataError:
        return set()
    return {line.partition(":")[0].strip("'\" ") for line in lines if line[:1] not in {" ", "#"}}


def _splits(
    index: PictureIndex, names_file: Path, names: YoloNames, record: Record
) -> dict[str, Split]:
    """Return the splits that `data.yaml` gives to pictures; folders' names come after it."""
    found: dict[str, Split] = {}
    for key, places in names.places.items():
        split = split_of(key)
        assert split is not None
        for said in places:
            place = _inside(index.root, names_file.parent, names.base, said)
            if place is None:
                what = "folder or list of pictures that is not in the data set"
                record.left_out(what, index.relative(names_file), f"{key}: {said}")
            elif place.is_dir():
                start = os.path.join(place, "")
                for path in index.paths:
                    if path.startswith(start):
                        found.setdefault(path, split)
            else:
                for line in read_text(place).split("\n"):
                    if line.strip():
                        path_or_none = index.find(line.strip(), place.parent, index.relative(place))
                        if path_or_none is None:
                            record.left_out(NO_SUCH_PICTURE, index.relative(place), line.strip())
                        else:
                            found.setdefault(path_or_none, split)
    return found


def _inside(root: Path, near: Path, base: str, said: str) -> Path | None:
    """Return the folder or file that a `data.yaml` means, if it is in the data set.

    Its paths are often those of the machine that trained: then the longest end counts that exists.
    """
    whole = f"{base}/{said}".replace("\\", "/")
    parts = [part for part in whole.split("/") if part not in {"", ".", ".."}]
    for start in range(len(parts)):
        for folder in (Path(os.path.abspath(near)), root):
            place = folder.joinpath(*parts[start:])
            if place.exists() and place.is_relative_to(root):
                return place
    return None

"""Pascal VOC: an XML file of boxes for each picture, splits in `ImageSets/Main`.

Boxes are taken as they are written: tools count pixels from 0 or from 1, and no file says which.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from edgeinfer.device.core.errors import DataError
from edgeinfer.device.pictures.folders.names import Split, split_of
from edgeinfer.host.data.importing.formats.pictures import (
    NO_SUCH_PICTURE,
    PictureIndex,
    files_below,
)
from edgeinfer.host.data.importing.formats.texts import MAX_TEXT_BYTES, number, read_text
from edgeinfer.host.data.importing.found import Box, FoundData, FoundPicture, Record

_NO_ANNOTATION = "file that is not an annotation of Pascal VOC"
_NO_BOX = "object without a box that can be read"


class Annotation(NamedTuple):
    """What an XML file says.

    Attributes:
        file: the picture's name as it is written; may be empty.
        size: (width, height) in pixels, None where it is not written or 0.
        boxes: in pixels.
    """

    file: str
    size: tuple[int, int] | None
    boxes: tuple[Box, ...]


def read_voc(root: Path, record: Record) -> FoundData:
    """Return the data set of a folder with Pascal VOC annotations.

    Args:
        root: the folder.
        record: takes what is left out.

    Raises:
        DataError: no annotation can be read, or none belongs to a picture.
    """
    index = PictureIndex(root, record)
    lists = _lists(root)
    found: dict[str, FoundPicture] = {}
    files = 0
    for xml in files_below(index.root, (".xml",)):
        files += 1
        place = index.relative(xml)
        try:
            said = parse_annotation(_bytes(Path(xml)), record, place)
        except ValueError as error:
            record.left_out(_NO_ANNOTATION, place, str(error))
            continue
        path = _picture(index, Path(xml), said.file, record)
        if path is None:
            record.left_out(NO_SUCH_PICTURE, place, said.file)
        elif path in found:
            record.left_out("second annotation of a picture", place, index.relative(path))
        else:
            stem = os.path.splitext(os.path.basename(xml))[0]
            found[path] = FoundPicture(
                path=path,
                place=place,
                split=lists.get(stem) or index.split(path) or index.split(xml),
                boxes=said.boxes,
                size=said.size,
            )
    if not found:
        raise DataError(
            root,
            got=f"has {files:,} XML files, and none belongs to one of its {len(index.paths):,} "
            "pictures",
            expected="Pascal VOC annotations with their pictures",
            next_step="give the folder that holds both",
        )
    for path in index.paths:
        if path not in found:
            record.left_out("picture without an annotation", index.relative(path))
    return FoundData(
        layout="Pascal VOC",
        root=index.root,
        pictures=tuple(found[path] for path in sorted(found)),
        boxes=True,
    )


def parse_annotation(data: bytes, record: Record, place: str) -> Annotation:
    """Return what the XML of one picture says.

    Args:
        data: the file.
        record: takes objects that are left out.
        place: its name, for the record.

    Raises:
        ValueError: it is not such XML; it says why.
    """
    try:
        parser = ElementTree.XMLParser(target=_NoDocumentType())
        parser.feed(data)
        root = parser.close()
    except (ElementTree.ParseError, LookupError) as error:
        raise ValueError(f"is not XML ({error})") from error
    if root.tag != "annotation":
        raise ValueError(f"begins with <{root.tag}>, expected <annotation>")
    boxes = []
    for thing in root.findall("object"):
        label = (thing.findtext("name") or "").strip()
        edges = thing.find("bndbox")
        try:
            if not label or edges is None:
                raise ValueError("has no bndbox" if label else "has no name")
            sides = [
                number(edges.findtext(side) or "", record, place)
                for side in ("xmin", "ymin", "xmax", "ymax")
            ]
        except ValueError as error:
            record.left_out(_NO_BOX, place, f"{label} {error}".strip())
            continue
        boxes.append(Box(label, *sides))
    name = (root.findtext("filename") or "").strip()
    return Annotation(name, _size(root, record, place), tuple(boxes))


def _size(root: ElementTree.Element, record: Record, place: str) -> tuple[int, int] | None:
    """Return the size of the picture; tools that do not know it write 0."""
    sides = []
    for side in ("width", "height"):
        try:
            sides.append(int(number(root.findtext(f"size/{side}") or "0", record, place)))
        except ValueError:
            return None
    return (sides[0], sides[1]) if min(sides) > 0 else None


class _NoDocumentType(ElementTree.TreeBuilder):
    """Refuses the declarations in which XML bombs and references to other files stand."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Refuse.

        Raises:
            ValueError: always.
        """
        raise ValueError("declares a document type, which annotations do not need")


def _bytes(path: Path) -> bytes:
    """Return an XML file's bytes.

    Raises:
        ValueError: it cannot be read, or is too large.
    """
    try:
        if path.stat().st_size > MAX_TEXT_BYTES:
            raise ValueError(f"is larger than {MAX_TEXT_BYTES // 2**20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot be read ({(error.strerror or str(error)).lower()})") from error


def _picture(index: PictureIndex, xml: Path, said: str, record: Record) -> str | None:
    """Return the picture of an annotation: the one with the XML's name, else the one it names.

    Who renames pictures and annotations together rarely changes what is written in them.
    """
    same = index.find_stem(xml.stem, xml.parent)
    if same is None:
        return index.find(said, xml.parent, index.relative(xml)) if said else None
    written = os.path.splitext(os.path.basename(said.replace("\\", "/")))[0]
    if written and written.casefold() != xml.stem.casefold():
        record.corrected(
            "annotation names another picture; the one with its name is taken",
            index.relative(xml),
            said,
        )
    return same


def _lists(root: Path) -> dict[str, Split]:
    """Return the splits of `ImageSets/Main/train.txt` and so on, by names without suffix."""
    splits: dict[str, Split] = {}
    for path in files_below(root, (".txt",)):
        folder, name = os.path.split(path)
        split = split_of(os.path.splitext(name)[0])
        # "trainval" holds the others again; lists such as "cat_train" are of one class.
        if os.path.basename(folder) != "Main" or split is None or "_" in name:
            continue
        for line in read_text(Path(path)).split("\n"):
            words = line.split()
            if words and (name != "trainval.txt" or words[0] not in splits):
                splits[words[0]] = split
    return splits

"""From a folder of pictures with boxes, as VOC, YOLO, COCO or a table, to targets and findings."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.converters.tasks.detection.target import BoxesTarget, TrueBox
from edgeinfer.device.core.errors import DataError, printable
from edgeinfer.device.pictures.folders.other_layouts import boxes_layout
from edgeinfer.host.data.folders.findings import Finding, FindingKind
from edgeinfer.host.data.importing.archives import is_zip
from edgeinfer.host.data.importing.fit import FittedPicture, fit_picture
from edgeinfer.host.data.importing.formats.coco import find_coco, is_coco, read_coco
from edgeinfer.host.data.importing.found import (
    CorrectionKind,
    FoundData,
    Record,
    labels_of,
)
from edgeinfer.host.data.importing.recognize import read_any

TWICE = "box that is written twice"

_KINDS: dict[CorrectionKind, FindingKind] = {
    "left-out": "ignored",
    "corrected": "warning",
    "note": "note",
}
_SHOWN = 20
"""This many findings of one reason are kept; the others are counted in one more."""


@dataclass(frozen=True, kw_only=True)
class BoxedFile:
    """A picture with its boxes.

    Attributes:
        path: absolute.
        target: its boxes.
        split: the split that the data set itself puts it in, or None.
    """

    path: str
    target: BoxesTarget
    split: Split | None


@dataclass(frozen=True, kw_only=True)
class BoxLayout:
    """A folder of pictures with boxes.

    Attributes:
        root: the folder.
        labels: the classes that have a box, sorted.
        files: the pictures, with and without boxes, in an order that does not depend on the disk.
        findings: what was left out, and what was corrected.
    """

    root: Path
    labels: tuple[str, ...]
    files: tuple[BoxedFile, ...]
    findings: tuple[Finding, ...]


def find_boxes(
    root: Path,
    table: Path | None = None,
    *,
    known: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> BoxLayout:
    """List the pictures of a folder with their boxes.

    Args:
        root: the folder, in the layout of Pascal VOC, YOLO or COCO, or with a table of boxes.
        table: a COCO file, a table of boxes, or a `data.yaml`, where the folder does not tell.
        known: the labels that boxes may have, in their order; None takes those that are there.
        progress: reports each picture.

    Raises:
        DataError: the folder has no boxes that can be read, or a label that is not known.
    """
    record = Record()
    data = _read(root, table, record)
    labels = tuple(labels_of(data.pictures))
    if known is not None:
        _require_known(table or root, labels, known)
        labels = tuple(known)
    place = {label: number for number, label in enumerate(labels)}
    if progress is not None:
        progress.start("reading the boxes", len(data.pictures))
    files = []
    for picture in data.pictures:
        fitted = fit_picture(picture, record)
        if fitted is not None:
            target = _target(fitted, place, record)
            files.append(BoxedFile(path=fitted.path, target=target, split=fitted.split))
        if progress is not None:
            progress.advance()
    if not any(file.target.things for file in files):
        raise DataError(
            table or root,
            got=f"none of its {len(data.pictures):,} pictures has a box that can be used"
            f"{_first_reason(record)}",
            expected="one or more boxes with area in a picture",
        )
    return BoxLayout(
        root=data.root, labels=labels, files=tuple(files), findings=tuple(_findings(record))
    )


def _read(root: Path, table: Path | None, record: Record) -> FoundData:
    if root.is_file() and is_zip(root):
        raise DataError(
            root,
            got="is packed",
            expected="a folder",
            next_step="unpack it, or bring it in with `edgeinfer data import`",
        )
    with tempfile.TemporaryDirectory() as space:  # only ZIPs are unpacked
        if table is None and root.is_dir() and boxes_layout(root) is None:
            data = _read_unknown(root, Path(space), record)
        elif table is None:
            data = read_any(root, Path(space), record)
        else:
            data = read_any(table, Path(space), record, pictures=root)
    if not data.boxes:
        raise DataError(
            table or root,
            got=f"says what whole pictures show ({data.layout}), not where things are",
            expected="boxes in the layout of Pascal VOC, YOLO or COCO, or a table of boxes",
        )
    return data


def _read_unknown(root: Path, space: Path, record: Record) -> FoundData:
    """Read a folder that does not show at first sight where its boxes are.

    Raises:
        DataError: no layout is found, or a file that may have the boxes is damaged.
    """
    data, failed = None, None
    try:
        data = read_any(root, space, record)
    except DataError as error:
        if Path(error.subject.partition(", line ")[0]).is_file():
            raise
        failed = error
    if data is not None and data.boxes:
        return data
    # The reader names a file that may be COCO and is cut.
    if cut := [file for file in find_coco(root) if is_coco(file, cut=True)]:
        return read_coco(root, record, cut)
    if data is not None:
        return data
    raise DataError(
        root,
        got="has no boxes in a layout that is known",
        expected="boxes in the layout of Pascal VOC, YOLO or COCO, or a table of boxes",
        next_step="name a table, a COCO file or a data.yaml with --labels-csv",
    ) from failed


def _require_known(subject: Path, labels: Sequence[str], known: Sequence[str]) -> None:
    strange = [label for label in labels if label not in known]
    if strange:
        raise DataError(
            subject,
            got=f"has boxes of '{printable(strange[0])}'",
            expected=f"labels of the model, such as {', '.join(known[:5])}",
            next_step="remove them, or give them the model's name of the label",
        )


def _target(picture: FittedPicture, place: dict[str, int], record: Record) -> BoxesTarget:
    """Return the boxes as shares of the picture, each once."""
    width, height = picture.size
    things: dict[TrueBox, None] = {}
    for box in picture.boxes:
        thing = TrueBox(
            place[box.label],
            # In millionths, which is how they are written into a table of samples.
            *(round(edge, 6) for edge in (box.left / width, box.top / height)),
            *(round(edge, 6) for edge in (box.right / width, box.bottom / height)),
        )
        if thing in things:
            said = f"{box.label} {box.left:g} {box.top:g} {box.right:g} {box.bottom:g}"
            record.left_out(TWICE, picture.place, said)
        things[thing] = None
    return BoxesTarget(tuple(things))


def _findings(record: Record) -> list[Finding]:
    """Return the corrections as findings; of many for one reason the first, and their number."""
    found: list[Finding] = []
    shown: Counter[tuple[str, str]] = Counter()
    for one in record.corrections:
        shown[one.kind, one.what] += 1
        if shown[one.kind, one.what] <= _SHOWN:
            detail = f"{one.what}: {one.detail}" if one.detail else one.what
            found.append(Finding(kind=_KINDS[one.kind], path=one.place, detail=detail))
    for (kind, what), count in record.counts.items():
        if count > _SHOWN:
            detail = f"{what}: {count - _SHOWN:,} more"
            found.append(Finding(kind=_KINDS[kind], path=".", detail=detail))
    return found


def _first_reason(record: Record) -> str:
    first = next((one for one in record.corrections if one.kind == "left-out"), None)
    return "" if first is None else f" ({first.place}: {first.what})"

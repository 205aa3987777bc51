"""An import from its beginning to its end: all of it appears by one rename, or nothing does."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edgeinfer.converters.common.progress import Progress, Silent
from edgeinfer.device.core.errors import DataError, StorageError, UsageError, storage_error
from edgeinfer.host.data.folders.listing import IMPORT_FILE
from edgeinfer.host.data.folders.warnings import warn_of_labels
from edgeinfer.host.data.importing.appearing import FRESH, UNPACKED, appearing
from edgeinfer.host.data.importing.archives import is_zip
from edgeinfer.host.data.importing.fit import FittedPicture, fit_picture
from edgeinfer.host.data.importing.found import FoundData, FoundPicture, Record, labels_of
from edgeinfer.host.data.importing.recognize import Layout, read_any
from edgeinfer.host.data.importing.write import (
    Written,
    write_boxes,
    write_classes,
    write_crops,
)

_NO_SPLIT = "picture without a split among others; counted to train"


@dataclass(frozen=True, kw_only=True)
class ImportSettings:
    """What a user may say about an import.

    Attributes:
        layout: the data set's layout; None to recognize it.
        pictures: the folder of the pictures, where it is not that of the labels.
        crops: make a picture of each box, for classification.
        margin: how much more of the picture is around each such box, as a share of its sides.
        link: make hard links instead of copies.
        splits: keep the data set's own splits.
    """

    layout: Layout | None = None
    pictures: Path | None = None
    crops: bool = False
    margin: float = 0.0
    link: bool = False
    splits: bool = True


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What an import wrote.

    Attributes:
        out: the folder.
        layout: the layout that was found, in words.
        boxes: whether it holds pictures with boxes, instead of class folders.
        pictures: how many pictures it holds.
        counts: pictures, or boxes, of each split and label.
        record: what was left out and corrected.
    """

    out: Path
    layout: str
    boxes: bool
    pictures: int
    counts: Written
    record: Record


def import_data(
    source: Path, out: Path, settings: ImportSettings, progress: Progress | None = None
) -> Imported:
    """Bring a data set into the layout that edgeinfer trains from.

    Args:
        source: its folder, ZIP, `.tm` file, table, COCO file or `data.yaml`.
        out: a folder that does not exist yet, or is empty.
        settings: what the user wants.
        progress: shows how far it is.

    Raises:
        DataError: the data set cannot be used; the sentence says why.
        UsageError: a setting does not fit it.
        StorageError: a file cannot be written.
    """
    progress = progress or Silent()
    _check_places(source, out, settings)
    record = Record()
    with appearing(source, out) as space:
        unpacked, fresh = space / UNPACKED, space / FRESH
        data = read_any(
            source,
            unpacked,
            record,
            layout=settings.layout,
            pictures=settings.pictures,
            progress=progress,
        )
        if not data.pictures:
            raise DataError(source, got="has no labelled picture", expected="at least one")
        if settings.crops and not data.boxes:
            raise UsageError(
                "--crops",
                got=f"{source} has no boxes, it is read as {data.layout}",
                expected="a data set with boxes",
                next_step="leave it out",
            )
        pictures = _with_splits(data.pictures, settings.splits, record)
        counts = _write(fresh, data, pictures, settings, record, progress)
        for warning in warn_of_labels(tuple(sorted({label for _, label in counts}))):
            record.add("note", warning.detail, warning.path)
        boxes = data.boxes and not settings.crops
        written = sum(len(files) for _, _, files in os.walk(fresh)) - boxes
        if not sum(counts.values()):
            raise DataError(
                source,
                got=f"nothing of its {len(pictures):,} pictures can be used{_why(record)}",
                expected="pictures with labels that fit them",
            )
        imported = Imported(
            out=out,
            layout=data.layout,
            boxes=boxes,
            pictures=written,
            counts=counts,
            record=record,
        )
        _write_log(fresh / IMPORT_FILE, source, settings, imported, unpacked)
    return imported


def _write(
    fresh: Path,
    data: FoundData,
    pictures: Sequence[FoundPicture],
    settings: ImportSettings,
    record: Record,
    progress: Progress,
) -> Written:
    if not data.boxes:
        return write_classes(fresh, pictures, record, link=settings.link, progress=progress)
    fitted = _fitted(pictures, record)
    total = len(pictures)
    if settings.crops:
        return write_crops(
            fresh,
            fitted,
            labels_of(pictures),
            total,
            record,
            margin=settings.margin,
            progress=progress,
        )
    return write_boxes(fresh, fitted, total, record, link=settings.link, progress=progress)


def _fitted(pictures: Sequence[FoundPicture], record: Record) -> Iterator[FittedPicture]:
    for picture in pictures:
        if (fitted := fit_picture(picture, record)) is not None:
            yield fitted


def _why(record: Record) -> str:
    first = next((c for c in record.corrections if c.kind == "left-out"), None)
    if first is None:
        return ""
    return f": {first.what} ({first.place}{f': {first.detail}' if first.detail else ''})"


def _with_splits(
    pictures: Sequence[FoundPicture], keep: bool, record: Record
) -> Sequence[FoundPicture]:
    """Return the pictures with a split for each, or for none."""
    if not keep:
        return [replace(picture, split=None) for picture in pictures]
    if all(picture.split is None for picture in pictures):
        return pictures
    completed = []
    for picture in pictures:
        if picture.split is None:
            record.corrected(_NO_SPLIT, picture.place, picture.path)
            picture = replace(picture, split="train")
        completed.append(picture)
    return completed


def _check_places(source: Path, out: Path, settings: ImportSettings) -> None:
    """Refuse what cannot work, before anything is read.

    Raises:
        UsageError: options do not go together.
        StorageError: `out` is there and not empty.
    """
    if settings.crops and settings.link:
        raise UsageError(
            "--link", got="is given with --crops", expected="one of them: crops are new pictures"
        )
    if settings.margin and not settings.crops:
        raise UsageError("--margin", got="is given without --crops", expected="both")
    packed = [source] if source.is_file() else []
    if source.is_dir():
        packed = [path for path in source.iterdir() if path.suffix.lower() == ".zip"]
    if settings.link and any(map(is_zip, packed)):
        raise UsageError(
            "--link", got="is given for a ZIP", expected="a folder", next_step="leave it out"
        )
    inside = Path(os.path.abspath(out))
    if source.is_dir() and inside.is_relative_to(os.path.abspath(source)):
        raise UsageError(
            out, got=f"is in {source}, which is imported", expected="a folder elsewhere"
        )
    if out.is_dir() and any(out.iterdir()):
        found = "is there already, and not empty"
    elif os.path.lexists(out) and not out.is_dir():
        found = "is a file"
    else:
        return
    raise StorageError(
        out,
        got=found,
        expected="a folder that does not exist yet",
        next_step="choose another name, or remove it",
    )


def _write_log(
    path: Path, source: Path, settings: ImportSettings, imported: Imported, unpacked: Path
) -> None:
    record = imported.record
    hidden = f"{unpacked}{os.sep}"

    def plain(text: str) -> str:
        return text.replace(hidden, "")

    content = {
        "source": str(source),
        "layout": imported.layout,
        "crops": settings.crops,
        "margin": settings.margin,
        "pictures": imported.pictures,
        "counts": [
            {"split": split, "label": label, "count": count}
            for (split, label), count in sorted(
                imported.counts.items(), key=lambda item: (item[0][0] or "", item[0][1])
            )
        ],
        "kinds": [
            {"kind": kind, "what": what, "count": count}
            for (kind, what), count in record.counts.items()
        ],
        "corrections": [
            {
                "kind": correction.kind,
                "what": correction.what,
                "place": plain(correction.place),
                "detail": plain(correction.detail),
            }
            for correction in record.corrections
        ],
    }
    try:
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise storage_error(path, error) from error

"""propose(): asks a detector about pictures and writes its boxes next to them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.converters.common.progress import Progress, Silent
from edgeinfer.device.core.errors import DataError, ImageError, UsageError, storage_error
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.models.model import Model
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.registry import find_task
from edgeinfer.host.data.folders.findings import Finding
from edgeinfer.host.data.folders.listing import images_below
from edgeinfer.host.evaluation.propose.annotations import (
    CLASSES_FILE,
    SUFFIXES,
    WRITERS,
    ProposalLayout,
    classes_text,
)


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """What was written.

    Attributes:
        pictures: how many pictures got a file.
        boxes: how many boxes these have.
        kept: how many pictures had a file already, which was left as it is.
        unreadable: pictures that cannot be read, relative to the folder, with the reason.
    """

    pictures: int
    boxes: int
    kept: int
    unreadable: tuple[Finding, ...]


def propose(
    model: Path,
    folder: Path,
    layout: ProposalLayout,
    *,
    out: Path | None = None,
    options: OpenOptions | None = None,
    progress: Progress | None = None,
) -> Proposed:
    """Write a detector's boxes as annotations; a file that is there already is never changed.

    Args:
        model: a bundle or a plain `.tflite`.
        folder: the pictures, anywhere below it.
        layout: "voc" writes an XML file for each picture, "yolo" a text and `classes.txt`.
        out: the folder for the files, with the pictures' own folders in it; None writes each next
            to its picture.
        options: how to open the model.
        progress: reports each picture.

    Raises:
        DataError: there is no picture, or `classes.txt` names other classes.
        ModelError: the model is missing or damaged.
        StorageError: a file cannot be written.
        UsageError: the model finds no objects, or its answers to tiles cannot be put together.
    """
    shown = progress or Silent()
    findings: list[Finding] = []
    if not folder.is_dir():
        raise DataError(folder, got="is not a folder", expected="a folder of pictures")
    root = Path(os.path.abspath(folder))
    pictures = sorted(images_below(root, root, findings))
    if not pictures:
        raise DataError(folder, got="has no picture", expected="one or more")
    with Model.open(model, options or OpenOptions()) as opened:
        if not find_task(opened.task).has_objects:
            raise UsageError(
                model,
                got=f"is a model of task '{opened.task}', which finds no objects",
                expected="a detector",
            )
        base = out or root
        if layout == "yolo":
            _write_classes(base / CLASSES_FILE, opened.labels)
        shown.start("asking the model", len(pictures))
        written = boxes = kept = 0
        for picture in pictures:
            relative = Path(os.path.relpath(picture, root))
            target = (base / relative).with_suffix(SUFFIXES[layout])
            if os.path.lexists(target):
                kept += 1
            else:
                try:
                    found = opened.predict(picture)
                except ImageError as error:
                    findings.append(Finding(kind="corrupt", path=str(relative), detail=error.got))
                else:
                    assert isinstance(found, Detections)
                    _write(target, WRITERS[layout](relative.name, found))
                    written, boxes = written + 1, boxes + len(found)
            shown.advance()
    unreadable = tuple(one for one in findings if one.kind == "corrupt")
    return Proposed(pictures=written, boxes=boxes, kept=kept, unreadable=unreadable)


def _write_classes(path: Path, labels: tuple[str, ...]) -> None:
    """Write the names of the classes; refuse other ones that are there.

    Raises:
        DataError: the file names other classes.
        StorageError: it cannot be written.
    """
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(path, got=f"cannot be read ({error})") from error
    if before is None:
        _write(path, classes_text(labels))
    elif [line.strip() for line in before.splitlines() if line.strip()] != [
        label.strip() for label in labels
    ]:
        raise DataError(
            path,
            got="names other classes than the model",
            expected=", ".join(labels[:5]),
            next_step="write into another folder with --out",
        )


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(path, error) from error
    write_atomically(path, text)

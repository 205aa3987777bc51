"""Folders of classes, as they come out of ZIPs; and what Teachable Machine saves.

Teachable Machine gives the samples of one class as a ZIP of pictures, and a whole project as a
`.tm` file: a ZIP with `manifest.json` and pictures whose names are their class and a number.
"""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

from edgeinfer.device.core.errors import DataError
from edgeinfer.device.releases.untrusted_json import parse_json
from edgeinfer.host.data.folders.folder import find_layout
from edgeinfer.host.data.importing.formats.pictures import PictureIndex
from edgeinfer.host.data.importing.formats.texts import read_text
from edgeinfer.host.data.importing.found import FoundData, FoundPicture, Record

MANIFEST = "manifest.json"

_SAMPLE = re.compile(r"(?P<label>.+?)(?:-!-|[-_ ])\d+", re.DOTALL)
_SAMPLES_ZIP = re.compile(r"[-_ ]*(samples?|images?|dataset)?[-_ ]*(\(\d+\))?", re.IGNORECASE)


def read_classes(root: Path, record: Record) -> FoundData:
    """Return the pictures of a folder with a sub-folder for each class, or splits of these.

    Args:
        root: the folder.
        record: takes what is left out.

    Raises:
        DataError: it cannot be understood as labelled pictures.
    """
    layout = find_layout(root, to_train=False)
    for finding in layout.findings:
        record.left_out(finding.detail, finding.path)
    pictures = tuple(
        FoundPicture(
            path=file.path,
            place=os.path.relpath(file.path, layout.root),
            split=file.split,
            label=layout.labels[file.label],
        )
        for file in layout.files
    )
    return FoundData(layout="class folders", root=layout.root, pictures=pictures, boxes=False)


def is_project(root: Path) -> bool:
    """Return whether a folder is an unpacked project of Teachable Machine."""
    return (root / MANIFEST).is_file()


def read_project(root: Path, record: Record) -> FoundData:
    """Return the samples of a project of Teachable Machine.

    Args:
        root: the folder into which the `.tm` file was unpacked.
        record: takes what is left out.

    Raises:
        DataError: it is a project of sounds or poses, or its pictures name no classes.
    """
    manifest = root / MANIFEST
    try:
        said = parse_json(read_text(manifest))
    except ValueError as error:
        raise DataError(manifest, got=f"is not JSON that can be read ({error})") from error
    kind = said.get("type") if isinstance(said, dict) else None
    if isinstance(kind, str) and kind != "image":
        raise DataError(
            manifest, got=f"is of a project of the type '{kind}'", expected="an image project"
        )
    index = PictureIndex(root, record)
    found = []
    for path in index.paths:
        folder, name = os.path.split(path)
        label = label_of_sample(os.path.splitext(name)[0])
        if Path(folder) != index.root:
            label = Path(index.relative(path)).parts[0]
        if label is None:
            record.left_out("picture without a class in its name", index.relative(path))
        else:
            found.append(FoundPicture(path=path, place=index.relative(path), label=label))
    if not found:
        raise DataError(
            root,
            got=f"has {len(index.paths):,} pictures, and no class in their names",
            expected="a project of Teachable Machine with names such as Class 1-!-0.jpg",
            next_step="in Teachable Machine, download the samples of each class instead, and give "
            "the folder of those ZIPs",
        )
    return FoundData(
        layout="Teachable Machine", root=index.root, pictures=tuple(found), boxes=False
    )


def label_of_sample(stem: str) -> str | None:
    """Return the class in the name of a project's sample, or None.

    >>> label_of_sample("Class 1-!-12"), label_of_sample("left-turn-3"), label_of_sample("12")
    ('Class 1', 'left-turn', None)
    """
    before, mark, after = stem.rpartition("-!-")
    if mark:
        return unicodedata.normalize("NFC", before) if before and after.isdecimal() else None
    match = _SAMPLE.fullmatch(stem)
    return None if match is None else unicodedata.normalize("NFC", match["label"])


def label_of_zip(name: str) -> str:
    """Return the class whose samples a ZIP holds, by its name.

    >>> label_of_zip("Class 1-samples.zip"), label_of_zip("open (2).zip")
    ('Class 1', 'open')
    """
    stem = os.path.splitext(name)[0]
    for start in range(len(stem)):
        if start and _SAMPLES_ZIP.fullmatch(stem[start:]):
            return unicodedata.normalize("NFC", stem[:start])
    return unicodedata.normalize("NFC", stem)

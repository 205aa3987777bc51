"""What systems, cameras and edgeinfer itself leave among photographs, which is never data."""

from __future__ import annotations

import os
import re
from pathlib import Path

from edgeinfer.device.core.model_file import TRAINED_FILE

_ARCHIVE = "is left over from an archive"
_SYNOLOGY = "is left over from a Synology system"
_QNAP = "is left over from a QNAP system"
_BIN = "is a recycle bin"
_SNAPSHOT = "holds older copies that a file server keeps"
_THUMBNAILS = "holds thumbnails"
_REPAIR = "holds what a repair of the disk found"
_WINDOWS = "belongs to Windows"
_MACOS = "belongs to macOS"
_ANDROID = "belongs to Android"
_PROGRAM = "holds files of a program"
RUN = "is a run of edgeinfer"
"""Why the folder of a run is not data."""

STUDY_FILE = "study.sqlite"
"""What a folder of `edgeinfer optimize` is known by."""

EVALUATION_FILES = ("worst.png", "pictures.csv")
"""What a folder of `edgeinfer evaluate` is known by."""

_BY_NAME = {
    "__macosx": _ARCHIVE,
    "@eadir": _SYNOLOGY,
    "@tmp": _SYNOLOGY,
    "@synoresource": _SYNOLOGY,
    "#recycle": _BIN,
    "@recycle": _BIN,
    "$recycle.bin": _BIN,
    "recycler": _BIN,
    "recycled": _BIN,
    "recycle.bin": _BIN,
    "network trash folder": _BIN,
    "#snapshot": _SNAPSHOT,
    "~snapshot": _SNAPSHOT,
    "@recently-snapshot": _QNAP,
    "@qnap": _QNAP,
    ".@__thumb": _QNAP,
    ".snapshot": _SNAPSHOT,
    ".snapshots": _SNAPSHOT,
    ".zfs": _SNAPSHOT,
    ".thumbnails": _THUMBNAILS,
    ".thumbs": _THUMBNAILS,
    "lost+found": _REPAIR,
    "lost.dir": _ANDROID,
    "system volume information": _WINDOWS,
    "thumbs.db": _WINDOWS,
    "ehthumbs.db": _WINDOWS,
    "desktop.ini": _WINDOWS,
    "icon\r": _MACOS,
    "temporary items": _MACOS,
    ".appledouble": _MACOS,
    ".temporaryitems": _MACOS,
    "__pycache__": _PROGRAM,
    "node_modules": _PROGRAM,
}

_BY_PATTERN = (
    (re.compile(r"\.trash.*", re.DOTALL), _BIN),
    (re.compile(r"found\.\d{3}"), _REPAIR),
)

REASONS = frozenset([*_BY_NAME.values(), *(reason for _, reason in _BY_PATTERN), RUN])
"""All reasons that `leftover` gives."""


def leftover(path: str | Path, *, folder: bool) -> str:
    """Return why a file or folder is not data although it lies among data; empty if it may be.

    Args:
        path: the path; a run is known by what it holds, everything else by its name.
        folder: whether it is a folder.
    """
    name = os.path.basename(os.fspath(path)).casefold()
    if reason := _BY_NAME.get(name):
        return reason
    for pattern, reason in _BY_PATTERN:
        if pattern.fullmatch(name):
            return reason
    return RUN if folder and is_run(path) else ""


def is_run(folder: str | Path) -> bool:
    """Return whether a folder is what `train`, `optimize` or `evaluate` left."""

    def holds(*names: str) -> bool:
        return all(os.path.isfile(os.path.join(folder, name)) for name in names)

    return holds(TRAINED_FILE) or holds(STUDY_FILE) or holds(*EVALUATION_FILES)

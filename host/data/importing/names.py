"""Names of what an import writes: folders of labels, and files that are there once in any case."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable

from edgeinfer.device.core.errors import DataError
from edgeinfer.device.pictures.folders.leftovers import leftover
from edgeinfer.host.data.importing.found import Record

MAX_NAME_BYTES = 200
"""File systems take 255; a number and a suffix come behind."""

RENAMED_LABEL = "label that cannot be a folder's name; written differently"
RENAMED_PICTURE = "picture of a name that is taken; renamed"

_ODD = frozenset('/\\\0:*?"<>|')
"""What no file system, or not each one, has in names."""


def label_folder(label: str, record: Record | None = None) -> str:
    """Return the name of the folder of a label: the label itself, where that is possible.

    Args:
        label: any text that is not blank.
        record: takes what is changed.
    """
    name = unicodedata.normalize("NFC", label).strip()
    name = "".join("_" if char in _ODD or _is_control(char) else char for char in name)
    name = _cut(name).rstrip(". ")
    if not name or name.startswith(".") or leftover(name, folder=False):
        name = f"_{name.lstrip('.')}"
    if name != label and record is not None:
        record.corrected(RENAMED_LABEL, label, name)
    return name


def label_folders(labels: Iterable[str], record: Record) -> dict[str, str]:
    """Return the folder of each label.

    Raises:
        DataError: two labels would come into one folder.
    """
    folders: dict[str, str] = {}
    taken: dict[str, str] = {}
    for label in labels:
        folder = folders[label] = label_folder(label, record)
        other = taken.setdefault(folder, label)
        if other != label:
            raise DataError(
                f"labels '{other}' and '{label}'",
                got=f"would both be the folder '{folder}'",
                expected="names that differ as folders",
                next_step="rename one of them in the data set",
            )
    return folders


class UniqueNames:
    """Gives each file a name that no other has, whatever the case, in its folder."""

    def __init__(self) -> None:
        self._taken: set[tuple[str, str]] = set()

    def take(self, folder: str, name: str) -> str:
        """Return a name for a file: its own, or with a number before the suffix.

        Args:
            folder: where it goes.
            name: what it is called.
        """
        plain = "".join("_" if char in "/\\\0" or _is_control(char) else char for char in name)
        stem, suffix = os.path.splitext(plain.lstrip(".") or "picture")
        stem = _cut(stem)
        chosen, number = f"{stem}{suffix}", 1
        while (key := (folder.casefold(), _key(chosen))) in self._taken:
            number += 1
            chosen = f"{stem}-{number}{suffix}"
        self._taken.add(key)
        return chosen


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _cut(text: str) -> str:
    return text.encode("utf-8", "replace")[:MAX_NAME_BYTES].decode("utf-8", "ignore")


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}

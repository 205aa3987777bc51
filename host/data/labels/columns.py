"""The columns of a table of labels: which one names files, labels and splits."""

from __future__ import annotations

import os
from dataclasses import dataclass

from edgeinfer.device.pictures.pixel_formats import IMAGE_SUFFIXES

FILE_COLUMNS = (
    *("file", "filename", "file name", "image", "image name", "image path", "path", "filepath"),
    *("file path", "picture", "photo", "img", "image file", "image id", "id", "name", "key"),
)
"""Names of the column of files, the most certain first."""

LABEL_COLUMNS = (
    *("label", "class", "category", "class name", "label name", "category name", "target"),
    *("breed", "species", "variety", "tag", "y"),
)
"""Names of the column of labels, the most certain first."""

SEVERAL_COLUMNS = ("labels", "classes", "categories", "tags", "targets", *LABEL_COLUMNS)
"""Names of the column of labels where a picture may have several, the most certain first."""

SPLIT_COLUMNS = ("split", "set", "subset", "data set", "partition", "fold name", "usage")


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One picture of a table.

    Attributes:
        line: where it is: the line of a CSV, or the number of the entry in JSON; from 1.
        file: the picture's name as it is written there.
        label: its label; empty if there is none.
        split: the name of its split as it is written there, or None.
    """

    line: int
    file: str
    label: str
    split: str | None = None


def plain_name(name: str) -> str:
    """Return a column's name in lower case, with single spaces between its words."""
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())


def find_column(
    names: list[str], known: tuple[str, ...], other_than: int | None = None
) -> int | None:
    """Return the position of the first known name that is there, or None.

    Args:
        names: of the columns, as `plain_name` returns them.
        known: the names to look for, the most certain first.
        other_than: a position that is taken already.
    """
    for name in known:
        if name in names and names.index(name) != other_than:
            return names.index(name)
    return None


def is_picture(cell: str) -> bool:
    """Return whether a cell is the file name of a picture."""
    return os.path.splitext(cell.strip())[1].lower() in IMAGE_SUFFIXES

"""Why it is unclear which folders are classes, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from edgeinfer.device.core.errors import DataError, printable

NAMES_SHOWN = 3


class UnclearError(Exception):
    """What is found can be read in two ways."""

    def __init__(self, folder: Path, *, got: str, next_step: str, expected: str = "") -> None:
        self.sentence = DataError(folder, got=got, expected=expected, next_step=next_step)


def one_like_a_split(place: Path, classes: Mapping[Path, list[Path]], other: Path) -> UnclearError:
    """Return the error that a folder looks like a split and another one does not.

    Args:
        place: the folder that both are in.
        classes: the folder that looks like a split, with the class folders in it.
        other: the folder that does not.
    """
    split = next(iter(classes))
    return UnclearError(
        place,
        got=f"has '{split.name}', which looks like a split with the classes "
        f"{names_of(classes[split])}, next to '{other.name}', which does not",
        expected="class folders, or the splits train, validation and test",
        next_step=f"move '{other.name}' elsewhere or rename it to a split if '{split.name}' is "
        f"one; put the pictures of '{split.name}' directly in it if it is a class",
    )


def names_of(folders: Iterable[Path]) -> str:
    """Return the first names in words."""
    names = [printable(folder.name) for folder in folders]
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more:,} more" if more > 0 else "")

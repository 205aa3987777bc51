"""What an import finds: pictures with a label or boxes, and what was corrected or left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from edgeinfer.device.pictures.folders.names import Split

CorrectionKind = Literal["left-out", "corrected", "note"]

MAX_KEPT = 10_000
"""This many corrections are kept with their place; the others are counted."""

UNUSED = "class without a box"


class Box(NamedTuple):
    """A box around something in a picture.

    Attributes:
        label: what it shows.
        left: edge in pixels from the picture's left; or a share of its width, see `FoundPicture`.
        top: edge in pixels from the picture's top, or a share of its height.
        right: the opposite edge of `left`.
        bottom: the opposite edge of `top`.
    """

    label: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundPicture:
    """A picture of a data set.

    Attributes:
        path: where it is, absolute.
        place: where its labels are, for people: a file, relative to the data set.
        split: the split that the data set puts it in, if any.
        label: what the whole picture shows; None in data sets of boxes.
        boxes: what is where in it, as it was written.
        ratio: whether the boxes are shares of the picture's sides instead of pixels.
        size: (width, height) in pixels that was written with the boxes, if any.
    """

    path: str
    place: str
    split: Split | None = None
    label: str | None = None
    boxes: tuple[Box, ...] = ()
    ratio: bool = False
    size: tuple[int, int] | None = None


@dataclass(frozen=True, kw_only=True)
class FoundData:
    """A data set as it was found.

    Attributes:
        layout: its layout in words, such as "Pascal VOC".
        root: its folder.
        pictures: its pictures, in an order that does not depend on the file system.
        boxes: whether it says where in the pictures things are, instead of what each one shows.
    """

    layout: str
    root: Path
    pictures: tuple[FoundPicture, ...]
    boxes: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Correction:
    """What an import did not take as it was written.

    Attributes:
        kind: "left-out", "corrected", or "note" of how something was understood.
        what: the reason, the same words for all of its kind.
        place: the file, or the line of it.
        detail: what was found there. May be empty.
    """

    kind: CorrectionKind
    what: str
    place: str
    detail: str = ""


class Record:
    """Collects the corrections of an import.

    Attributes:
        corrections: the first `MAX_KEPT`, in the order in which they were made.
        counts: how many there are of each kind and reason.
    """

    def __init__(self) -> None:
        self.corrections: list[Correction] = []
        self.counts: dict[tuple[CorrectionKind, str], int] = {}

    def add(self, kind: CorrectionKind, what: str, place: object, detail: str = "") -> None:
        """Take a correction, see `Correction`."""
        self.counts[kind, what] = self.counts.get((kind, what), 0) + 1
        if len(self.corrections) < MAX_KEPT:
            self.corrections.append(
                Correction(kind=kind, what=what, place=str(place), detail=detail)
            )

    def left_out(self, what: str, place: object, detail: str = "") -> None:
        """Take something that is not used."""
        self.add("left-out", what, place, detail)

    def corrected(self, what: str, place: object, detail: str = "") -> None:
        """Take something that is used otherwise than it was written."""
        self.add("corrected", what, place, detail)

    def first(self, kind: CorrectionKind, what: str) -> Correction | None:
        """Return the first one of a kind and reason; None if it was not kept."""
        found = (c for c in self.corrections if (c.kind, c.what) == (kind, what))
        return next(found, None)


def labels_of(pictures: Iterable[FoundPicture]) -> list[str]:
    """Return all labels of pictures and boxes, sorted."""
    labels = {picture.label for picture in pictures if picture.label is not None}
    return sorted(labels | {box.label for picture in pictures for box in picture.boxes})


def note_unused(named: Iterable[str], used: Iterable[str], place: str, record: Record) -> None:
    """Note the classes that a data set names and of which it has no box.

    Args:
        named: all that it names.
        used: those that have a box.
        place: where it names them.
        record: takes the notes.
    """
    for name in sorted(set(named) - set(used)):
        record.add("note", UNUSED, place, name)

"""The true boxes of a picture."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class TrueBox(NamedTuple):
    """A thing in a picture.

    Attributes:
        label: the number of its class.
        left: edge as a share of the whole upright picture's width, 0 to 1.
        top: edge as a share of its height.
        right: the opposite edge of `left`.
        bottom: the opposite edge of `top`.
    """

    label: int
    left: float
    top: float
    right: float
    bottom: float


class BoxesTarget(NamedTuple):
    """What a picture shows: things with boxes, or none.

    Shares of the picture do not depend on the size at which it is read.

    Attributes:
        things: in the order in which they were written.
    """

    things: tuple[TrueBox, ...] = ()

    @property
    def labels(self) -> NDArray[np.int64]:
        """(things,) the number of the class of each."""
        return np.array([thing.label for thing in self.things], np.int64)

    def boxes(self, size: tuple[int, int]) -> NDArray[np.float64]:
        """Return left, top, right and bottom, (things, 4), in pixels of a picture of that size."""
        shares = np.array([thing[1:] for thing in self.things], np.float64).reshape(-1, 4)
        return shares * np.array([*size, *size], np.float64)


def write_boxes(target: BoxesTarget) -> str:
    """Return the boxes as text, such as `0 0.1 0.2 0.5 0.6;1 0 0 0.3 0.3`.

    >>> write_boxes(BoxesTarget((TrueBox(0, 0.1, 0.2, 0.5, 0.625),)))
    '0 0.1 0.2 0.5 0.625'
    """
    return ";".join(
        " ".join([str(thing.label), *map(_share_text, thing[1:])]) for thing in target.things
    )


def read_boxes(text: str, classes: int) -> BoxesTarget:
    """Return the boxes of such a text.

    Args:
        text: as `write_boxes` gives it; an empty one has no boxes.
        classes: how many classes there are.

    Raises:
        ValueError: it is not such a text, or has a box without area or outside the picture.
    """
    return BoxesTarget(tuple(_read(part, classes) for part in text.split(";") if part))


def _read(text: str, classes: int) -> TrueBox:
    words = text.split(" ")
    try:
        box = TrueBox(int(words[0]), *map(float, words[1:]))
    except (ValueError, TypeError):
        raise ValueError(f"box is {text[:60]!r}, expected a class and four shares") from None
    if not 0 <= box.label < classes:
        raise ValueError(f"box has class {box.label}, expected 0 to {classes - 1}")
    inside = 0 <= box.left < box.right <= 1 and 0 <= box.top < box.bottom <= 1
    if not (inside and all(map(math.isfinite, box[1:]))):
        raise ValueError(f"box is {text[:60]!r}, expected one with area in the picture")
    return box


def _share_text(share: float) -> str:
    return f"{share:.6f}".rstrip("0").rstrip(".")

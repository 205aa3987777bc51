"""What a model says of a picture: what every kind of prediction can do, for code and for people."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from edgeinfer.device.preprocess import Placement

Placing: TypeAlias = "Callable[[tuple[int, int]], Placement]"
"""Returns for frames of a (width, height) how they were placed in the model's image."""

Colour: TypeAlias = tuple[int, int, int]
"""Blue, green, red, each 0 to 255."""

Point: TypeAlias = tuple[int, int]
"""x, y in pixels of a canvas."""

Kind = TypeVar("Kind", bound="Prediction")


class Canvas(Protocol):
    """A picture to draw an answer on, in sizes that suit it."""

    width: int
    height: int

    def colour(self, index: int) -> Colour:
        """Return the colour of a class: always the same, and unlike its neighbours'."""

    def name(self, label: str, index: int) -> str:
        """Return a label in the letters that there are; `class N` where there are none."""

    def places(self, points: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
        """Return where points (..., 2) of a picture of `size` (width, height) are on this one."""

    def lines(self, lines: Sequence[str], colours: Sequence[Colour] = ()) -> None:
        """Write lines from the upper left corner on, as many as there is room for."""

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """Draw a rectangle."""

    def tag(self, text: str, left: float, top: float, colour: Colour) -> None:
        """Write a line above a box's upper edge, below it where there is no room above."""

    def figure(
        self, segments: Sequence[tuple[Point, Point]], dots: Sequence[Point], colour: Colour
    ) -> None:
        """Draw lines and dots that belong together."""

    def tint(self, classes: NDArray[np.uint8], colours: Mapping[int, Colour]) -> None:
        """Colour the pixels of some classes; `classes` is (height, width)."""


class Prediction(ABC):
    """What a model says of a picture; the subclasses are frozen dataclasses.

    Attributes:
        placing: how its places map to a frame; None where it has none, or they are the frame's.
    """

    placing: Placing | None = None

    def in_frame(self: Kind, size: tuple[int, int]) -> Kind:
        """Return the same in a frame of (width, height); itself where it knows no places."""
        return self

    @property
    @abstractmethod
    def headline(self) -> str:
        """The answer in a word: while it stays, nothing has changed for people."""

    @abstractmethod
    def text(self, count: int = 1) -> str:
        """Return the answer on one line, with the `count` first of what may be many."""

    @abstractmethod
    def to_json(self, count: int = 5) -> dict[str, object]:
        """Return what scripts read."""

    @abstractmethod
    def draw(self, canvas: Canvas, truth: str | None) -> None:
        """Draw the answer; `truth` is what the picture is known to show."""

    def goes_on(self, before: Prediction) -> bool:
        """Return whether an earlier answer is of the same kind, so that both may be mixed."""
        return type(before) is type(self)

    def smoothed(self: Kind, before: Sequence[Kind]) -> Kind:
        """Return the answer smoothed over those before it, by default as it is.

        Args:
            before: earlier answers that it goes on from, the oldest first, unsmoothed.
        """
        return self

    def phrases(self, truth: str | None) -> list[str]:
        """Return what is on a terminal's line, in its parts."""
        return [self.text()]

    def ranked(self, count: int) -> list[tuple[str, float]]:
        """Return the `count` highest (label, score), highest first; nothing without classes.

        The score, 0 to 1, is a class's probability, an object's score, or the part of the area.
        """
        return []

    def score(self, label: str) -> float:
        """Return the score of one class: of several objects the highest; 0 where there is none."""
        return max((score for name, score in self.ranked(2**31) if name == label), default=0.0)

    def quantities(self) -> dict[str, float]:
        """Return what is counted or measured, by name, such as `count`."""
        return {}

    def cells(self) -> dict[str, object]:
        """Return what is in a table's own columns, in addition to the ranked classes."""
        return dict(self.quantities())

    def is_right(self, truth: str) -> bool | None:
        """Return whether the answer is what the picture is known to show; None: not known."""
        return None


def class_name(labels: tuple[str, ...], index: int) -> str:
    """Return a class's label; `class N` for one that has none."""
    return labels[index] if 0 <= index < len(labels) else f"class {index}"


def listed(shown: list[str], total: int) -> str:
    """Join what is shown, and count what is not."""
    more = [f"{total - len(shown)} more"] if total > len(shown) else []
    return ", ".join(shown + more) or "nothing"

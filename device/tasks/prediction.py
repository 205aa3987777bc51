"""What a model says of a picture: what every kind of prediction can do, for code and for people."""

from __future__ import annotations

import math
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

    def cover(self, pixels: NDArray[np.uint8], seen: NDArray[np.bool_]) -> None:
        """Put pixels (height, width, 3), blue, green, red, in place of the picture's, where
        `seen`."""


class Prediction(ABC):
    """The answer of a model to a picture: what all kinds of predictions have in common.

    `Model.predict` returns one of the kinds below.

    Examples:
        >>> prediction = model.predict("picture.jpg")
        >>> prediction.text()
        'cat 98.1%'
        >>> prediction.ranked(2)
        [('cat', 0.981), ('dog', 0.012)]

    Attributes:
        placing: None if boxes and keypoints are in pixels of the picture, as after `Model.predict`.
            After `Model.infer` they are in pixels of the model's input, and this is what `in_frame`
            needs.
    """

    placing: Placing | None = None

    def in_frame(self: Kind, size: tuple[int, int]) -> Kind:
        """Return the prediction with boxes and keypoints in pixels of a frame.

        Only needed after `Model.infer`. A prediction without boxes or keypoints is returned as it
        is.

        Args:
            size: (width, height) of the frame in pixels.
        """
        return self

    @property
    @abstractmethod
    def headline(self) -> str:
        """The shortest form of the answer, without scores, such as "cat" or "2 person".

        Compare it with the last one to find out whether the answer has changed.
        """

    @abstractmethod
    def text(self, count: int = 1) -> str:
        """Return the answer on one line, for people.

        Args:
            count: how many classes or objects are named at most.
        """

    @abstractmethod
    def to_json(self, count: int = 5) -> dict[str, object]:
        """Return the answer as a dict for `json.dumps`, as `edgeinfer predict --json` prints it.

        Args:
            count: how many classes of a `Classification` are listed at most. The other kinds list
                everything.
        """

    @abstractmethod
    def draw(self, canvas: Canvas, truth: str | None) -> None:
        """Draw the answer on a picture; `truth` is the true class, if it is known."""

    def goes_on(self, before: Prediction) -> bool:
        """Return whether an earlier answer is of the same kind, so that both can be smoothed."""
        return type(before) is type(self)

    def smoothed(self: Kind, before: Sequence[Kind]) -> Kind:
        """Return the answer smoothed over earlier answers; by default it is not changed.

        Args:
            before: the earlier answers, the oldest first, not smoothed.
        """
        return self

    def phrases(self, truth: str | None) -> list[str]:
        """Return the parts of the line that `edgeinfer run` shows on a terminal."""
        return [self.text()]

    def ranked(self, count: int) -> list[tuple[str, float]]:
        """Return the classes or objects with the highest scores, as (label, score) pairs.

        The score, 0 to 1, is the probability of a class, the score of an object, or the part of the
        picture that a class of a `Mask` covers. The list is empty for kinds without classes.

        Args:
            count: how many pairs are returned at most; the highest score is first.
        """
        return []

    def score(self, label: str) -> float:
        """Return the score of one class, 0 to 1: of several objects the highest, of none 0."""
        return max((score for name, score in self.ranked(2**31) if name == label), default=0.0)

    def quantities(self) -> dict[str, float]:
        """Return the numbers that can be counted or measured, such as {"count": 2.0}."""
        return {}

    def cells(self) -> dict[str, object]:
        """Return the columns for a CSV table, in addition to the ranked classes."""
        return dict(self.quantities())

    def is_right(self, truth: str) -> bool | None:
        """Return whether the answer is the true class; None if that cannot be said."""
        return None


def json_number(value: float, digits: int | None = None) -> float | None:
    """Return a number for JSON, rounded; None where it is NaN or infinite, which JSON has not."""
    if not math.isfinite(value):
        return None
    return value if digits is None else round(value, digits)


def class_name(labels: tuple[str, ...], index: int) -> str:
    """Return a class's label; `class N` for one that has none."""
    return labels[index] if 0 <= index < len(labels) else f"class {index}"


def listed(shown: list[str], total: int) -> str:
    """Join what is shown, and count what is not."""
    more = [f"{total - len(shown)} more"] if total > len(shown) else []
    return ", ".join(shown + more) or "nothing"

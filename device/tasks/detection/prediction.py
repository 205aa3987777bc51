"""Objects in a picture.

Places are measured in pixels of a picture of `size` (width, height) from its upper left corner, so
that the centre of the first pixel is (0.5, 0.5). Of a tensor alone the picture is the model's own
image; `in_frame` gives the same in a frame that the tensor was prepared from, the crop undone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.tasks.detection.consensus import Objects, agreement
from edgeinfer.device.tasks.detection.masks import ObjectMask, cropped, paint
from edgeinfer.device.tasks.detection.rotated import turned_corners, turned_to_frame
from edgeinfer.device.tasks.prediction import (
    Canvas,
    Placing,
    Prediction,
    class_name,
    listed,
)

T = TypeVar("T")

NO_NUMBER = -1
"""Of an object that was not seen often enough to be followed."""


class PlaceCounts(Protocol):
    """What is counted at lines and in zones; see `edgeinfer.device.loop.following`."""

    def to_json(self) -> dict[str, object]:
        """Return it for programs."""

    def quantities(self) -> dict[str, float]:
        """Return it by the names that conditions have for it."""

    def texts(self) -> list[str]:
        """Return it for people, a text for each place."""

    def draw(self, canvas: Canvas, size: tuple[int, int]) -> None:
        """Draw the places; `size` is that of the picture."""


@dataclass(frozen=True, kw_only=True)
class Detections(Prediction):
    """The answer of a detector: the objects in a picture, the one with the highest score first.

    `len(detections)` is the number of objects.

    Examples:
        >>> found = model.predict("street.jpg")
        >>> for name, score, box in zip(found.names, found.scores, found.boxes):
        ...     print(name, score, box)
        person 0.91 [ 12.4  30.  201.7 388.2]

    Attributes:
        labels: the names of all classes, in the order of the model's output.
        boxes: (objects, 4) float64, left, top, right and bottom of each object, in pixels of the
            picture.
        classes: (objects,) int64, the number of each object's class in `labels`.
        scores: (objects,) float64, how sure the model is of each object, 0 to 1, the highest first.
        size: (width, height) of the picture in pixels.
        placing: see `Prediction`.
        angles: (objects,) float64, how far each box is turned about its centre, clockwise, in
            radians; `boxes` has them before they are turned. None for a model of upright boxes.
        masks: for each object (rows, columns) uint8, 1 where that cell of its box belongs to the
            object, else 0. None for a model without masks.
        numbers: (objects,) int64, the number from 1 on that each object keeps from frame to frame;
            -1 of one that was not seen often enough yet. None if objects are not followed.
        counted: what is counted at lines and in zones. None if nothing is.
    """

    labels: tuple[str, ...]
    boxes: NDArray[np.float64]
    classes: NDArray[np.int64]
    scores: NDArray[np.float64]
    size: tuple[int, int]
    placing: Placing | None = field(default=None, repr=False, compare=False)
    angles: NDArray[np.float64] | None = None
    masks: tuple[ObjectMask, ...] | None = field(default=None, repr=False)
    numbers: NDArray[np.int64] | None = None
    counted: PlaceCounts | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit each other."""
        shapes = (self.boxes.shape, self.classes.shape, self.scores.shape)
        count = len(self.scores)
        if shapes != ((count, 4), (count,), (count,)):
            raise ValueError(f"boxes, classes and scores are {shapes}, expected one each an object")
        parts = (self.angles, self.masks, self.numbers)
        if any(part is not None and len(part) != count for part in parts):
            raise ValueError(
                f"angles, masks and numbers are not those of {count} objects, expected so"
            )

    def __len__(self) -> int:
        """Return how many objects were found."""
        return len(self.scores)

    def in_frame(self, size: tuple[int, int]) -> Detections:
        """Return the objects in pixels of a frame of (width, height), without those outside it."""
        if self.placing is None:
            return self
        placement = self.placing(size)
        if self.angles is not None:
            boxes, angles = turned_to_frame(self.boxes, self.angles, placement)
            placed = replace(self, boxes=boxes, angles=angles, size=size, placing=None)
            corners = placed.corners
            inside = np.clip(corners.max(axis=1), 0, size) > np.clip(corners.min(axis=1), 0, size)
            return placed._only(np.flatnonzero(inside.all(axis=1)))
        corners = placement.to_frame(self.boxes.reshape(-1, 2, 2))
        boxes = np.clip(corners, 0, size).reshape(-1, 4)
        kept = np.flatnonzero((boxes[:, 0] < boxes[:, 2]) & (boxes[:, 1] < boxes[:, 3]))
        placed = replace(self, boxes=boxes, size=size, placing=None)._only(kept)
        if self.masks is None:
            return placed
        before = corners.reshape(-1, 4)
        masks = tuple(cropped(self.masks[i], before[i], boxes[i]) for i in kept)
        return replace(placed, masks=masks)

    def _only(self, kept: NDArray[np.int64]) -> Detections:
        """Return some of the objects."""
        return replace(
            self,
            boxes=self.boxes[kept],
            classes=self.classes[kept],
            scores=self.scores[kept],
            angles=None if self.angles is None else self.angles[kept],
            masks=None if self.masks is None else tuple(self.masks[i] for i in kept),
            numbers=None if self.numbers is None else self.numbers[kept],
        )

    @property
    def corners(self) -> NDArray[np.float64]:
        """(objects, 4, 2) float64, x and y of the corners of each box, turned by its angle.

        They go clockwise, from what is the upper left one of a box that is not turned.
        """
        angles = np.zeros(len(self)) if self.angles is None else self.angles
        return turned_corners(self.boxes, angles)

    @property
    def areas(self) -> NDArray[np.float64] | None:
        """(objects,) float64, the part of the picture that each object covers, 0 to 1.

        None for a model without masks.
        """
        if self.masks is None:
            return None
        sides = self.boxes[:, 2:] - self.boxes[:, :2]
        shares = np.array([mask.mean() for mask in self.masks], np.float64)
        areas: NDArray[np.float64] = shares * sides.prod(axis=1) / (self.size[0] * self.size[1])
        return areas

    @property
    def names(self) -> list[str]:
        """The class name of each object, in the order of `boxes`; `class N` if it has no name."""
        return [class_name(self.labels, int(index)) for index in self.classes]

    @property
    def headline(self) -> str:
        """How many objects of each class were found, such as "1 dog, 2 person"."""
        counts = sorted(Counter(self.names).items())
        return ", ".join(f"{n} {name}" for name, n in counts) or "nothing"

    def text(self, count: int = 3) -> str:
        """Return the `count` best objects on one line, how many more there are, and counts."""
        shown = list(zip(self.names, self.scores, strict=True))[:count]
        objects = listed(
            [f"{self._number(i)}{name} {score:.1%}" for i, (name, score) in enumerate(shown)],
            len(self),
        )
        return "; ".join([objects, *(self.counted.texts() if self.counted else [])])

    def to_json(self, count: int = 5) -> dict[str, object]:
        """Return a dict with `size`, and in `detections` each object's label, score and box.

        Of turned boxes also the angle in radians and the corners, of masks the area, which is the
        part of the picture that the object covers. Of objects that are followed also `number`,
        null where there is none yet, and the counts in `lines` and `zones`.
        """
        objects = zip(self.names, self.scores.tolist(), self.boxes.tolist(), strict=True)
        found: list[dict[str, object]] = [
            {"label": name, "score": round(score, 6), "box": [round(x, 2) for x in box]}
            for name, score, box in objects
        ]
        if self.angles is not None:
            corners = np.round(self.corners, 2).tolist()
            for number, angle in enumerate(self.angles.tolist()):
                found[number] |= {"angle": round(angle, 6), "corners": corners[number]}
        if self.areas is not None:
            for number, area in enumerate(self.areas.tolist()):
                found[number]["area"] = round(area, 6)
        if self.numbers is not None:
            for place, number in enumerate(self.numbers.tolist()):
                found[place]["number"] = None if number == NO_NUMBER else number
        counted = {} if self.counted is None else self.counted.to_json()
        return {"size": list(self.size), "detections": found, **counted}

    def goes_on(self, before: Prediction) -> bool:
        """Return whether an earlier answer has the same classes in a picture of the same size."""
        return isinstance(before, Detections) and before._form == self._form

    @property
    def _form(self) -> tuple[object, ...]:
        return self.labels, self.size, self.angles is None, self.masks is None

    def smoothed(self, before: Sequence[Detections]) -> Detections:
        """Return the objects that more than half of the answers have, see `consensus.py`."""
        answers = (*before, self)
        frames = [Objects(one.boxes, one.classes, one.scores) for one in answers]
        agreed, origins = agreement(frames)
        angles, masks = None, None
        if self.angles is not None:
            angles = np.array([_of(answers[at].angles)[i] for at, i in origins], np.float64)
        if self.masks is not None:
            masks = tuple(_of(answers[at].masks)[i] for at, i in origins)
        return replace(self, **agreed._asdict(), angles=angles, masks=masks)

    def draw(self, canvas: Canvas, truth: str | None) -> None:
        """Draw a box around each object, and its mask, the surest last, on top of the others.

        Lines and zones are below them.
        """
        if self.counted is not None:
            self.counted.draw(canvas, self.size)
        boxes = canvas.places(self.boxes.reshape(-1, 2, 2), self.size).reshape(-1, 4)
        order = range(len(self) - 1, -1, -1)
        colours = [canvas.colour(int(index)) for index in self.classes]
        if self.masks is not None:
            painted = paint(self.masks, boxes, (canvas.width, canvas.height))
            canvas.tint(painted, dict(enumerate(colours[:255], 1)))
        corners = canvas.places(self.corners, self.size)
        for i in order:
            left, top, right, bottom = boxes[i].tolist()
            if self.angles is None:
                canvas.box(left, top, right, bottom, colours[i])
            else:
                points = [(round(x), round(y)) for x, y in corners[i].tolist()]
                canvas.figure(
                    list(zip(points, [*points[1:], points[0]], strict=True)), [], colours[i]
                )
        for i in order:
            left, top = corners[i].min(axis=0).tolist()
            index = int(self.classes[i])
            name = canvas.name(class_name(self.labels, index), index)
            text = f"{self._number(i)}{name} {self.scores[i]:.0%}"
            canvas.tag(text, left, top, colours[i])

    def _number(self, place: int) -> str:
        """Return an object's number in front of its name, if it has one."""
        number = NO_NUMBER if self.numbers is None else int(self.numbers[place])
        return "" if number == NO_NUMBER else f"#{number} "

    def ranked(self, count: int) -> list[tuple[str, float]]:
        """Return the `count` best objects as (label, score), the best first."""
        return list(zip(self.names, self.scores.tolist(), strict=True))[:count]

    def quantities(self) -> dict[str, float]:
        """Return how many objects there are, of each class, and at lines and in zones."""
        counts = {f"count({name})": n for name, n in Counter(self.names).items()}
        places = {} if self.counted is None else self.counted.quantities()
        return {"count": len(self), **counts, **places}

    def cells(self) -> dict[str, object]:
        """Return how many objects there are, their numbers, and what is counted."""
        numbers = () if self.numbers is None else self.numbers.tolist()
        return {
            "count": len(self),
            "numbers": ";".join("" if n == NO_NUMBER else str(n) for n in numbers),
            "places": "; ".join(self.counted.texts() if self.counted else []),
        }


def _of(part: T | None) -> T:
    """Return what an answer of the same form has."""
    assert part is not None
    return part

"""Predictions that have places in a picture: objects, a class for each pixel, poses.

Places are measured in pixels of a picture of `size` (width, height) from its upper left corner, so
that the centre of the first pixel is (0.5, 0.5). Of a tensor alone the picture is the model's own
image; `in_frame` gives the same in a frame that the tensor was prepared from, the crop undone.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from edgeinfer.device.preprocess import Placement

Placing: TypeAlias = "Callable[[tuple[int, int]], Placement]"
"""Tells for frames of a (width, height) how they came to lie in the model's image."""

UNSEEN = 255
"""The class of pixels that the model did not see, such as those beside a centred crop."""


@dataclass(frozen=True, kw_only=True)
class Detections:
    """Objects found in a picture, the surest first.

    Attributes:
        labels: the class names, in the model's order.
        boxes: (objects, 4) float64: left, top, right, bottom, in pixels of the picture. In a frame
            they end at its edges.
        classes: (objects,) int64: indices of classes.
        scores: (objects,) float64, 0 to 1, falling.
        size: (width, height) of the picture.
        placing: how to find the frame's pixels; None where the picture is the frame.
    """

    labels: tuple[str, ...]
    boxes: NDArray[np.float64]
    classes: NDArray[np.int64]
    scores: NDArray[np.float64]
    size: tuple[int, int]
    placing: Placing | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit each other."""
        shapes = (self.boxes.shape, self.classes.shape, self.scores.shape)
        count = len(self.scores)
        if shapes != ((count, 4), (count,), (count,)):
            raise ValueError(f"boxes, classes and scores are {shapes}, expected one each an object")

    def __len__(self) -> int:
        """Return how many objects were found."""
        return len(self.scores)

    def in_frame(self, size: tuple[int, int]) -> Detections:
        """Return the objects in a frame of (width, height); those beside it are left out."""
        if self.placing is None:
            return self
        corners = self.placing(size).to_frame(self.boxes.reshape(-1, 2, 2))
        boxes = np.clip(corners, 0, size).reshape(-1, 4)
        kept = (boxes[:, 0] < boxes[:, 2]) & (boxes[:, 1] < boxes[:, 3])
        return replace(
            self,
            boxes=boxes[kept],
            classes=self.classes[kept],
            scores=self.scores[kept],
            size=size,
            placing=None,
        )

    @property
    def names(self) -> list[str]:
        """The class name of each object; a class beyond the labels is `class N`."""
        return [class_name(self.labels, int(index)) for index in self.classes]

    @property
    def headline(self) -> str:
        """What was found and how much of it, in alphabetical order."""
        counts = sorted(Counter(self.names).items())
        return ", ".join(f"{n} {name}" for name, n in counts) or "nothing"

    def text(self, count: int = 3) -> str:
        """Return the `count` surest objects on one line, and how many more there are."""
        shown = list(zip(self.names, self.scores, strict=True))[:count]
        return _listed([f"{name} {score:.1%}" for name, score in shown], len(self))

    def to_json(self, count: int = 5) -> dict[str, object]:
        """Return what scripts read: every object with its label, score and box."""
        objects = zip(self.names, self.scores.tolist(), self.boxes.tolist(), strict=True)
        return {
            "size": list(self.size),
            "detections": [
                {"label": name, "score": round(score, 6), "box": [round(x, 2) for x in box]}
                for name, score, box in objects
            ],
        }


@dataclass(frozen=True, kw_only=True)
class Mask:
    """A class for each place of a picture.

    Attributes:
        labels: the class names, in the model's order; the first one is the background.
        classes: (rows, columns) uint8: the class of each cell of a grid over `box`.
        box: left, top, right, bottom of the grid, in pixels of the picture.
        size: (width, height) of the picture.
        placing: how to find the frame's pixels; None where the picture is the frame.
    """

    labels: tuple[str, ...]
    classes: NDArray[np.uint8]
    box: tuple[float, float, float, float]
    size: tuple[int, int]
    placing: Placing | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse a grid without cells or area."""
        left, top, right, bottom = self.box
        if self.classes.ndim != 2 or not self.classes.size or left >= right or top >= bottom:
            raise ValueError(f"grid is {self.classes.shape} over {self.box}, expected an area")

    def in_frame(self, size: tuple[int, int]) -> Mask:
        """Return the mask in a frame of (width, height), without cells that lie beside it."""
        if self.placing is None:
            return self
        placement = self.placing(size)
        left, top, right, bottom = self.box
        rows, columns = self.classes.shape
        first, last = _covered(
            columns, left, right, placement.left, placement.left + placement.fill_width
        )
        upper, lower = _covered(
            rows, top, bottom, placement.top, placement.top + placement.fill_height
        )
        width, height = (right - left) / columns, (bottom - top) / rows
        corners = placement.to_frame(
            np.array(
                [
                    [left + first * width, top + upper * height],
                    [left + last * width, top + lower * height],
                ]
            )
        )
        begin_x, begin_y, end_x, end_y = corners.reshape(-1).tolist()
        return replace(
            self,
            classes=self.classes[upper:lower, first:last],
            box=(begin_x, begin_y, end_x, end_y),
            size=size,
            placing=None,
        )

    def in_picture(self) -> NDArray[np.uint8]:
        """Return the class of each pixel, (height, width) uint8; `UNSEEN` outside of the grid.

        A pixel has the class of the cell that its centre lies in.
        """
        left, top, right, bottom = self.box
        rows, row_seen = _cells(self.size[1], top, bottom, self.classes.shape[0])
        columns, column_seen = _cells(self.size[0], left, right, self.classes.shape[1])
        picture = self.classes[rows][:, columns]
        picture[~row_seen] = UNSEEN
        picture[:, ~column_seen] = UNSEEN
        return picture

    def areas(self) -> list[tuple[str, float]]:
        """Return (label, part of the seen area, 0 to 1) of each class there is, largest first."""
        counts = np.bincount(self.classes.reshape(-1))
        order = [int(i) for i in np.argsort(-counts, kind="stable") if counts[i]]
        return [(class_name(self.labels, i), float(counts[i] / counts.sum())) for i in order]

    @property
    def headline(self) -> str:
        """The classes that cover a hundredth of the picture or more, the background left out."""
        background = class_name(self.labels, 0)
        names = (name for name, area in self.areas() if area >= 0.01 and name != background)
        return ", ".join(sorted(names)) or "nothing"

    def text(self, count: int = 3) -> str:
        """Return the `count` largest classes on one line, and how many more there are."""
        areas = self.areas()
        return _listed([f"{name} {area:.1%}" for name, area in areas[:count]], len(areas))

    def to_json(self, count: int = 5) -> dict[str, object]:
        """Return what scripts read: the area of each class, without the mask itself."""
        return {
            "size": list(self.size),
            "areas": [{"label": name, "area": round(area, 6)} for name, area in self.areas()],
        }


@dataclass(frozen=True, kw_only=True)
class Poses:
    """People, or other bodies, by their keypoints, the surest first.

    Attributes:
        names: of the keypoints.
        limbs: pairs of keypoint indices between which a skeleton has its lines.
        keypoints: (people, keypoints, 2) float64: x, y in pixels of the picture.
        keypoint_scores: (people, keypoints) float64, 0 to 1.
        scores: (people,) float64, 0 to 1, falling.
        size: (width, height) of the picture.
        placing: how to find the frame's pixels; None where the picture is the frame.
    """

    names: tuple[str, ...]
    limbs: tuple[tuple[int, int], ...]
    keypoints: NDArray[np.float64]
    keypoint_scores: NDArray[np.float64]
    scores: NDArray[np.float64]
    size: tuple[int, int]
    placing: Placing | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit each other."""
        shapes = (self.keypoints.shape, self.keypoint_scores.shape, self.scores.shape)
        people, points = len(self.scores), len(self.names)
        if shapes != ((people, points, 2), (people, points), (people,)):
            raise ValueError(
                f"keypoints and scores are {shapes}, expected {points} keypoints a person"
            )

    def __len__(self) -> int:
        """Return how many people were found."""
        return len(self.scores)

    def in_frame(self, size: tuple[int, int]) -> Poses:
        """Return the people in a frame of (width, height); keypoints may lie beside it."""
        if self.placing is None:
            return self
        keypoints = self.placing(size).to_frame(self.keypoints)
        return replace(self, keypoints=keypoints, size=size, placing=None)

    @property
    def headline(self) -> str:
        """How many people there are."""
        return "1 person" if len(self) == 1 else f"{len(self) or 'no'} people"

    def text(self, count: int = 3) -> str:
        """Return the number of people and the scores of the `count` surest."""
        scores = _listed([f"{score:.1%}" for score in self.scores[:count]], len(self))
        return f"{self.headline}: {scores}" if len(self) else self.headline

    def to_json(self, count: int = 5) -> dict[str, object]:
        """Return what scripts read: of each person the score and every keypoint."""
        people = zip(
            self.scores.tolist(),
            self.keypoints.tolist(),
            self.keypoint_scores.tolist(),
            strict=True,
        )
        return {
            "size": list(self.size),
            "poses": [
                {
                    "score": round(score, 6),
                    "keypoints": [
                        {"name": name, "x": round(x, 2), "y": round(y, 2), "score": round(s, 6)}
                        for name, (x, y), s in zip(self.names, points, point_scores, strict=True)
                    ],
                }
                for score, points, point_scores in people
            ],
        }


def class_name(labels: tuple[str, ...], index: int) -> str:
    """Return a class's label; `class N` for one that has none."""
    return labels[index] if 0 <= index < len(labels) else f"class {index}"


def _listed(shown: list[str], total: int) -> str:
    """Join what is shown, and count what is not."""
    more = [f"{total - len(shown)} more"] if total > len(shown) else []
    return ", ".join(shown + more) or "nothing"


def _covered(
    cells: int, begin: float, end: float, fill_begin: int, fill_end: int
) -> tuple[int, int]:
    """Return the first cell along one axis that frames reach into, and the one after the last."""
    width = (end - begin) / cells
    first = min(max(math.floor((fill_begin - begin) / width), 0), cells - 1)
    last = min(max(math.ceil((fill_end - begin) / width), first + 1), cells)
    return first, last


def _cells(
    pixels: int, begin: float, end: float, cells: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the cell of each pixel along one axis, and which pixels lie in one at all."""
    places = (np.arange(pixels) + 0.5 - begin) / (end - begin)
    seen = (places >= 0) & (places < 1)
    return np.clip(np.floor(places * cells), 0, cells - 1).astype(np.int64), seen

"""A class for each place of a picture; how places are measured says `detection/prediction.py`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.tasks.prediction import (
    Canvas,
    Placing,
    Prediction,
    class_name,
    listed,
)
from edgeinfer.device.tasks.segmentation.grid import cells_of_pixels, grid_in_frame

UNSEEN = 255
"""The class of pixels that the model did not see, such as those outside a centred crop."""

_SHOWN_LABELS = 3
_LEAST_NAMED = 0.005
"""Smaller areas of a mask are coloured and not named."""


@dataclass(frozen=True, kw_only=True)
class Mask(Prediction):
    """The answer of a segmentation model: the class of each part of a picture.

    The model divides the picture into a grid of cells. `in_picture` gives the class of each pixel,
    `areas` how much of the picture each class covers.

    Examples:
        >>> mask = model.predict("street.jpg")
        >>> mask.areas()
        [('road', 0.42), ('background', 0.37), ('car', 0.21)]
        >>> cars = mask.in_picture() == mask.labels.index("car")

    Attributes:
        labels: the names of all classes; the first one is the background.
        classes: (rows, columns) uint8, the number of each cell's class in `labels`.
        box: left, top, right and bottom of the grid, in pixels of the picture.
        size: (width, height) of the picture in pixels.
        placing: see `Prediction`.
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
        """Return the mask in pixels of a frame of (width, height), without cells outside it."""
        if self.placing is None:
            return self
        found = grid_in_frame(self.placing, size, self.box, _shape(self.classes))
        return replace(
            self,
            classes=self.classes[found.rows, found.columns],
            box=found.box,
            size=size,
            placing=None,
        )

    def in_picture(self) -> NDArray[np.uint8]:
        """Return the class of each pixel of the picture, (height, width) uint8.

        Pixels that the model did not see, such as those outside a centred crop, are 255.
        """
        left, top, right, bottom = self.box
        rows, row_seen = cells_of_pixels(self.size[1], top, bottom, self.classes.shape[0])
        columns, column_seen = cells_of_pixels(self.size[0], left, right, self.classes.shape[1])
        picture = self.classes[rows][:, columns]
        picture[~row_seen] = UNSEEN
        picture[:, ~column_seen] = UNSEEN
        return picture

    def areas(self) -> list[tuple[str, float]]:
        """Return (label, part of the picture, 0 to 1) for each class in it, the largest first.

        Pixels that the model did not see do not count.
        """
        counts = np.bincount(self.classes.reshape(-1))
        order = [int(i) for i in np.argsort(-counts, kind="stable") if counts[i]]
        return [(class_name(self.labels, i), float(counts[i] / counts.sum())) for i in order]

    @property
    def headline(self) -> str:
        """The classes that cover at least 1 % of the picture, without the background."""
        background = class_name(self.labels, 0)
        names = (name for name, area in self.areas() if area >= 0.01 and name != background)
        return ", ".join(sorted(names)) or "nothing"

    def text(self, count: int = 3) -> str:
        """Return the `count` largest classes on one line, and how many more there are."""
        areas = self.areas()
        return listed([f"{name} {area:.1%}" for name, area in areas[:count]], len(areas))

    def to_json(self, count: int = 5) -> dict[str, object]:
        """Return a dict with `size`, and in `areas` the area of each class, without the mask."""
        return {
            "size": list(self.size),
            "areas": [{"label": name, "area": round(area, 6)} for name, area in self.areas()],
        }

    def draw(self, canvas: Canvas, truth: str | None) -> None:
        """Colour each class but the background, and name those that cover something."""
        classes = self.in_picture()
        present = [int(i) for i in np.flatnonzero(np.bincount(classes.reshape(-1)))]
        shown = [index for index in present if index not in (0, UNSEEN)]
        canvas.tint(classes, {index: canvas.colour(index) for index in shown})
        areas = {name: area for name, area in self.areas() if area >= _LEAST_NAMED}
        named = [index for index in shown if class_name(self.labels, index) in areas]
        named.sort(key=lambda index: -areas[class_name(self.labels, index)])
        lines = []
        for index in named[:_SHOWN_LABELS]:
            label = class_name(self.labels, index)
            lines.append(f"{canvas.name(label, index)} {areas[label]:.1%}")
        canvas.lines(lines, [canvas.colour(index) for index in named])

    def ranked(self, count: int) -> list[tuple[str, float]]:
        """Return the `count` largest classes as (label, part of the picture), largest first."""
        return self.areas()[:count]


def _shape(grid: NDArray[np.uint8]) -> tuple[int, int]:
    return grid.shape[0], grid.shape[1]

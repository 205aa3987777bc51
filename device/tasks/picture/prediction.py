"""A picture or a map over a picture; how places are measured says `detection/prediction.py`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.tasks.prediction import Canvas, Placing, Prediction, json_number
from edgeinfer.device.tasks.segmentation.grid import cells_of_pixels, grid_in_frame


@dataclass(frozen=True, kw_only=True)
class OutputPicture(Prediction):
    """The answer of a model that makes a picture of a picture: a depth map, an enlarged picture.

    Examples:
        >>> depth = model.predict("street.jpg")
        >>> depth.values.shape, depth.lowest, depth.highest
        ((256, 256), 0.4, 12.75)
        >>> nearest = np.unravel_index(depth.values.argmin(), depth.values.shape)
        >>> PIL.Image.fromarray(depth.pixels()).save("depth.png")

    Attributes:
        values: (rows, columns) float64 of one number for each place, or (rows, columns, 3): red,
            green and blue; as the model gives them.
        range: the values that are black and white in `pixels`; None for the lowest and the highest
            of this picture.
        box: left, top, right and bottom of the values, in pixels of the picture.
        size: (width, height) of the picture in pixels.
        placing: see `Prediction`.
    """

    values: NDArray[np.float64]
    range: tuple[float, float] | None
    box: tuple[float, float, float, float]
    size: tuple[int, int]
    placing: Placing | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse values without places or area."""
        shape, (left, top, right, bottom) = self.values.shape, self.box
        if shape[2:] not in ((), (3,)) or len(shape) < 2 or not self.values.size:
            raise ValueError(f"values are {shape}, expected (rows, columns) or (rows, columns, 3)")
        if left >= right or top >= bottom:
            raise ValueError(f"values are over {self.box}, expected an area")

    def in_frame(self, size: tuple[int, int]) -> OutputPicture:
        """Return the values over a frame of (width, height), without those outside it."""
        if self.placing is None:
            return self
        rows, columns = self.values.shape[:2]
        found = grid_in_frame(self.placing, size, self.box, (rows, columns))
        return replace(
            self,
            values=self.values[found.rows, found.columns],
            box=found.box,
            size=size,
            placing=None,
        )

    @property
    def lowest(self) -> float:
        """The lowest finite value; 0 if there is none."""
        finite = self.values[np.isfinite(self.values)]
        return float(finite.min()) if finite.size else 0.0

    @property
    def highest(self) -> float:
        """The highest finite value; 0 if there is none."""
        finite = self.values[np.isfinite(self.values)]
        return float(finite.max()) if finite.size else 0.0

    def pixels(self) -> NDArray[np.uint8]:
        """Return the values as a picture: (rows, columns), grey, or (rows, columns, 3), RGB, uint8.

        What is not a number is black.
        """
        low, high = self.range or (self.lowest, self.highest)
        # Halves, so that the difference of the largest numbers stays finite.
        inside = np.clip(np.nan_to_num(self.values, nan=low), low, high) / 2 - low / 2
        part = inside / (high / 2 - low / 2) if high > low else np.zeros_like(inside)
        shown: NDArray[np.uint8] = np.rint(part * 255).astype(np.uint8)
        return shown

    @property
    def headline(self) -> str:
        """The number of columns and rows, such as "picture of 256 x 192"."""
        rows, columns = self.values.shape[:2]
        return f"picture of {columns} x {rows}"

    def text(self, count: int = 1) -> str:
        """Return its size and range, such as "picture of 256 x 192, 0.4 to 12.75"."""
        return f"{self.headline}, {self.lowest:.4g} to {self.highest:.4g}"

    def to_json(self, count: int = 5) -> dict[str, object]:
        """Return a dict with `size`, and `columns`, `rows`, `lowest` and `highest` in `picture`."""
        rows, columns = self.values.shape[:2]
        return {
            "size": list(self.size),
            "picture": {
                "columns": columns,
                "rows": rows,
                "colour": self.values.ndim == 3,
                "lowest": json_number(self.lowest, 7),
                "highest": json_number(self.highest, 7),
            },
        }

    def draw(self, canvas: Canvas, truth: str | None) -> None:
        """Draw the picture where the model saw something."""
        pixels = self.pixels()
        colours = pixels[..., ::-1] if pixels.ndim == 3 else np.stack([pixels] * 3, axis=-1)
        left, top, right, bottom = self.box
        # Cells of the canvas, so that no frame is as large as the answer makes it.
        factors = canvas.width / self.size[0], canvas.height / self.size[1]
        rows, row_seen = cells_of_pixels(
            canvas.height, top * factors[1], bottom * factors[1], pixels.shape[0]
        )
        columns, column_seen = cells_of_pixels(
            canvas.width, left * factors[0], right * factors[0], pixels.shape[1]
        )
        canvas.cover(colours[rows][:, columns], row_seen[:, None] & column_seen)
        canvas.lines([self.text()])

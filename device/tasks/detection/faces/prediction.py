"""Faces in a picture: objects with a few points each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.prediction import Canvas


@dataclass(frozen=True, kw_only=True)
class Faces(Detections):
    """The answer of a face detector: `Detections` with points such as eyes and mouth.

    Examples:
        >>> faces = model.predict("people.jpg")
        >>> dict(zip(faces.point_names, faces.points[0].tolist()))["nose tip"]
        [311.0, 92.5]

    Attributes:
        points: (faces, points, 2) float64, x and y of each point, in pixels of the picture.
        point_names: the names of the points, such as "nose tip"; left is the person's own.
    """

    points: NDArray[np.float64]
    point_names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit each other."""
        super().__post_init__()
        expected = (len(self.scores), len(self.point_names), 2)
        if self.points.shape != expected:
            raise ValueError(f"points are {self.points.shape}, expected {expected}")

    def in_frame(self, size: tuple[int, int]) -> Faces:
        """Return the faces in pixels of a frame of (width, height), without those outside it."""
        if self.placing is None:
            return self
        placement = self.placing(size)
        boxes = placement.to_frame(self.boxes.reshape(-1, 2, 2))
        boxes = np.clip(boxes, 0, size).reshape(-1, 4)
        kept = (boxes[:, 0] < boxes[:, 2]) & (boxes[:, 1] < boxes[:, 3])
        return replace(
            self,
            boxes=boxes[kept],
            classes=self.classes[kept],
            scores=self.scores[kept],
            points=placement.to_frame(self.points)[kept],
            size=size,
            placing=None,
        )

    def to_json(self, count: int = 5) -> dict[str, object]:
        """Return what `Detections` gives, and of each face its points by name."""
        told = super().to_json(count)
        faces = cast("list[dict[str, Any]]", told["detections"])
        for face, points in zip(faces, self.points.tolist(), strict=True):
            face["points"] = [
                {"name": name, "x": round(x, 2), "y": round(y, 2)}
                for name, (x, y) in zip(self.point_names, points, strict=True)
            ]
        return told

    def smoothed(self, before: Sequence[Detections]) -> Faces:
        """Return the faces that more than half of the answers have, with their latest points."""
        answers = [one for one in (*before, self) if isinstance(one, Faces)]
        # Each box that all agree on is in one of the answers, with its points.
        points_of = {
            box.tobytes(): points
            for one in answers
            for box, points in zip(one.boxes, one.points, strict=True)
        }
        agreed = Detections(
            labels=self.labels,
            boxes=self.boxes,
            classes=self.classes,
            scores=self.scores,
            size=self.size,
        ).smoothed(before)
        points = [points_of[box.tobytes()] for box in agreed.boxes]
        return replace(
            self,
            boxes=agreed.boxes,
            classes=agreed.classes,
            scores=agreed.scores,
            points=np.array(points).reshape(-1, len(self.point_names), 2),
        )

    def draw(self, canvas: Canvas, truth: str | None) -> None:
        """Draw a box around each face, and its points."""
        for face in range(len(self) - 1, -1, -1):
            places = canvas.places(self.points[face], self.size).tolist()
            colour = canvas.colour(int(self.classes[face]))
            canvas.figure([], [(round(x), round(y)) for x, y in places], colour)
        super().draw(canvas, truth)

"""People by their keypoints; how places are measured says `detection/prediction.py`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.tasks.prediction import Canvas, Placing, Prediction, listed

_LEAST_DRAWN = 0.3
"""Keypoints that score less are guesses, of hidden limbs mostly, and clutter the picture."""


@dataclass(frozen=True, kw_only=True)
class Poses(Prediction):
    """The answer of a pose model: the keypoints of people, the best person first.

    `len(poses)` is the number of people.

    Examples:
        >>> poses = model.predict("people.jpg")
        >>> dict(zip(poses.names, poses.keypoints[0].tolist()))["nose"]
        [311.0, 92.5]

    Attributes:
        names: the names of the keypoints, such as "nose".
        limbs: the lines of a skeleton, as pairs of keypoint numbers.
        keypoints: (people, keypoints, 2) float64, x and y of each keypoint, in pixels of the
            picture.
        keypoint_scores: (people, keypoints) float64, how sure the model is of each keypoint, 0 to
            1.
        scores: (people,) float64, how sure the model is of each person, 0 to 1, the highest first.
        size: (width, height) of the picture in pixels.
        placing: see `Prediction`.
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
        """Return the people in pixels of a frame of (width, height); points may be outside it."""
        if self.placing is None:
            return self
        keypoints = self.placing(size).to_frame(self.keypoints)
        return replace(self, keypoints=keypoints, size=size, placing=None)

    @property
    def headline(self) -> str:
        """The number of people, such as "2 people"."""
        return "1 person" if len(self) == 1 else f"{len(self) or 'no'} people"

    def text(self, count: int = 3) -> str:
        """Return the number of people and the scores of the `count` best, on one line."""
        scores = listed([f"{score:.1%}" for score in self.scores[:count]], len(self))
        return f"{self.headline}: {scores}" if len(self) else self.headline

    def to_json(self, count: int = 5) -> dict[str, object]:
        """Return a dict with `size`, and in `poses` each person's score and keypoints."""
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

    def draw(self, canvas: Canvas, truth: str | None) -> None:
        """Draw each skeleton, and write how many people there are."""
        for person in range(len(self) - 1, -1, -1):
            places = canvas.places(self.keypoints[person], self.size).tolist()
            points = [(round(x), round(y)) for x, y in places]
            seen = (self.keypoint_scores[person] >= _LEAST_DRAWN).tolist()
            canvas.figure(
                [(points[a], points[b]) for a, b in self.limbs if seen[a] and seen[b]],
                [point for point, shown in zip(points, seen, strict=True) if shown],
                canvas.colour(person),
            )
        canvas.lines([self.text()])

    def quantities(self) -> dict[str, float]:
        """Return how many people there are."""
        return {"count": len(self)}

"""How the outputs of pose models are read: heatmaps and offsets, or keypoints as they are."""

from __future__ import annotations

from dataclasses import dataclass

_MOST_PIXELS = 1e5
_MOST_PEOPLE = 1000
_MOST_KEYPOINTS = 1000
_MOST = 1e30


@dataclass(frozen=True, kw_only=True)
class KeypointsSpec:
    """How the numbers of a model that gives people's keypoints are read, as MoveNet does.

    The output has a row for each person: for each keypoint its place and score, then whatever.

    Attributes:
        output: number of the output, (1, people, numbers) or (1, people, keypoints, 3).
        keypoints: how many a person has.
        order: where in a keypoint's three numbers x, y and the score are. Places are ratios: 1 is
            the width or height of the model's image.
        score: where in a row the person's score is; None where it is the mean of its keypoints'.
        min_score: people that score less are left out.
    """

    output: int = 0
    keypoints: int = 17
    order: tuple[int, int, int] = (1, 0, 2)
    score: int | None = None
    min_score: float = 0.25

    def __post_init__(self) -> None:
        """Refuse impossible counts, orders and scores."""
        if self.output < 0 or not 1 <= self.keypoints <= _MOST_KEYPOINTS:
            raise ValueError(
                f"output is {self.output} with {self.keypoints} keypoints, expected an output from "
                f"0 and 1 to {_MOST_KEYPOINTS} keypoints"
            )
        if sorted(self.order) != [0, 1, 2]:
            raise ValueError(f"order is {self.order}, expected each of 0 to 2 once")
        if self.score is not None and self.score < 3 * self.keypoints:
            raise ValueError(f"score is {self.score}, expected a place behind the keypoints")
        if not 0 <= self.min_score <= 1:
            raise ValueError(f"min_score is {self.min_score}, expected 0 to 1")


@dataclass(frozen=True, kw_only=True)
class PoseSpec:
    """Which outputs of a PoseNet are what, and how people are separated.

    Attributes:
        heatmaps: number of the output with the keypoints' logits, (1, rows, columns, keypoints).
        offsets: number of the output with the way from a cell to the keypoint near it, in pixels of
            the model's image, (1, rows, columns, 2 keypoints): all y, then all x.
        displacements: numbers of the outputs with the way from a keypoint to its neighbour along
            the skeleton: forward and backward, (1, rows, columns, 2 limbs) each, or one output with
            both; none where the model knows one person only.
        stride: pixels of the model's image from one cell to the next.
        max_people: the model looks for at most this many people.
        min_score: keypoints that score less start no person.
        min_person_score: people whose keypoints score less on average are left out; a head alone,
            five keypoints of seventeen, comes to some 0.29.
        radius: pixels of the model's image within which two like keypoints are the same.
    """

    heatmaps: int = 0
    offsets: int = 1
    displacements: tuple[int, ...] = ()
    stride: float
    max_people: int = 10
    min_score: float = 0.5
    min_person_score: float = 0.25
    radius: float = 20.0

    def __post_init__(self) -> None:
        """Refuse outputs that are two things at the same time, and impossible numbers."""
        numbers = [self.heatmaps, self.offsets, *self.displacements]
        if len(set(numbers)) != len(numbers) or min(numbers) < 0 or len(numbers) > 4:
            raise ValueError(f"outputs are {numbers}, expected two to four different ones from 0")
        if not (1 / _MOST_PIXELS <= self.stride <= _MOST_PIXELS):
            raise ValueError(
                f"stride is {self.stride:g}, expected pixels from one cell to the next"
            )
        if not 1 <= self.max_people <= _MOST_PEOPLE:
            raise ValueError(f"max_people is {self.max_people}, expected 1 to {_MOST_PEOPLE}")
        if not (0 <= self.min_score <= 1 and 0 <= self.min_person_score <= 1):
            raise ValueError("a score is not from 0 to 1")
        if not 0 <= self.radius <= _MOST_PIXELS:
            raise ValueError(f"radius is {self.radius:g}, expected 0 to {_MOST_PIXELS:g} pixels")

"""Where boxes will be: a Kalman filter of constant velocity for each of their four numbers.

R. E. Kalman, "A New Approach to Linear Filtering and Prediction Problems", 1960; the noise of the
motion is white acceleration, as in Y. Bar-Shalom et al., "Estimation with Applications to Tracking
and Navigation", 2001, section 6.2. Centre, width and height are filtered separately, so that a
step is a few products. Times are in seconds, so that dropped frames change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ACCELERATION = 2.0
"""How much a velocity changes within a second, in sizes of the box a second."""
JITTER = 0.06
"""How far a detector's boxes are from where things are, in sizes of the box."""
FIRST_VELOCITY = 2.0
"""How fast a thing may be that is seen for the first time, in sizes a second."""
_OF_SIDES = 0.3
"""Width and height change less than places do, by this factor."""
REACH = 2.5
_SAME_SIZE = 1.4
"""Things that differ more in size from one frame to the next are others."""
LEAST_SIDE = 1.0
_PARTS = np.array([1.0, 1.0, _OF_SIDES, _OF_SIDES])


@dataclass(frozen=True)
class Motion:
    """What is known of boxes: (boxes, 4) each, of centre x and y, width and height.

    Attributes:
        place: the best guess, in pixels.
        velocity: in pixels a second.
        place_variance: how certain the place is.
        covariance: of place and velocity.
        velocity_variance: how certain the velocity is.
    """

    place: Floats
    velocity: Floats
    place_variance: Floats
    covariance: Floats
    velocity_variance: Floats

    @staticmethod
    def none() -> Motion:
        """Return what is known without boxes."""
        return Motion(*(np.zeros((0, 4)) for _ in range(5)))

    @staticmethod
    def begin(boxes: Floats) -> Motion:
        """Return what is known of boxes (boxes, 4), left, top, right, bottom, seen once."""
        place = to_centres(boxes)
        size = _sizes(place)
        return Motion(
            place,
            np.zeros_like(place),
            (JITTER * size * np.ones(4)) ** 2,
            np.zeros_like(place),
            (FIRST_VELOCITY * size * _PARTS) ** 2,
        )

    def ahead(self, seconds: float) -> Motion:
        """Return what is known some time later."""
        noise = (ACCELERATION * _sizes(self.place) * _PARTS) ** 2
        place = self.place + self.velocity * seconds
        place[:, 2:] = np.maximum(place[:, 2:], LEAST_SIDE)
        spread = 2 * seconds * self.covariance + seconds**2 * self.velocity_variance
        return Motion(
            place,
            self.velocity,
            self.place_variance + spread + noise * seconds**3 / 3,
            self.covariance + seconds * self.velocity_variance + noise * seconds**2 / 2,
            self.velocity_variance + noise * seconds,
        )

    def seen(self, which: NDArray[np.int64], boxes: Floats) -> Motion:
        """Return what is known after some of the boxes were seen.

        Args:
            which: (seen,) their places among the boxes.
            boxes: (seen, 4) left, top, right, bottom.
        """
        measured = to_centres(boxes)
        certain = self.place_variance[which] + (JITTER * _sizes(measured)) ** 2
        gain, turn = self.place_variance[which] / certain, self.covariance[which] / certain
        away = measured - self.place[which]
        parts = [np.array(part) for part in self.parts]
        parts[0][which] += gain * away
        parts[1][which] += turn * away
        parts[4][which] -= turn * self.covariance[which]
        parts[3][which] *= 1 - gain
        parts[2][which] *= 1 - gain
        return Motion(*parts)

    def within_reach(self, boxes: Floats) -> Floats:
        """Return how near other boxes are to where these may be, (these, others).

        1 is there, 0 at `REACH` standard deviations or beyond, and for boxes of another size.
        """
        other = to_centres(boxes)
        away = np.hypot(*np.moveaxis(self.place[:, None, :2] - other[None, :, :2], -1, 0))
        reach = REACH * np.sqrt(self.place_variance[:, :2].mean(axis=1, keepdims=True))
        ratio = _sizes(self.place) / _sizes(other).T
        near: Floats = np.clip(1 - away / reach, 0, 1)
        return np.where(np.abs(np.log(ratio)) < np.log(_SAME_SIZE), near, 0.0)

    def only(self, kept: NDArray[np.int64]) -> Motion:
        """Return what is known of some of the boxes."""
        return Motion(*(part[kept] for part in self.parts))

    def with_more(self, other: Motion) -> Motion:
        """Return what is known of these boxes and others behind them."""
        return Motion(*(np.concatenate(both) for both in zip(self.parts, other.parts, strict=True)))

    @property
    def parts(self) -> tuple[Floats, ...]:
        """The five arrays, in the order of the attributes."""
        return (
            self.place,
            self.velocity,
            self.place_variance,
            self.covariance,
            self.velocity_variance,
        )

    @property
    def boxes(self) -> Floats:
        """(boxes, 4) left, top, right, bottom."""
        centres, halves = self.place[:, :2], self.place[:, 2:] / 2
        return np.concatenate([centres - halves, centres + halves], axis=1)


def to_centres(boxes: Floats) -> Floats:
    """Return centre x and y, width and height of boxes (boxes, 4)."""
    first, second = boxes[:, :2], boxes[:, 2:]
    sides = np.maximum(second - first, LEAST_SIDE)
    return np.concatenate([(first + second) / 2, sides], axis=1)


def _sizes(place: Floats) -> Floats:
    """Return the size of each box, (boxes, 1): the root of its area."""
    sizes: Floats = np.sqrt(place[:, 2:3] * place[:, 3:4])
    return sizes

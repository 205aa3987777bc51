"""Whether a candidate is a copy: both pictures are laid on each other and compared.

The place of the copy in the other picture follows from their corners (or is the whole picture, for
equal hashes); then the alignment is refined on the pixels. A copy differs by compression and
brightness only, everywhere: a picture of the same place, where something has moved, does not match
in that part.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.host.data.groups.near.sketch import SIDE, Bytes, Sketch

MIN_CORRELATION = 0.95
"""Between the grey values of both where they overlap."""

MAX_PART_ERROR = 0.55
"""In each part of the overlap, compared with the contrast of the whole: the root mean square of
what differs."""

MIN_OVERLAP = 0.3
"""Share of each picture that the other one shows."""

MIN_SHOWN = 0.8
"""The same of one of the two: a copy lies nearly whole in the other."""

_AGREEING = 4
_NEAR_PX = 3.0
_SCALES = (0.4, 2.5)
_PARTS = 8
_SMOOTHED = 5
_LEAST_PX = 400
_WORTH_ALIGNING = 0.5
_MIN_CONTRAST = 4.0

Affine = NDArray[np.float64]
"""(2, 3): from a point of the first picture to that of the second, in pixels of the grey copies."""


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """Two pictures that are copies of one another.

    Attributes:
        correlation: of their grey values, where they overlap, 0 to 1.
        first_share: the share of the first picture that the second shows, 0 to 1.
        second_share: the share of the second that the first shows.
        mirrored: whether one is mirrored left to right.
    """

    correlation: float
    first_share: float
    second_share: float
    mirrored: bool

    @property
    def turned(self) -> Likeness:
        """The same with the pictures in the other order."""
        return replace(self, first_share=self.second_share, second_share=self.first_share)


def whole(first: Bytes, second: Bytes) -> Affine:
    """Return the motion that lays one whole picture on the other."""
    scale_y, scale_x = (b / a for a, b in zip(first.shape, second.shape, strict=True))
    return np.array([[scale_x, 0, (scale_x - 1) / 2], [0, scale_y, (scale_y - 1) / 2]])


def motion_of_corners(first: Sketch, second: Sketch, corners: NDArray[np.int64]) -> Affine | None:
    """Return the scaling and shift on which most of the similar corners agree; None if few do.

    Args:
        first: of a picture.
        second: of another.
        corners: (n, 2) which corner of the first is similar to which of the second.
    """
    start = first.places[corners[:, 0]].astype(np.float64)
    end = second.places[corners[:, 1]].astype(np.float64)
    one, other = np.triu_indices(len(start), 1)
    before = np.linalg.norm(start[one] - start[other], axis=1)
    after = np.linalg.norm(end[one] - end[other], axis=1)
    # Close corners tell a scale badly.
    far = (before > SIDE / 8) & (after > SIDE / 20)
    one, other = one[far], other[far]
    scale = after[far] / before[far]
    fits = (scale > _SCALES[0]) & (scale < _SCALES[1])
    one, other, scale = one[fits], other[fits], scale[fits]
    if not len(one):
        return None
    shift = (end[one] + end[other]) / 2 - scale[:, None] * (start[one] + start[other]) / 2
    moved = scale[:, None, None] * start[None] + shift[:, None]
    agree = np.linalg.norm(moved - end[None], axis=2) < _NEAR_PX
    best = int(np.argmax(agree.sum(axis=1)))
    chosen = agree[best]
    if len(set(corners[chosen, 0].tolist())) < _AGREEING:
        return None
    (x, y), s = shift[best], scale[best]
    return np.array([[s, 0, x], [0, s, y]])


def compare(first: Bytes, second: Bytes, motion: Affine) -> Likeness | None:
    """Return how similar two pictures are if they are copies, else None.

    Args:
        first: its `small_grey`.
        second: that of the other.
        motion: about where the first is in the second.
    """
    if min(first.std(), second.std()) < _MIN_CONTRAST:
        return None
    found = measure(first, second, motion)
    if found is None or found.correlation < _WORTH_ALIGNING:
        return None
    refined = _refined(first, second, motion)
    if refined is not None:
        better = measure(first, second, refined)
        if better is not None and better.correlation > found.correlation:
            found = better
    shares = found.first_share, found.second_share
    if (
        found.correlation < MIN_CORRELATION
        or found.worst_part > MAX_PART_ERROR
        or max(shares) < MIN_SHOWN
        or min(shares) < MIN_OVERLAP
    ):
        return None
    return Likeness(
        correlation=found.correlation,
        first_share=found.first_share,
        second_share=found.second_share,
        mirrored=False,
    )


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Two pictures laid on each other.

    Attributes:
        correlation: of the grey values where they overlap.
        worst_part: the largest error of a part of the overlap, compared with the contrast.
        first_share: the share of the first picture that overlaps.
        second_share: that of the second.
    """

    correlation: float
    worst_part: float
    first_share: float
    second_share: float


def measure(first: Bytes, second: Bytes, motion: Affine) -> Measured | None:
    """Lay one picture on another; None if hardly anything overlaps, or shows nothing."""
    height, width = first.shape
    # Blurred a little: the copies were scaled differently.
    one, other = (
        cv2.GaussianBlur(grey, (0, 0), 1.2).astype(np.float32) for grey in (first, second)
    )
    back = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(other, motion, (width, height), flags=back)
    ones = np.ones(second.shape, np.float32)
    inside = cv2.warpAffine(ones, motion, (width, height), flags=back) > 0.999
    count = int(inside.sum())
    if count < _LEAST_PX:
        return None
    a, b = one[inside], laid[inside]
    if min(a.std(), b.std()) < _MIN_CONTRAST:
        return None
    correlation = float(np.corrcoef(a, b)[0, 1])
    slope = correlation * a.std() / b.std()
    error = np.where(inside, (one - a.mean()) - slope * (laid - b.mean()), 0.0) / a.std()
    size = (_PARTS, _PARTS)
    # Area interpolation gives each part's mean.
    covered = cv2.resize(inside.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    squares = cv2.resize(error.astype(np.float32) ** 2, size, interpolation=cv2.INTER_AREA)
    parts = np.sqrt(squares[covered > 0.5] / covered[covered > 0.5])
    area = abs(motion[0, 0] * motion[1, 1] - motion[0, 1] * motion[1, 0])
    return Measured(
        correlation=correlation,
        worst_part=float(parts.max(initial=0.0)),
        first_share=count / inside.size,
        second_share=min(1.0, count * area / second.size),
    )


def _refined(first: Bytes, second: Bytes, motion: Affine) -> Affine | None:
    """Return the motion, moved until the pixels match best; None where that fails."""
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-4)
    start = motion.astype(np.float32)
    try:
        _, refined = cv2.findTransformECC(
            first, second, start, cv2.MOTION_AFFINE, stop, np.ones_like(second), _SMOOTHED
        )
    except cv2.error:  # it did not converge
        return None
    return np.asarray(refined, np.float64)

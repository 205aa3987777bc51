"""Boxes that are turned about their centres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.preprocess import Placement

_Reals = NDArray[np.float64]


def turned_corners(boxes: _Reals, angles: _Reals) -> _Reals:
    """Return the corners of turned boxes, (boxes, 4, 2) x and y, clockwise in the picture.

    Args:
        boxes: (boxes, 4) left, top, right and bottom before they are turned.
        angles: (boxes,): how far each is turned about its centre, clockwise, in radians.
    """
    centres, along, across = _axes(boxes, angles)
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    steps = signs[:, :1] * along[:, None] + signs[:, 1:] * across[:, None]
    corners: _Reals = centres[:, None] + steps
    return corners


def turned_to_frame(boxes: _Reals, angles: _Reals, placement: Placement) -> tuple[_Reals, _Reals]:
    """Return turned boxes of the model's image in pixels of a frame, and their angles.

    Where the picture was stretched, a turned box is not a rectangle in it: what is returned has its
    middle lines.
    """
    centres, along, across = _axes(boxes, angles)
    zero = placement.to_frame(np.zeros(2))
    centres = placement.to_frame(centres)
    along, across = placement.to_frame(along) - zero, placement.to_frame(across) - zero
    sides = np.stack([np.hypot(*along.T), np.hypot(*across.T)], axis=1)
    placed = np.concatenate([centres - sides, centres + sides], axis=1)
    return placed, np.arctan2(along[:, 1], along[:, 0])


def _axes(boxes: _Reals, angles: _Reals) -> tuple[_Reals, _Reals, _Reals]:
    """Return centres, and the ways from there to the middles of the right and the lower side."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]) / 2
    cosine, sine = np.cos(angles), np.sin(angles)
    along = half[:, :1] * np.stack([cosine, sine], axis=1)
    across = half[:, 1:] * np.stack([-sine, cosine], axis=1)
    return centres, along, across


def turned_overlaps(box: _Reals, angle: np.float64, boxes: _Reals, angles: _Reals) -> _Reals:
    """Return the intersection over union, 0 to 1, of a turned box with each of others.

    The part of each box within the first is the integral along its sides, taken in the directions
    of the first box, of what is between the first box's edges (Green's theorem).

    Args:
        box: (4,) left, top, right and bottom before it is turned.
        angle: how far it is turned about its centre, clockwise, in radians.
        boxes: (boxes, 4), the others.
        angles: (boxes,), of the others.
    """
    width, height = box[2:] - box[:2]
    cosine, sine = np.cos(angle), np.sin(angle)
    moved = turned_corners(boxes, angles) - (box[:2] + box[2:]) / 2
    # Corners as seen from the first box, whose upper left corner is at 0.
    x = moved[..., 0] * cosine + moved[..., 1] * sine + width / 2
    y = moved[..., 1] * cosine - moved[..., 0] * sine + height / 2
    steps = np.roll(x, -1, axis=1) - x
    slopes = (np.roll(y, -1, axis=1) - y) / np.where(steps == 0, 1.0, steps)
    begin, end = np.clip(x, 0, width), np.clip(x + steps, 0, width)
    shared = np.abs(
        (
            _mean_between(y + slopes * (begin - x), y + slopes * (end - x), height) * (end - begin)
        ).sum(axis=1)
    )
    sizes = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    overlaps: _Reals = np.clip(shared / (sizes + width * height - shared), 0.0, 1.0)
    return overlaps


def _mean_between(first: _Reals, second: _Reals, most: float) -> _Reals:
    """Return the mean along straight lines from `first` to `second`, each value clipped to 0..most.

    >>> _mean_between(np.array([-1.0, 0, 2]), np.array([1.0, 1, 9]), 2.0).tolist()
    [0.25, 0.5, 2.0]
    """
    change = second - first
    flat = np.abs(change) < 1e-9 * max(most, 1.0)
    integral = _integral(second, most) - _integral(first, most)
    middle = np.clip((first + second) / 2, 0, most)
    return np.where(flat, middle, integral / np.where(flat, 1.0, change))


def _integral(value: _Reals, most: float) -> _Reals:
    """Return the integral from 0 to a value of what is clipped to 0..most."""
    within = np.clip(value, 0, most)
    integral: _Reals = within**2 / 2 + np.maximum(value - most, 0) * most
    return integral

"""The things of pictures as rows of numbers, in pixels of prepared pictures, and how they move."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.run_folder.samples import Sample, sample_size
from edgeinfer.converters.tasks.detection.target import BoxesTarget
from edgeinfer.device.preprocess import PreprocessSpec, place
from edgeinfer.host.data.mosaic import PARTS, Part
from edgeinfer.host.tasks.task import Motions, Rows, move_points

MOST_THINGS = 100
"""Of a picture with more things, as many are learned, the largest: as many as an answer has."""

LEAST_SHOWN = 0.25
"""Of a thing a moved picture must show this share, or it is left out."""

NOTHING = -1.0
"""The class of a row without a thing."""

_LEAST_SIDE = 1.0
"""In pixels of the prepared picture."""


def thing_rows(samples: Sequence[Sample], spec: PreprocessSpec, *, most: int = MOST_THINGS) -> Rows:
    """Return each picture's things, (samples, most things of one, 5) float32.

    A row is left, top, right and bottom in pixels of the prepared picture, and the class. What the
    region or the crop cuts away is cut away from boxes too.

    Args:
        samples: the pictures, with a `BoxesTarget` each.
        spec: how they are prepared.
        most: of a picture with more things the largest are taken.
    """
    longest = max((min(len(sample.target.things), most) for sample in samples), default=0)
    rows = np.zeros((len(samples), max(1, longest), 5), np.float32)
    rows[..., 4] = NOTHING
    for row, sample in zip(rows, samples, strict=True):
        found = _things(sample.target, sample_size(sample.source), spec)[:most]
        row[: len(found)] = found
    return rows


def _things(
    target: BoxesTarget, size: tuple[int, int], spec: PreprocessSpec
) -> NDArray[np.float64]:
    corners = place(spec, size).from_frame(target.boxes(size).reshape(-1, 2, 2)).reshape(-1, 4)
    kept, boxes = _shown(corners, spec.size)
    things = np.column_stack([boxes, target.labels[kept]])
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    by_size: NDArray[np.float64] = things[np.argsort(-areas, kind="stable")]
    return by_size


def small_things(samples: Sequence[Sample], rows: Rows, cell: int) -> list[str]:
    """Return a sentence on the things that are smaller than a cell, if there are some.

    Args:
        samples: the pictures.
        rows: their things.
        cell: its side in pixels of the prepared pictures.
    """
    sides = np.where(rows[..., 4] > NOTHING, (rows[..., 2:4] - rows[..., :2]).min(axis=-1), np.inf)
    there = rows[..., 4] > NOTHING
    small = sides < cell
    if not small.any():
        return []
    place, thing = np.unravel_index(int(sides.argmin()), sides.shape)
    width, height = (rows[place, thing, 2:4] - rows[place, thing, :2]).tolist()
    source = samples[int(place)].source
    return [
        f"{int(small.sum()):,} of {int(there.sum()):,} things are smaller than {cell} pixels, such "
        f"as one of {width:.0f} x {height:.0f} in {source}: they are hardly learned; take a larger "
        "--size, or cut pictures into smaller ones and run with --tiles"
    ]


def many_things(samples: Sequence[Sample], most: int = MOST_THINGS) -> list[str]:
    """Return a sentence on the pictures of which not all things are learned, if there are some.

    Args:
        samples: the pictures.
        most: as many things of one are learned.
    """
    many = [one.source for one in samples if len(one.target.things) > most]
    if not many:
        return []
    return [
        f"{len(many):,} pictures have more than {most:,} things, such as {many[0]}: the "
        "largest ones are learned; cut such pictures into smaller ones and run with --tiles"
    ]


def moved_things(rows: Rows, motions: Motions, size: tuple[int, int]) -> Rows:
    """Return the things of pictures that were moved, without those that are mostly out of sight.

    A box that was turned becomes the upright box around its corners.

    Args:
        rows: (pictures, things, 5), see `thing_rows`.
        motions: how each picture was moved.
        size: (width, height) of the pictures.
    """
    corners = rows[:, :, [0, 1, 2, 1, 2, 3, 0, 3]].astype(np.float64)
    points = move_points(corners.reshape(len(rows), -1, 2), motions)
    points = points.reshape(*rows.shape[:2], 4, 2)
    boxes = np.concatenate([points.min(axis=2), points.max(axis=2)], axis=-1)
    moved = np.zeros_like(rows)
    moved[..., 4] = NOTHING
    for place_, (mine, found) in enumerate(zip(rows, boxes, strict=True)):
        there = np.flatnonzero(mine[:, 4] > NOTHING)
        kept, shown = _shown(found[there], size)
        moved[place_, : len(kept), :4] = shown
        moved[place_, : len(kept), 4] = mine[there[kept], 4]
    return moved


def things_in_mosaic(rows: Rows, parts: Sequence[Part]) -> Rows:
    """Return the things of a picture that is made of others, (4 times the things of one, 5).

    Args:
        rows: (parts, things, 5), see `thing_rows`.
        parts: where each picture is.
    """
    joined = np.zeros((PARTS * rows.shape[1], rows.shape[2]), rows.dtype)
    joined[:, 4] = NOTHING
    for place_, (own, part) in enumerate(zip(rows, parts, strict=True)):
        (moved,) = moved_things(own[None], part.motion[None], part.size)
        there = moved[:, 4] > NOTHING
        moved[there, :4] += (part.left, part.top, part.left, part.top)
        joined[place_ * len(own) :][: len(own)] = moved
    return joined


def _shown(
    boxes: NDArray[np.float64], size: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return which boxes a picture of that size shows enough of, and the parts that it shows."""
    inside = np.clip(boxes, 0, [*size, *size])
    sides, whole = inside[:, 2:] - inside[:, :2], boxes[:, 2:] - boxes[:, :2]
    enough = sides.prod(axis=1) >= LEAST_SHOWN * whole.prod(axis=1)
    kept = np.flatnonzero(enough & (sides >= _LEAST_SIDE).all(axis=1))
    return kept, inside[kept]

"""What a detector finds in the tiles of a picture, put together as if it had seen the whole.

Neighbouring tiles overlap, so that a thing that is smaller than the overlap is whole in one of
them. Boxes end at the edges of their tile. One that reaches an edge inside the picture is *cut*: it
may show a part of a thing only.

1. A cut box is left out if another tile has all of it in view, and cuts fewer of its sides: what
   that tile shows counts, also where the model finds nothing there. Scores do not count, since a
   part of a thing is often surer than the whole, and the end of a sleeve may look like a hand.
2. Of the whole boxes those are left out that share more than half of what both cover with a surer
   one of another tile: non-maximum suppression.
3. Cut boxes that are left are of things that no tile shows whole. One that shows the same thing as
   a whole box is left out; those that show the same thing become one box around them. Two boxes
   show the same thing where they agree about what both tiles see: they share more than half of
   what they cover there. Or else where two fifths of one that is cut lie within the other: of a
   part of a thing, a model finds all sorts of boxes.

Boxes of different classes are never compared. Those of one tile are not either: the model did that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.preprocess import PreprocessSpec, place
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.prediction import Prediction

SAME = 0.5
"""Boxes of two tiles that share more of what both cover are one thing."""

WITHIN = 0.4
"""A cut box of which more is within another shows the same thing."""

NEAR_EDGE = 0.03
"""A box that ends within this part of its tile's side from the edge is cut by it: models do not
find edges to the pixel."""

_Reals: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class TiledDetections(Detections):
    """The objects of all tiles before they are put together, in pixels of each tile's own input.

    Attributes:
        parts: the answer to each tile.
        specs: how each was prepared.
    """

    parts: tuple[Detections, ...]
    specs: tuple[PreprocessSpec, ...]

    def in_frame(self, size: tuple[int, int]) -> Detections:  # type: ignore[override]
        """Return the objects of a frame of (width, height), each once, in pixels of it."""
        placed = [
            replace(part, placing=partial(place, spec)).in_frame(size)
            for part, spec in zip(self.parts, self.specs, strict=True)
        ]
        return merged(placed, _edges(self.specs, size))


def answered_tiles(
    answers: Sequence[Prediction], specs: Sequence[PreprocessSpec]
) -> TiledDetections:
    """Return the answers to the tiles of a frame as one, which `in_frame` puts together.

    Args:
        answers: to each tile, in pixels of its input.
        specs: how each was prepared.

    Raises:
        UsageError: they are not upright boxes.
    """
    parts = tuple(answer for answer in answers if isinstance(answer, Detections))
    if len(parts) < len(answers) or any(
        part.masks is not None or part.angles is not None for part in parts
    ):
        raise UsageError(
            "--tiles",
            got="the model's answers are more than upright boxes",
            expected="a detector of upright boxes without masks",
            next_step="leave the tiles out",
        )
    return TiledDetections(
        labels=parts[0].labels,
        boxes=np.concatenate([part.boxes for part in parts]),
        classes=np.concatenate([part.classes for part in parts]),
        scores=np.concatenate([part.scores for part in parts]),
        size=parts[0].size,
        placing=partial(place, specs[0]),
        parts=parts,
        specs=tuple(specs),
    )


def merged(parts: Sequence[Detections], edges: _Reals) -> Detections:
    """Return the objects of a frame, the surest first, of what was found in its tiles.

    Args:
        parts: what was found in each, in pixels of the frame.
        edges: (tiles, 4): left, top, right and bottom of each tile there.
    """
    tiles = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    arrays = _joined(parts)
    boxes = _within(arrays["boxes"], edges[tiles])
    sides = _cut_sides(boxes, edges)
    cut = sides[tiles, np.arange(len(boxes))].any(axis=1)
    shown = (boxes[:, :2] < boxes[:, 2:]).all(axis=1) & ~_seen_better(boxes, sides, edges, tiles)
    kept = np.flatnonzero(shown)
    order = kept[np.lexsort((-arrays["scores"][kept], cut[kept]))]
    things = _things(
        boxes[order], arrays["classes"][order], cut[order], tiles[order], edges[tiles[order]]
    )
    things.sort(key=lambda members: -arrays["scores"][order[members[0]]])
    surest = order[[members[0] for members in things]]
    around = [
        (*boxes[order[one], :2].min(axis=0), *boxes[order[one], 2:].max(axis=0)) for one in things
    ]
    chosen = {name: values[surest] for name, values in arrays.items()}
    chosen["boxes"] = np.array(around, np.float64).reshape(-1, 4)
    return replace(parts[0], **chosen)


def _things(
    boxes: _Reals,
    classes: NDArray[np.int64],
    cut: NDArray[np.bool_],
    tiles: NDArray[np.int64],
    edges: _Reals,
) -> list[list[int]]:
    """Return the boxes of each thing, the surest first: one, or several that are all cut.

    Args:
        boxes: whole ones first, of both the surest first.
        classes: of each.
        cut: whether a tile's edge cuts each.
        tiles: the tile of each.
        edges: (boxes, 4): left, top, right and bottom of each box's tile.
    """
    areas = _areas(boxes)
    # The thing that each box belongs to, by its first box; -1 of those that are left out.
    thing = np.arange(len(boxes))
    for i in range(len(boxes)):
        others = np.flatnonzero(
            (thing[:i] >= 0) & (classes[:i] == classes[i]) & (tiles[:i] != tiles[i])
        )
        shared = _areas(_within(boxes[others], boxes[i]))
        if cut[i]:
            # What each tile shows of the other's box.
            mine = _areas(_within(np.broadcast_to(boxes[i], (len(others), 4)), edges[others]))
            theirs = _areas(_within(boxes[others], edges[i]))
            same = shared > SAME * (mine + theirs - shared)
            same |= shared > WITHIN * areas[i]
            same |= cut[others] & (shared > WITHIN * areas[others])
        else:
            same = shared > SAME * (areas[others] + areas[i] - shared)
        found = others[same]
        if not cut[found].all():
            thing[i] = -1
        elif len(found):
            joined = np.unique(thing[found])
            thing[: i + 1][np.isin(thing[: i + 1], [*joined, i])] = joined[0]
    return [np.flatnonzero(thing == first).tolist() for first in np.unique(thing[thing >= 0])]


def _edges(specs: Sequence[PreprocessSpec], size: tuple[int, int]) -> _Reals:
    """Return (tiles, 4): left, top, right and bottom of each tile in a frame of (width, height)."""
    placed = [place(spec, size) for spec in specs]
    return np.array(
        [(one.x, one.y, one.x + one.width, one.y + one.height) for one in placed], np.float64
    )


def _joined(parts: Sequence[Detections]) -> dict[str, Any]:
    """Return what there is for each object, of all tiles: boxes, scores, the points of faces."""
    names = [
        field.name
        for field in fields(parts[0])
        if isinstance(getattr(parts[0], field.name), np.ndarray)
    ]
    return {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}


def _cut_sides(boxes: _Reals, edges: _Reals) -> NDArray[np.bool_]:
    """Return (tiles, boxes, 4), which sides of each box are at an edge of each tile.

    An edge of the whole picture cuts nothing.
    """
    inner = edges != np.concatenate([edges[:, :2].min(axis=0), edges[:, 2:].max(axis=0)])
    near = NEAR_EDGE * np.tile(edges[:, 2:] - edges[:, :2], 2)
    reaches = np.abs(boxes - edges[:, None]) <= near[:, None]
    sides: NDArray[np.bool_] = reaches & inner[:, None]
    return sides


def _seen_better(
    boxes: _Reals, sides: NDArray[np.bool_], edges: _Reals, tiles: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return which boxes another tile has in view, and cuts at fewer sides, none of them new."""
    inside = (boxes[:, :2] >= edges[:, None, :2]) & (boxes[:, 2:] <= edges[:, None, 2:])
    own = sides[tiles, np.arange(len(boxes))]
    fewer = ~(sides & ~own).any(axis=2) & (sides != own).any(axis=2)
    better: NDArray[np.bool_] = (inside.all(axis=2) & fewer).any(axis=0)
    return better


def _within(boxes: _Reals, limits: _Reals) -> _Reals:
    """Return the parts of boxes that are within others; one without has no width, or a negative."""
    return np.concatenate(
        [
            np.maximum(boxes[:, :2], limits[..., :2]),
            np.minimum(boxes[:, 2:], limits[..., 2:]),
        ],
        axis=1,
    )


def _areas(boxes: _Reals) -> _Reals:
    areas: _Reals = np.maximum(boxes[:, 2:] - boxes[:, :2], 0).prod(axis=1)
    return areas

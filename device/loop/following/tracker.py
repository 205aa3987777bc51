"""Which object of this frame is which of the last ones: every object keeps a number.

A track is where its motion says; objects of its class that overlap it most, or are next to it, go
on with it. The idea of following boxes by their overlap is that of A. Bewley et al., "Simple Online
and Realtime Tracking", 2016; the likeness that also counts how far centres are apart is that of Z.
Zheng et al., "Distance-IoU Loss", 2020.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.loop.following.assignment import best_pairs
from edgeinfer.device.loop.following.motion import Floats, Motion
from edgeinfer.device.tasks.detection.prediction import NO_NUMBER

Integers = NDArray[np.int64]

KEPT_S = 2.0
"""How long a track waits for an object that is not seen."""
CERTAIN_AFTER = 3
"""A track gets its number once it was seen so often: single mistakes of a detector get none."""
_NEAR = 0.1
"""Boxes that are where a thing may be are less like it than those that overlap it."""
LEAST_LIKENESS = -0.15
"""Squares of one size are as like each other as that where their centres are 0.95 sides apart."""


@dataclass(frozen=True)
class Track:
    """What is remembered of an object.

    Attributes:
        number: its number from 1; `NO_NUMBER` before it is certain.
        label: the number of its class.
        seen: how often it was seen.
        seen_s: when it was seen last, in seconds.
    """

    number: int
    label: int
    seen: int
    seen_s: float


class Tracker:
    """Gives the objects of frames their numbers; frames come in their order.

    Args:
        kept_s: how long a track waits for an object that is not seen.
    """

    def __init__(self, kept_s: float = KEPT_S) -> None:
        self._kept_s = kept_s
        self._motion = Motion.none()
        self._now_s: float | None = None
        self._given = 0
        self.tracks: list[Track] = []

    @property
    def boxes(self) -> Floats:
        """(tracks, 4) where each track's object is now, also one that is not seen: left, top,
        right and bottom in pixels."""
        return self._motion.boxes

    def begin_again(self) -> None:
        """Forget all objects; numbers that were given are not given again."""
        self._motion, self.tracks = Motion.none(), []

    def update(self, boxes: Floats, classes: Integers, now_s: float) -> Integers:
        """Return the number of each object of a frame, `NO_NUMBER` where it is not certain yet.

        Args:
            boxes: (objects, 4) left, top, right and bottom in pixels.
            classes: (objects,) the numbers of their classes.
            now_s: when the frame was taken; a time before the last one counts as the last one.
        """
        self._go_on(now_s)
        pairs = best_pairs(self._likeness(boxes, classes), LEAST_LIKENESS)
        tracks = np.array([track for track, _ in pairs], np.int64)
        objects = np.array([place for _, place in pairs], np.int64)
        self._motion = self._motion.seen(tracks, boxes[objects])
        for track in tracks.tolist():
            self.tracks[track] = self._seen(self.tracks[track])
        new = np.setdiff1d(np.arange(len(boxes)), objects)
        numbers = np.full(len(boxes), NO_NUMBER, np.int64)
        numbers[objects] = [self.tracks[track].number for track in tracks.tolist()]
        self._forget(np.setdiff1d(np.arange(len(self.tracks)), tracks))
        self._begin(boxes[new], classes[new])
        return numbers

    def _go_on(self, now_s: float) -> None:
        """Move all tracks to now, without those that waited too long."""
        before, self._now_s = self._now_s, now_s
        if before is not None:
            self._now_s = now_s = max(before, now_s)
            waiting = enumerate(self.tracks)
            self._keep([place for place, one in waiting if now_s - one.seen_s <= self._kept_s])
            self._motion = self._motion.ahead(now_s - before)

    def _likeness(self, boxes: Floats, classes: Integers) -> Floats:
        """Return the likeness of each track and object, (tracks, objects); -1 of other classes."""
        labels = np.array([track.label for track in self.tracks], np.int64)
        likeness = distance_overlap(self._motion.boxes, boxes)
        # A thing whose speed is not known yet need not overlap where it was.
        new = np.array([track.seen < CERTAIN_AFTER for track in self.tracks], bool)
        reachable = self._motion.within_reach(boxes) * new[:, None]
        likeness = np.maximum(likeness, LEAST_LIKENESS + _NEAR * reachable)
        likeness[labels[:, None] != classes[None, :]] = -1.0
        return likeness

    def _seen(self, track: Track) -> Track:
        seen, number = track.seen + 1, track.number
        if number == NO_NUMBER and seen >= CERTAIN_AFTER:
            self._given += 1
            number = self._given
        assert self._now_s is not None
        return replace(track, number=number, seen=seen, seen_s=self._now_s)

    def _forget(self, missed: Integers) -> None:
        """Drop tracks that were missed before they are certain."""
        uncertain = {p for p in missed.tolist() if self.tracks[p].number == NO_NUMBER}
        self._keep([place for place in range(len(self.tracks)) if place not in uncertain])

    def _keep(self, kept: list[int]) -> None:
        self._motion = self._motion.only(np.array(kept, np.int64))
        self.tracks = [self.tracks[place] for place in kept]

    def _begin(self, boxes: Floats, classes: Integers) -> None:
        assert self._now_s is not None
        self._motion = self._motion.with_more(Motion.begin(boxes))
        self.tracks += [Track(NO_NUMBER, label, 1, self._now_s) for label in classes.tolist()]


def distance_overlap(first: Floats, second: Floats) -> Floats:
    """Return the overlap of each two boxes less how far apart they are, (first, second), -1 to 1.

    It is intersection over union, less the squared distance of the centres as a share of the
    squared diagonal of the smallest box around both.

    Args:
        first: (first, 4) left, top, right, bottom.
        second: (second, 4).
    """
    one, other = first[:, None], second[None]
    inner = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
    outer = np.maximum(one[..., 2:], other[..., 2:]) - np.minimum(one[..., :2], other[..., :2])
    common = np.clip(inner, 0, None).prod(axis=-1)
    areas = [(boxes[..., 2:] - boxes[..., :2]).prod(axis=-1) for boxes in (one, other)]
    centres = (one[..., :2] + one[..., 2:] - other[..., :2] - other[..., 2:]) / 2
    overlap = common / np.maximum(areas[0] + areas[1] - common, 1e-9)
    away: Floats = (centres**2).sum(axis=-1) / np.maximum((outer**2).sum(axis=-1), 1e-9)
    return np.asarray(overlap - away)

"""PoseNet's heatmaps, offsets and displacements to people.

A heatmap has a cell every `stride` pixels. A keypoint starts at a cell whose score is the largest
around it and moves by the offset stored there. From it the other keypoints of the same person are
reached limb by limb, the surest first: by the displacement stored for that limb, then by the
offsets found on arrival, a few times over. A keypoint that a person found before has there already
starts no other one.

Source: Papandreou et al., "PersonLab: Person Pose Estimation and Instance Segmentation with a
Bottom-Up, Part-Based, Geometric Embedding Model", 2018, sections 3.1 and 3.2; the channels' order
is that of the PoseNet models that Google published with TensorFlow.js and Coral.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.tasks.pose.prediction import Poses
from edgeinfer.device.tasks.prediction import Placing
from edgeinfer.device.tasks.spec import PoseSpec

KEYPOINTS = (
    "nose",
    "left eye",
    "right eye",
    "left ear",
    "right ear",
    "left shoulder",
    "right shoulder",
    "left elbow",
    "right elbow",
    "left wrist",
    "right wrist",
    "left hip",
    "right hip",
    "left knee",
    "right knee",
    "left ankle",
    "right ankle",
)
"""COCO's keypoints, in the order of PoseNet's channels; left is the person's own."""

LIMBS = (
    (0, 1),
    (1, 3),
    (0, 2),
    (2, 4),
    (0, 5),
    (5, 7),
    (7, 9),
    (5, 11),
    (11, 13),
    (13, 15),
    (0, 6),
    (6, 8),
    (8, 10),
    (6, 12),
    (12, 14),
    (14, 16),
)
"""Keypoints between which PoseNet stores displacements, in the order of its channels; a tree."""

SKELETON = (
    *((start, end) for start, end in LIMBS if (start, end) not in ((0, 5), (0, 6))),
    (5, 6),
    (11, 12),
)
"""Lines that make a person of COCO's keypoints for people's eyes."""

_REFINEMENTS = 5
"""How often a keypoint reached along a limb follows the offsets; more moves it no further."""

_Map = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class _Maps:
    """The outputs in real numbers, distances in cells.

    Attributes:
        scores: (rows, columns, keypoints), 0 to 1.
        offsets: (rows, columns, keypoints, 2): y, x.
        ways: (rows, columns, 2 limbs, 2): y, x along each limb, forward then backward.
    """

    scores: _Map
    offsets: _Map
    ways: _Map | None


def decode_poses(
    outputs: Sequence[NDArray[np.generic]],
    tensors: Sequence[TensorSpec],
    spec: PoseSpec,
    labels: tuple[str, ...],
    *,
    size: tuple[int, int],
    placing: Placing | None,
) -> Poses:
    """Turn PoseNet's outputs into people in its own image.

    Args:
        outputs: as the model gave them.
        tensors: their specs.
        spec: which of them is what.
        labels: the keypoints' names; without any COCO's.
        size: (width, height) of the model's image.
        placing: how frames are placed in it.

    Returns:
        The people, the surest first. Without displacements the one person whose keypoints are the
        largest of each heatmap.
    """
    maps = _maps(outputs, tensors, spec)
    people = [_single(maps)] if maps.ways is None else _people(maps, spec)
    # A person's keypoints count where no person before has the same ones.
    totals = [
        float(scores[_fresh(points, people[:index], spec)].sum()) / len(scores)
        for index, (points, scores) in enumerate(people)
    ]
    order = sorted(range(len(people)), key=lambda index: -totals[index])
    order = [index for index in order if totals[index] >= spec.min_person_score]
    count = maps.scores.shape[2]
    names = labels or (
        KEYPOINTS if count == len(KEYPOINTS) else tuple(f"keypoint {i}" for i in range(count))
    )
    cells = np.array([people[index][0] for index in order]).reshape(-1, count, 2)
    return Poses(
        names=names,
        limbs=SKELETON if count == len(KEYPOINTS) else (),
        # Cell 0 is the model's first pixel, whose centre is at 0.5.
        keypoints=cells[..., ::-1] * spec.stride + 0.5,
        keypoint_scores=np.array([people[index][1] for index in order]).reshape(-1, count),
        scores=np.array([totals[index] for index in order]),
        size=size,
        placing=placing,
    )


def _maps(
    outputs: Sequence[NDArray[np.generic]], tensors: Sequence[TensorSpec], spec: PoseSpec
) -> _Maps:
    def real(number: int) -> _Map:
        values = tensors[number].dequantize(outputs[number])[0]
        bounded: _Map = np.nan_to_num(values).clip(-1e6, 1e6)
        return bounded

    logits, offsets = real(spec.heatmaps), real(spec.offsets)
    ways = None
    if spec.displacements:
        # Forward y, forward x, backward y, backward x, in one output or two.
        joined = np.concatenate([real(number) for number in spec.displacements], axis=2)
        blocks = joined.reshape(*joined.shape[:2], 2, 2, len(LIMBS))
        ways = blocks.swapaxes(3, 4).reshape(*joined.shape[:2], 2 * len(LIMBS), 2) / spec.stride
    return _Maps(
        scores=1 / (1 + np.exp(-logits.clip(-60, 60))),
        offsets=offsets.reshape(*offsets.shape[:2], 2, -1).swapaxes(2, 3) / spec.stride,
        ways=ways,
    )


_Person = tuple[_Map, _Map]
"""Keypoints, (keypoints, 2) y and x in cells, and their scores, (keypoints,)."""


def _single(maps: _Maps) -> _Person:
    rows, columns, count = maps.scores.shape
    best = maps.scores.reshape(-1, count).argmax(axis=0)
    y, x = np.unravel_index(best, (rows, columns))
    number = np.arange(count)
    points = np.stack([y, x], axis=1) + maps.offsets[y, x, number]
    return _inside(points, maps), maps.scores[y, x, number]


def _people(maps: _Maps, spec: PoseSpec) -> list[_Person]:
    """Follow the limbs from each place where a keypoint is surest, the surest of all first."""
    people: list[_Person] = []
    peaks = _peaks(maps.scores, spec.min_score)
    for y, x, number in peaks[np.argsort(-maps.scores[tuple(peaks.T)], kind="stable")]:
        root = _inside(np.array([y, x]) + maps.offsets[y, x, number], maps)
        taken = any(_near(root, points[number], spec) for points, _ in people)
        if not taken:
            people.append(_follow(int(number), root, maps))
        if len(people) == spec.max_people:
            break
    return people


def _peaks(scores: _Map, least: float) -> NDArray[np.int64]:
    """Return row, column and keypoint of each score that no neighbouring cell exceeds."""
    rows, columns, _ = scores.shape
    padded = np.pad(scores, ((1, 1), (1, 1), (0, 0)))
    around = np.max(
        [padded[y : y + rows, x : x + columns] for y in range(3) for x in range(3)], axis=0
    )
    return np.argwhere((scores >= around) & (scores >= least))


def _follow(root: int, place: _Map, maps: _Maps) -> _Person:
    """Return the person that a keypoint belongs to."""
    assert maps.ways is not None
    count = maps.scores.shape[2]
    points, scores = np.zeros((count, 2)), np.zeros(count)
    known: set[int] = set()
    pushed = itertools.count()  # so that of equals the first is taken
    waiting = [(-float(_sample(maps.scores[:, :, root], place)), next(pushed), root, place)]
    while waiting:
        score, _, number, place = heapq.heappop(waiting)
        if number in known:
            continue
        known.add(number)
        points[number], scores[number] = place, -score
        for limb, other in _NEIGHBOURS[number]:
            if other not in known:
                there = _inside(place + _sample(maps.ways[:, :, limb], place), maps)
                for _ in range(_REFINEMENTS):
                    there = _inside(there + _sample(maps.offsets[:, :, other], there), maps)
                there_score = float(_sample(maps.scores[:, :, other], there))
                heapq.heappush(waiting, (-there_score, next(pushed), other, there))
    return points, scores


def _neighbours() -> dict[int, list[tuple[int, int]]]:
    """Return for each keypoint the (number of the way, keypoint there) of its limbs."""
    found: dict[int, list[tuple[int, int]]] = {number: [] for number in range(len(KEYPOINTS))}
    for limb, (start, end) in enumerate(LIMBS):
        found[start].append((limb, end))
        found[end].append((len(LIMBS) + limb, start))
    return found


_NEIGHBOURS = _neighbours()


def _sample(values: _Map, place: _Map) -> _Map:
    """Return what a map, (rows, columns, ...), has between four cells."""
    y, x = place
    top, left = int(y), int(x)
    bottom = min(top + 1, values.shape[0] - 1)
    right = min(left + 1, values.shape[1] - 1)
    down, aside = y - top, x - left
    upper = values[top, left] * (1 - aside) + values[top, right] * aside
    lower = values[bottom, left] * (1 - aside) + values[bottom, right] * aside
    sampled: _Map = upper * (1 - down) + lower * down
    return sampled


def _inside(places: _Map, maps: _Maps) -> _Map:
    """Keep places, (..., 2) y and x, within the cells."""
    rows, columns, _ = maps.scores.shape
    kept: _Map = np.clip(places, 0, (rows - 1, columns - 1))
    return kept


def _near(place: _Map, other: _Map, spec: PoseSpec) -> bool:
    return bool(((place - other) ** 2).sum() * spec.stride**2 <= spec.radius**2)


def _fresh(points: _Map, before: Sequence[_Person], spec: PoseSpec) -> NDArray[np.bool_]:
    """Return which keypoints no person found before has at the same place."""
    fresh = np.ones(len(points), bool)
    for others, _ in before:
        fresh &= ((points - others) ** 2).sum(axis=1) * spec.stride**2 > spec.radius**2
    return fresh

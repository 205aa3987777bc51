"""Candidates with keypoints, as YOLO gives them, to people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.tasks.detection.candidates.decode import find_objects
from edgeinfer.device.tasks.pose.decode import KEYPOINTS, SKELETON
from edgeinfer.device.tasks.pose.prediction import Poses
from edgeinfer.device.tasks.prediction import Placing
from edgeinfer.device.tasks.spec import CandidateSpec


def candidate_poses(
    outputs: Sequence[NDArray[np.generic]],
    tensors: Sequence[TensorSpec],
    spec: CandidateSpec,
    labels: tuple[str, ...],
    *,
    size: tuple[int, int],
    placing: Placing | None,
) -> Poses:
    """Turn candidates with keypoints into people in the model's own image.

    Args:
        outputs: as the model gave them.
        tensors: their specs.
        spec: which of their numbers is what.
        labels: the keypoints' names; without any COCO's, where they are as many.
        size: (width, height) of the model's image.
        placing: how frames are placed in it.

    Returns:
        The people, the surest first. Keypoints that have none get the score of the person.
    """
    assert spec.keypoints is not None
    count, numbers = spec.keypoints
    found = find_objects(outputs, tensors, spec, size=size)
    points = found.extras.reshape(-1, count, numbers)
    scores = np.repeat(found.scores[:, None], count, axis=1)
    people = count == len(KEYPOINTS)
    return Poses(
        names=labels or (KEYPOINTS if people else tuple(f"keypoint {i}" for i in range(count))),
        limbs=SKELETON if people else (),
        keypoints=points[..., :2] * found.pixels,
        keypoint_scores=np.clip(points[..., 2], 0, 1) if numbers == 3 else scores,
        scores=found.scores,
        size=size,
        placing=placing,
    )

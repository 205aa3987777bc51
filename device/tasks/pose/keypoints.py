"""People whose keypoints a model gives as they are, as MoveNet does."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.tasks.pose.decode import KEYPOINTS, SKELETON
from edgeinfer.device.tasks.pose.prediction import Poses
from edgeinfer.device.tasks.prediction import Placing
from edgeinfer.device.tasks.spec import KeypointsSpec


def check_keypoints(
    spec: KeypointsSpec, labels: tuple[str, ...], outputs: Sequence[TensorSpec]
) -> None:
    """Refuse an output that has no row of keypoints for each person, and other names.

    Raises:
        ValueError: with what was found and what was expected.
    """
    if spec.output >= len(outputs):
        raise ValueError(f"{len(outputs)} outputs, expected output {spec.output} among them")
    shape, points = outputs[spec.output].shape, spec.keypoints
    least = 3 * points if spec.score is None else spec.score + 1
    if len(shape) not in (3, 4) or shape[0] != 1 or math.prod(shape[2:]) < least:
        raise ValueError(
            f"output shape is {shape}, expected (1, people, numbers) with {least} numbers or more"
        )
    if len(labels) not in (0, points):
        raise ValueError(f"{len(labels)} labels, expected {points}: one a keypoint")


def decode_keypoints(
    outputs: Sequence[NDArray[np.generic]],
    tensors: Sequence[TensorSpec],
    spec: KeypointsSpec,
    labels: tuple[str, ...],
    *,
    size: tuple[int, int],
    placing: Placing | None,
) -> Poses:
    """Turn rows of keypoints into people in the model's own image.

    Args:
        outputs: as the model gave them.
        tensors: their specs.
        spec: what the numbers are.
        labels: the keypoints' names; without any COCO's.
        size: (width, height) of the model's image.
        placing: how frames are placed in it.

    Returns:
        The people, the surest first. Those with a number that is NaN or infinite are left out.
    """
    count = spec.keypoints
    values = tensors[spec.output].dequantize(outputs[spec.output])
    rows = values.reshape(values.shape[1], -1)
    triples = rows[:, : 3 * count].reshape(-1, count, 3)[..., list(spec.order)]
    scores = triples[..., 2].mean(axis=1) if spec.score is None else rows[:, spec.score]
    finite = np.isfinite(triples).all(axis=(1, 2)) & np.isfinite(scores)
    found = np.flatnonzero(finite & (np.nan_to_num(scores) >= spec.min_score))
    found = found[np.argsort(-scores[found], kind="stable")]
    usual = count == len(KEYPOINTS)
    return Poses(
        names=labels or (KEYPOINTS if usual else tuple(f"keypoint {i}" for i in range(count))),
        limbs=SKELETON if usual else (),
        keypoints=triples[found, :, :2] * size,
        keypoint_scores=np.clip(triples[found, :, 2], 0.0, 1.0),
        scores=np.clip(scores[found], 0.0, 1.0),
        size=size,
        placing=placing,
    )

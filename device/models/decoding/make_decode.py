"""From what a model gave to what it says: the decoder for a task, and which outputs it takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.models.decoding.spec import Decoder, DetectionSpec, PoseSpec, Task, ValueSpec
from edgeinfer.device.models.decoding.vectors import (
    decode_classification,
    decode_embedding,
    decode_value,
)
from edgeinfer.device.models.predictions.kinds import Prediction
from edgeinfer.device.preprocess import PreprocessSpec, place

Decode: TypeAlias = Callable[[Sequence[NDArray[np.generic]]], Prediction]
"""Outputs, as a runtime gives them, to a prediction in the model's own image."""


def make_decode(
    *,
    task: Task = "classification",
    decoder: Decoder,
    outputs: Sequence[TensorSpec],
    preprocess: PreprocessSpec,
    labels: tuple[str, ...] = (),
    value: ValueSpec | None = None,
) -> Decode:
    """Return what turns a model's outputs into predictions.

    Args:
        task: what a prediction is.
        decoder: how the outputs are to be read.
        outputs: their specs, in the order in which the runtime gives them.
        preprocess: how frames became the input: the way back into the frame.
        labels: the class names; of task `pose` the keypoints', where they are others than COCO's.
        value: for task `value`.

    Raises:
        ValueError: the outputs are not those that the task and the decoder ask for.
    """
    check_outputs(task=task, decoder=decoder, outputs=outputs, labels=labels, value=value)
    first, size, placing = outputs[0], preprocess.size, partial(place, preprocess)
    if task == "value" and value is not None:
        return lambda tensors: decode_value(tensors[0], first, value)
    if task == "embedding":
        return lambda tensors: decode_embedding(tensors[0], first)
    if task == "segmentation":
        from edgeinfer.device.models.decoding.segmentation import decode_mask

        return lambda tensors: decode_mask(
            tensors[0], first, decoder, labels, size=size, placing=placing
        )
    if decoder.detection is not None:
        from edgeinfer.device.models.decoding.detection import decode_detections

        objects = decoder.detection
        return lambda tensors: decode_detections(
            tensors, outputs, objects, labels, size=size, placing=placing
        )
    if decoder.pose is not None:
        from edgeinfer.device.models.decoding.pose import decode_poses

        pose = decoder.pose
        return lambda tensors: decode_poses(
            tensors, outputs, pose, labels, size=size, placing=placing
        )
    return lambda tensors: decode_classification(tensors[0], first, decoder, labels)


def check_outputs(
    *,
    task: Task,
    decoder: Decoder,
    outputs: Sequence[TensorSpec],
    labels: tuple[str, ...],
    value: ValueSpec | None,
) -> None:
    """Refuse outputs and labels that do not fit the task.

    Raises:
        ValueError: with what was found and what was expected.
    """
    if (task == "detection") != (decoder.detection is not None):
        raise ValueError(f"task '{task}' and a decoder for detection do not fit")
    if (task == "pose") != (decoder.pose is not None):
        raise ValueError(f"task '{task}' and a decoder for poses do not fit")
    if (task == "value") != (value is not None):
        raise ValueError(f"task '{task}' and a value's unit do not fit")
    if decoder.detection is not None:
        _check_detection(decoder.detection, outputs)
    elif decoder.pose is not None:
        _check_pose(decoder.pose, outputs, labels)
    elif task == "segmentation":
        _check_mask(outputs[0], labels)
    else:
        count = {"value": 1, "embedding": None}.get(task, len(labels))
        shape = outputs[0].shape
        wanted = "(1, numbers)" if count is None else f"(1, {count})"
        numbers = math.prod(shape)
        if not shape or numbers != shape[-1] or (count is not None and numbers != count):
            raise ValueError(f"output shape is {shape}, expected {wanted}")


def _check_detection(spec: DetectionSpec, outputs: Sequence[TensorSpec]) -> None:
    numbers = [spec.boxes, spec.classes, spec.scores]
    numbers += [] if spec.count is None else [spec.count]
    if max(numbers) >= len(outputs):
        raise ValueError(f"{len(outputs)} outputs, expected output {max(numbers)} among them")
    shapes = [outputs[number].shape for number in numbers]
    objects = math.prod(shapes[2])
    expected = [(1, objects, 4), (1, objects), (1, objects)]
    if shapes[:3] != expected or any(math.prod(shape) != 1 for shape in shapes[3:]):
        raise ValueError(
            f"outputs of boxes, classes, scores and count are {shapes}, "
            "expected (1, N, 4), (1, N), (1, N) and one number"
        )


def _check_pose(spec: PoseSpec, outputs: Sequence[TensorSpec], labels: tuple[str, ...]) -> None:
    numbers = [spec.heatmaps, spec.offsets, *spec.displacements]
    if max(numbers) >= len(outputs):
        raise ValueError(f"{len(outputs)} outputs, expected output {max(numbers)} among them")
    shapes = [outputs[number].shape for number in numbers]
    grid, points = shapes[0][:-1], shapes[0][-1] if shapes[0] else 0
    if any(len(shape) != 4 or shape[:-1] != grid or shape[0] != 1 for shape in shapes):
        raise ValueError(f"output shapes are {shapes}, expected (1, rows, columns, channels)")
    from edgeinfer.device.models.decoding.pose import KEYPOINTS, LIMBS

    ways = sum(shape[-1] for shape in shapes[2:])
    if shapes[1][-1] != 2 * points or (ways and (ways, points) != (4 * len(LIMBS), len(KEYPOINTS))):
        raise ValueError(
            f"outputs have {[shape[-1] for shape in shapes]} channels, expected K keypoints, 2 K "
            f"offsets, and with displacements {len(KEYPOINTS)} keypoints and {4 * len(LIMBS)} ways"
        )
    if len(labels) not in (0, points):
        raise ValueError(f"{len(labels)} labels, expected {points}: one a keypoint")


def _check_mask(output: TensorSpec, labels: tuple[str, ...]) -> None:
    from edgeinfer.device.models.decoding.segmentation import MAX_CLASSES, holds_indices

    shape = output.shape
    if len(shape) not in (3, 4) or shape[0] != 1:
        raise ValueError(f"output shape is {shape}, expected (1, rows, columns[, classes])")
    if len(shape) == 3 and not holds_indices(output):
        raise ValueError("output has no classes axis, expected class indices or scores a class")
    # Of class indices only the labels say how many classes there are.
    classes = max(shape[3], 2) if len(shape) == 4 else None
    if len(shape) == 4 and shape[3] == 1 and holds_indices(output):
        classes = None
    if max(classes or 0, len(labels)) > MAX_CLASSES:
        raise ValueError(
            f"{max(classes or 0, len(labels))} classes, expected {MAX_CLASSES} at most"
        )
    if classes is not None and len(labels) != classes:
        raise ValueError(f"{len(labels)} labels, expected {classes}: one a class")

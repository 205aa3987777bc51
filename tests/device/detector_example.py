"""A detector that the runtimes run, of four pixels: each is an anchor and its colour the scores.

The anchors are the quarters of the picture. A pixel's red is the score of the background, green
that of class 0, blue that of class 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from flatbuffers import flexbuffers

from tests.device.metadata_examples import with_metadata
from tests.device.tflite_examples import (
    Number,
    Numbers,
    TableNode,
    encode,
    operator,
    operator_code,
    tensor,
)

LABELS = ("cat", "dog")
NAMES = ("boxes", "classes", "scores", "count")
_ANCHORS = [[y, x, 0.5, 0.5] for y in (0.25, 0.75) for x in (0.25, 0.75)]
_OPTIONS = {
    "max_detections": 4,
    "max_classes_per_detection": 1,
    "nms_score_threshold": 0.1,
    "nms_iou_threshold": 0.5,
    "num_classes": 2,
    "y_scale": 10.0,
    "x_scale": 10.0,
    "h_scale": 5.0,
    "w_scale": 5.0,
    "use_regular_nms": False,
}


def detector(
    order: Sequence[str] = NAMES,
    *,
    names: Sequence[str] = NAMES,
    metadata: TableNode | None = None,
    files: Mapping[str, bytes] | None = None,
    options: Mapping[str, object] | None = None,
) -> bytes:
    """Return the file; its outputs come in the `order` given, under `names`.

    `options` are those of the post-processing that differ.
    """
    outputs = [6 + NAMES.index(name) for name in order]
    shapes = {"boxes": [1, 4, 4], "classes": [1, 4], "scores": [1, 4], "count": [1]}
    buffers = [
        np.array([1, 4, 3], np.int32).tobytes(),
        np.zeros((1, 4, 4), np.float32).tobytes(),
        np.array(_ANCHORS, np.float32).tobytes(),
    ]
    stored: list[TableNode] = [{0: buffer} for buffer in buffers]
    tensors = [
        tensor("image", [1, 2, 2, 3], "float32"),
        tensor("shape", [3], "int32", 1),
        tensor("scores of anchors", [1, 4, 3], "float32"),
        tensor("encodings", [1, 4, 4], "float32", 2),
        tensor("anchors", [4, 4], "float32", 3),
        tensor("unused", [1], "float32"),
        *(tensor(given, shapes[name], "float32") for name, given in zip(NAMES, names, strict=True)),
    ]
    post_process = operator([3, 2, 4], [6, 7, 8, 9], code=1)
    post_process[5] = bytes(flexbuffers.Dumps({**_OPTIONS, **(options or {})}))
    model: TableNode = {
        0: Number("I", 3),
        1: [
            operator_code("RESHAPE"),
            operator_code("CUSTOM", custom="TFLite_Detection_PostProcess"),
        ],
        2: [
            {
                0: tensors,
                1: Numbers("i", [0]),
                2: Numbers("i", outputs),
                3: [operator([0, 1], [2]), post_process],
            }
        ],
        4: [{}, *stored],
    }
    return encode(model) if metadata is None else with_metadata(model, metadata, files)

"""ONNX by onnx2tf: one picture, NCHW or NHWC, to a `.tflite` with NHWC and the same names."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

Refuse = Callable[..., NoReturn]

_FLOAT = 1
"""TensorProto.FLOAT of onnx.proto."""
_CHANNELS = (1, 3, 4)


def read(job: dict[str, Any], refuse: Refuse) -> tuple[Any, list[Any]]:
    """Write the model; return a picture (1, height, width, channels) and the model's answers to it.

    Args:
        job: `model`, the path; `size`, (height, width) or None; `channels`, where the model does
            not say; `work`, a folder; `output`, the path of the `.tflite`.
        refuse: gives up on the model.
    """
    import numpy as np
    import onnx
    import onnx2tf
    import onnxruntime

    try:
        model = onnx.load(job["model"])
    except Exception as error:
        refuse(f"cannot be read as ONNX ({' '.join(str(error).split())[:300]})")
    name, shape = _fix_input(model.graph, job, refuse)
    copy = os.path.join(job["work"], "model.onnx")
    onnx.save(model, copy)
    del model
    image = np.random.default_rng(0).random(shape, np.float32)
    session = onnxruntime.InferenceSession(copy, providers=["CPUExecutionProvider"])
    expected = session.run(None, {name: image})
    channel_last = _is_channel_last(shape)
    folder = os.path.join(job["work"], "onnx2tf")
    # onnx2tf starts onnxsim by its name.
    os.environ["PATH"] = os.pathsep.join((job["programs"], os.environ.get("PATH", "")))
    onnx2tf.convert(
        input_onnx_file_path=copy,
        output_folder_path=folder,
        keep_nwc_or_nhwc_or_ndhwc_input_names=[name] if channel_last else None,
        verbosity="error",
    )
    os.replace(Path(folder) / "model_float32.tflite", job["output"])
    if not channel_last:
        image = np.ascontiguousarray(image.transpose(0, 2, 3, 1))
    return image, list(expected)


def _is_channel_last(shape: tuple[int, ...]) -> bool:
    return shape[3] in _CHANNELS and shape[1] not in _CHANNELS


def _fix_input(graph: Any, job: dict[str, Any], refuse: Refuse) -> tuple[str, tuple[int, ...]]:
    """Give the input a batch of one and a fixed size; return its name and shape."""
    weights = {each.name for each in graph.initializer}
    inputs = [each for each in graph.input if each.name not in weights]
    if len(inputs) != 1:
        names = ", ".join(each.name for each in inputs[:5])
        refuse(f"has {len(inputs)} inputs ({names})", "one, the picture")
    (given,) = inputs
    kind = given.type.tensor_type
    sizes = [each.dim_value for each in kind.shape.dim]  # 0 where it varies
    shown = tuple(each.dim_value or each.dim_param or "?" for each in kind.shape.dim)
    if kind.elem_type != _FLOAT or len(sizes) != 4:
        refuse(
            f"its input '{given.name}' is {shown} of type {kind.elem_type}",
            "float32 (type 1), (batch, channels, height, width)",
        )
    if sizes[0] > 1:
        refuse(
            f"its batch is {sizes[0]}", "1", "export it with a batch of 1 or a batch that varies"
        )
    last = sizes[3] in _CHANNELS and sizes[1] not in _CHANNELS
    height, width, depth = (1, 2, 3) if last else (2, 3, 1)
    sizes[0] = 1
    sizes[depth] = sizes[depth] or job["channels"]
    for axis, wanted in zip((height, width), job["size"] or (0, 0), strict=True):
        if wanted and sizes[axis] and wanted != sizes[axis]:
            refuse(
                f"its input '{given.name}' is {shown}, a fixed size",
                f"{job['size'][1]}x{job['size'][0]}, as --input-size says",
                "leave --input-size out",
            )
        sizes[axis] = sizes[axis] or wanted
    if 0 in sizes:
        refuse(
            f"its input '{given.name}' is {shown}, with sizes that vary",
            "a size",
            "choose it with --input-size WxH",
        )
    for dimension, size in zip(kind.shape.dim, sizes, strict=True):
        dimension.dim_value = size
    return given.name, tuple(sizes)

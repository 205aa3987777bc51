"""What `inspect` shows of what a model says of itself: its TFLite Metadata."""

from __future__ import annotations

from edgeinfer.device.tasks.task import Rows
from edgeinfer.device.tflite.metadata.tflite_metadata import ModelMetadata, TensorMetadata


def about_rows(about: ModelMetadata) -> Rows:
    """Return what TFLite Metadata says, as far as it says anything."""
    rows = [
        ("about", ": ".join(filter(None, (about.name, about.description)))),
        ("version", about.version),
        ("author", about.author),
        ("license", about.license),
        *(("says of in", _tensor_text(tensor)) for tensor in about.inputs),
        *(("says of out", _tensor_text(tensor)) for tensor in about.outputs),
    ]
    return [(title, text) for title, text in rows if text]


def _tensor_text(tensor: TensorMetadata) -> str:
    parts = [tensor.name]
    if tensor.std:
        mean, std = (", ".join(f"{v:g}" for v in values) for values in (tensor.mean, tensor.std))
        parts.append(f"mean {mean or 0}, std {std}")
    if tensor.box is not None:
        order = ", ".join(map(str, tensor.box.order))
        parts.append(f"boxes: {tensor.box.form} in {tensor.box.unit}s, numbers at {order}")
    if tensor.min_score is not None:
        parts.append(f"min score {tensor.min_score:g}")
    if tensor.label_files:
        parts.append(f"labels in {', '.join(tensor.label_files)}")
    return "; ".join(filter(None, parts))

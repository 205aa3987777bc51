"""What `inspect` tells people of how a model is fed and read: TFLite Metadata, and a decoder."""

from __future__ import annotations

from edgeinfer.device.models.decoding import Decoder
from edgeinfer.device.models.tflite_metadata import ModelMetadata, TensorMetadata

Rows = list[tuple[str, str]]
"""A title and a text each."""


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


def decoder_rows(decoder: Decoder) -> Rows:
    """Return how a bundle's outputs are read."""
    rows: Rows = [("activation", decoder.activation)]
    if decoder.detection is not None:
        spec = decoder.detection
        count = "" if spec.count is None else f", count {spec.count}"
        order = ", ".join(map(str, spec.order))
        rows += [
            ("outputs", f"boxes {spec.boxes}, classes {spec.classes}, scores {spec.scores}{count}"),
            ("boxes", f"{spec.form} in {spec.unit}s, numbers at {order}"),
            ("min score", f"{spec.min_score:g}"),
        ]
    if decoder.pose is not None:
        pose = decoder.pose
        ways = ", ".join(map(str, pose.displacements)) or "none"
        rows += [
            ("outputs", f"heatmaps {pose.heatmaps}, offsets {pose.offsets}, displacements {ways}"),
            ("stride", f"{pose.stride:g} pixels"),
            ("people", f"{pose.max_people} at most"),
            ("min score", f"{pose.min_person_score:g}"),
        ]
    return rows


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

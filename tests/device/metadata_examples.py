"""TFLite Metadata as a tree for `tflite_examples.encode`, and models that carry it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from tests.device.tflite_examples import Node, Number, Numbers, TableNode, encode

IDENTIFIER = b"M001"


def normalization(mean: list[float], std: list[float]) -> TableNode:
    return {0: Number("B", 1), 1: {0: Numbers("f", mean), 1: Numbers("f", std)}}


def threshold(score: float) -> TableNode:
    return {0: Number("B", 3), 1: {0: Number("f", score)}}


def boxes(order: list[int], form: int = 1, unit: int = 0) -> TableNode:
    properties: TableNode = {0: Numbers("I", order), 1: Number("b", form), 2: Number("b", unit)}
    return {0: Number("B", 3), 1: properties}


def label_file(name: str, kind: int = 2, locale: str = "") -> TableNode:
    return {0: name, 2: Number("b", kind), 3: locale}


def tensor_metadata(
    name: str,
    *,
    content: TableNode | None = None,
    units: Sequence[TableNode] = (),
    files: Sequence[TableNode] = (),
) -> TableNode:
    table: TableNode = {0: name, 1: f"the {name}", 4: list(units), 6: list(files)}
    return table if content is None else {**table, 3: content}


def model_metadata(inputs: list[TableNode], outputs: list[TableNode]) -> TableNode:
    return {
        0: "an example",
        1: "what it does",
        2: "v1",
        3: [{2: inputs, 3: outputs}],
        4: "its author",
        5: "its licence",
    }


def with_metadata(
    model: TableNode, metadata: TableNode | bytes, files: Mapping[str, bytes] | None = None
) -> bytes:
    """Return the model's file with metadata, and a ZIP of files behind it."""
    data = metadata if isinstance(metadata, bytes) else encode(metadata, IDENTIFIER)
    buffers: Any = model.get(4, [{}])
    entry: Node = [{0: "TFLITE_METADATA", 1: Number("I", len(buffers))}]
    encoded = encode({**model, 4: [*buffers, {0: data}], 6: entry})
    if files is None:
        return encoded
    stream = io.BytesIO(encoded)
    with zipfile.ZipFile(stream, "a") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()

"""TFLite Metadata: what a model file says of its inputs and outputs.

It is a separate FlatBuffer in the model's metadata, and the files that it names are in a ZIP
behind the model. Nothing in it is trusted.

Source: tensorflow_lite_support/metadata/metadata_schema.fbs, version 1.1; field numbers below are
the order of the fields in its tables.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.tflite.flatbuffer import FlatBuffer, FlatbufferError, Table
from edgeinfer.device.tflite.model import TfliteModel

BoxForm = Literal["corners", "corner-size", "center-size"]
"""What the four numbers of a box are: left, top, right, bottom; left, top, width, height; or
x and y of the centre, width, height."""

METADATA = "TFLITE_METADATA"
IDENTIFIER = b"M001"

_LARGEST = 1e6
"""Largest number in a normalization, and its reciprocal the least deviation: pixels end at 255."""

_NORMALIZATION, _THRESHOLD = 1, 3
"""The union ProcessUnitOptions: NormalizationOptions and ScoreThresholdingOptions."""
_IMAGE, _BOX = 2, 3
"""The union ContentProperties: ImageProperties and BoundingBoxProperties."""
_LABELS = (2, 3)
"""AssociatedFileType: labels of an axis, and labels that the tensor's values stand for."""
_BOX_FORMS: tuple[BoxForm, ...] = ("corners", "corners", "corner-size", "center-size")
"""BoundingBoxType, whose first value is UNKNOWN."""


@dataclass(frozen=True, kw_only=True)
class BoxMetadata:
    """How a tensor of boxes is to be read; see `decoding.DetectionSpec`."""

    form: BoxForm
    order: tuple[int, int, int, int]
    unit: Literal["ratio", "pixel"]


@dataclass(frozen=True, kw_only=True)
class TensorMetadata:
    """What is said of an input or output.

    Attributes:
        name: of the tensor; not always the one in the graph.
        description: for people.
        is_image: it is an image, or is laid out as one.
        mean: for inputs; one number for all channels or one each, empty where it is not said.
        std: in the same form, above 0.
        label_files: the names of label files in the ZIP, the best for English first.
        min_score: what scores less counts as nothing; None where it is not said.
        box: for boxes.
    """

    name: str
    description: str
    is_image: bool = False
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    label_files: tuple[str, ...] = ()
    min_score: float | None = None
    box: BoxMetadata | None = None


@dataclass(frozen=True, kw_only=True)
class ModelMetadata:
    """What is said of a model.

    Attributes:
        name: of the model.
        description: for people.
        version: of the model.
        author: who made it.
        license: what may be done with it.
        inputs: in the order of the graph's.
        outputs: in the order of the graph's.
    """

    name: str
    description: str
    version: str
    author: str
    license: str
    inputs: tuple[TensorMetadata, ...]
    outputs: tuple[TensorMetadata, ...]


def read_metadata(model: TfliteModel, *, subject: str) -> ModelMetadata | None:
    """Return a model's TFLite Metadata; None where it has none, or of a newer kind.

    Raises:
        ModelError: it is damaged, or says something impossible.
    """
    data = next((item.data for item in model.metadata if item.name == METADATA), None)
    if data is None:
        return None
    buffer = FlatBuffer(data)
    if buffer.identifier() != IDENTIFIER:
        return None
    try:
        return _model(buffer.root())
    except FlatbufferError as error:
        raise ModelError(
            subject,
            got=f"its TFLite Metadata is damaged: {error}",
            next_step="fetch or convert the model again",
        ) from error


def _model(root: Table) -> ModelMetadata:
    graphs = root.tables(3)
    return ModelMetadata(
        name=root.string(0),
        description=root.string(1),
        version=root.string(2),
        author=root.string(4),
        license=root.string(5),
        inputs=tuple(_tensor(table) for table in graphs[0].tables(2)) if graphs else (),
        outputs=tuple(_tensor(table) for table in graphs[0].tables(3)) if graphs else (),
    )


def _tensor(table: Table) -> TensorMetadata:
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    min_score = None
    for unit in table.tables(4):
        kind, options = unit.union(0, 1)
        if options is not None and kind == _NORMALIZATION:
            mean, std = options.floats(0), options.floats(1)
            _check_normalization(mean, std)
        elif options is not None and kind == _THRESHOLD:
            min_score = _threshold(options)
    content = table.table(3)
    kind, properties = (0, None) if content is None else content.union(0, 1)
    return TensorMetadata(
        name=table.string(0),
        description=table.string(1),
        is_image=kind == _IMAGE,
        mean=mean,
        std=std,
        label_files=_label_files(table.tables(6)),
        min_score=min_score,
        box=_box(properties) if properties is not None and kind == _BOX else None,
    )


def _check_normalization(mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    if max(len(mean), len(std)) > 4:
        raise FlatbufferError(f"it has {len(mean)} means and {len(std)} deviations a pixel")
    bounded = all(math.isfinite(value) and abs(value) <= _LARGEST for value in mean + std)
    if not bounded or min(std, default=1.0) < 1 / _LARGEST:
        raise FlatbufferError(f"mean {mean} and deviation {std} normalize nothing")


def _threshold(options: Table) -> float:
    score = options.number(0)
    if not 0 <= score <= 1:
        raise FlatbufferError(f"its score threshold is {score}")
    return score


def _label_files(files: list[Table]) -> tuple[str, ...]:
    """Return the names of label files: those for no language first, then English."""
    found = [
        ({"": 0, "en": 1}.get(table.string(3)[:2].lower(), 2), table.string(0))
        for table in files
        if table.integer(2, "b") in _LABELS
    ]
    return tuple(name for _, name in sorted(found, key=lambda item: item[0]))


def _box(table: Table) -> BoxMetadata:
    order = table.integers(0, "I") or (0, 1, 2, 3)
    form, unit = table.integer(1, "b"), table.integer(2, "b")
    if sorted(order) != [0, 1, 2, 3] or not 0 <= form < len(_BOX_FORMS) or unit not in (0, 1):
        raise FlatbufferError(f"its boxes have order {order}, form {form} and unit {unit}")
    return BoxMetadata(
        form=_BOX_FORMS[form],
        order=(order[0], order[1], order[2], order[3]),
        unit="pixel" if unit else "ratio",
    )

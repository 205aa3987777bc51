"""Small `.tflite` files with the outputs of YOLO models: what a test encodes comes out of them.

The outputs are constants, laid out as exporters lay them out; the picture is not looked at. Only
`seeing` looks: the colours of its cells are the scores.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorDtype
from edgeinfer.device.preprocess import PreprocessSpec, place
from tests.device.tflite_examples import (
    Number,
    Numbers,
    TableNode,
    encode,
    operator,
    operator_code,
    quantization,
    tensor,
)

SIZE = (96, 64)
"""(width, height) of the models' image: not square, so that what is swapped shows."""
CELLS = 12 * 8 + 6 * 4 + 3 * 2
NAMES = ("cat", "dog", "fox")

Reals = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Thing:
    """An object of a picture, in pixels of the picture.

    Attributes:
        box: left, top, right, bottom.
        label: its class.
        score: how sure the model is of it.
        extras: what a candidate has behind its classes, places in pixels of the picture.
    """

    box: tuple[float, float, float, float]
    label: int = 0
    score: float = 0.9
    extras: Sequence[float] = field(default=())


@dataclass(frozen=True, kw_only=True)
class Output:
    """An output of a model, as it is stored."""

    values: Reals
    dtype: TensorDtype = "float32"
    scale: float = 0.0
    zero_point: int = 0

    @property
    def stored(self) -> NDArray[np.generic]:
        """The values in the output's dtype."""
        if not self.scale:
            return self.values.astype(self.dtype)
        bounds = np.iinfo(self.dtype)
        steps = np.rint(self.values / self.scale) + self.zero_point
        clipped: NDArray[np.generic] = np.clip(steps, bounds.min, bounds.max).astype(self.dtype)
        return clipped


def in_model(points: Reals, picture: tuple[int, int], size: tuple[int, int] = SIZE) -> Reals:
    """Return where points (..., 2) of a picture are in a model's image, with a letterbox."""
    return place(PreprocessSpec(size=size, crop="letterbox"), picture).from_frame(points)


def candidates(
    things: Sequence[Thing],
    picture: tuple[int, int],
    *,
    count: int = CELLS,
    classes: int = len(NAMES),
    objectness: bool = False,
    pixels: bool = False,
    size: tuple[int, int] = SIZE,
    neighbours: bool = True,
) -> Reals:
    """Return (count, numbers) of candidates; those that are none score next to nothing.

    Args:
        things: what is in the picture.
        picture: its (width, height).
        count: how many candidates there are.
        classes: of the model.
        objectness: there is one; the class scores are multiplied by it.
        pixels: boxes are in pixels of the model's image instead of ratios.
        size: (width, height) of the model's image.
        neighbours: each object is found by a neighbour as well, a bit off, that scores less.
    """
    extras = len(things[0].extras) if things else 0
    first = 5 if objectness else 4
    rows = np.full((count, first + classes + extras), 0.01)
    unit = np.ones(4) if pixels else np.array([*size, *size])
    for number, thing in enumerate(things):
        corners = in_model(np.array(thing.box).reshape(2, 2), picture, size)
        centre, sides = corners.mean(axis=0), corners[1] - corners[0]
        for neighbour in range(2 if neighbours else 1):
            row = rows[(17 * (number + 1) + neighbour) % count]
            row[:4] = np.array([*(centre + 0.02 * neighbour * sides), *sides]) / unit
            score = thing.score - 0.1 * neighbour
            if objectness:
                row[4], score = 0.95, score / 0.95
            row[first + thing.label] = score
            row[first + classes :] = thing.extras
    return rows


def picked(
    things: Sequence[Thing],
    picture: tuple[int, int],
    *,
    turned: bool = False,
    size: tuple[int, int] = SIZE,
) -> Reals:
    """Return (300, numbers) of objects that the model picked: box, score, class and the rest."""
    rows = np.zeros((300, 6 + len(things[0].extras)))
    for number, thing in enumerate(sorted(things, key=lambda one: -one.score)):
        corners = in_model(np.array(thing.box).reshape(2, 2), picture, size)
        box = corners.reshape(-1)
        if turned:
            box = np.concatenate([corners.mean(axis=0), corners[1] - corners[0]])
        rows[number] = [*box, thing.score, thing.label, *thing.extras]
    return rows


def metadata(task: str, **more: Any) -> dict[str, Any]:
    """Return what an exporter writes behind such a model; numbers of classes are text."""
    names = {str(number): name for number, name in enumerate(NAMES)}
    return {"task": task, "names": names, "stride": 32, "imgsz": [SIZE[1], SIZE[0]], **more}


def yolo(
    outputs: Sequence[Output],
    *,
    behind: Mapping[str, Any] | None = None,
    size: tuple[int, int] = SIZE,
    integer: bool = False,
    channels_first: bool = False,
) -> bytes:
    """Return a model's file.

    Args:
        outputs: what it gives, whatever the picture.
        behind: the metadata behind the model; None for a file without any.
        size: (width, height) of its image.
        integer: its input is int8.
        channels_first: its input is (1, 3, height, width).
    """
    model = yolo_model(outputs, size=size, integer=integer, channels_first=channels_first)
    return with_behind(model, behind)


def yolo_model(
    outputs: Sequence[Output],
    *,
    size: tuple[int, int] = SIZE,
    integer: bool = False,
    channels_first: bool = False,
) -> TableNode:
    """Return the tables of the same model."""
    width, height = size
    shape = [1, 3, height, width] if channels_first else [1, height, width, 3]
    input_fields: Any = {"quantization": quantization([1 / 255], [-128])} if integer else {}
    tensors = [tensor("image", shape, "int8" if integer else "float32", **input_fields)]
    buffers: list[TableNode] = [{}]
    operators = []
    for number, output in enumerate(outputs):
        stored = output.stored
        fields: Any = {}
        if output.scale:
            fields = {"quantization": quantization([output.scale], [output.zero_point])}
        shape = list(stored.shape)
        buffers += [{0: stored.tobytes()}, {0: np.array(shape, np.int32).tobytes()}]
        tensors += [
            tensor(f"constant {number}", shape, output.dtype, len(buffers) - 2, **fields),
            tensor(f"shape {number}", [len(shape)], "int32", len(buffers) - 1),
            tensor(f"Identity_{number}", shape, output.dtype, **fields),
        ]
        operators.append(operator([len(tensors) - 3, len(tensors) - 2], [len(tensors) - 1]))
    results = [3 + 3 * number for number in range(len(outputs))]
    return _model(tensors, operators, results, buffers, ["RESHAPE"])


def seeing() -> bytes:
    """Return a detector of red, green and blue, of 32 x 32 pixels for each cell.

    Its candidates are the cells of the three grids; the mean colour of a cell is its scores.
    """
    width, height = SIZE
    tensors = [tensor("image", [1, height, width, 3], "float32")]
    buffers: list[TableNode] = [{}]
    operators: list[TableNode] = []
    places = []
    flat = []
    for pixels in (8, 16, 32):
        columns, rows = width // pixels, height // pixels
        buffers.append({0: np.array([1, rows * columns, 3], np.int32).tobytes()})
        tensors += [
            tensor(f"pooled {pixels}", [1, rows, columns, 3], "float32"),
            tensor(f"shape {pixels}", [3], "int32", len(buffers) - 1),
            tensor(f"scores {pixels}", [1, rows * columns, 3], "float32"),
        ]
        at = len(tensors) - 3
        pool: TableNode = {
            number: Number("i", pixels)
            for number in (1, 2, 3, 4)  # strides and sides
        }
        pool[0] = Number("b", 1)  # VALID
        operators.append(operator([0], [at]) | {3: Number("B", 5), 4: pool})
        operators.append(operator([at, at + 1], [at + 2], code=1))
        flat.append(at + 2)
        y, x = np.mgrid[:rows, :columns].reshape(2, -1) + 0.5
        side = np.full(len(x), float(pixels))
        places.append(
            np.stack([x * pixels / width, y * pixels / height, side / width, side / height], axis=1)
        )
    boxes = np.concatenate(places).astype(np.float32)
    buffers += [{0: boxes.tobytes()}, {0: np.array([0, 2, 1], np.int32).tobytes()}]
    count = len(boxes)
    tensors += [
        tensor("scores", [1, count, 3], "float32"),
        tensor("boxes", [1, count, 4], "float32", len(buffers) - 2),
        tensor("joined", [1, count, 7], "float32"),
        tensor("order", [3], "int32", len(buffers) - 1),
        tensor("candidates", [1, 7, count], "float32"),
    ]
    at = len(tensors) - 5
    for inputs, output, axis in ((flat, at, 1), ([at + 1, at], at + 2, 2)):
        joining: TableNode = {0: Number("i", axis)}
        operators.append(operator(inputs, [output], code=2) | {3: Number("B", 10), 4: joining})
    operators.append(operator([at + 2, at + 3], [at + 4], code=3))
    codes = ["AVERAGE_POOL_2D", "RESHAPE", "CONCATENATION", "TRANSPOSE"]
    return with_behind(_model(tensors, operators, [at + 4], buffers, codes), metadata("detect"))


def _model(
    tensors: list[TableNode],
    operators: list[TableNode],
    outputs: list[int],
    buffers: list[TableNode],
    codes: Sequence[str],
) -> TableNode:
    return {
        0: Number("I", 3),
        1: [operator_code(code) for code in codes],
        2: [{0: tensors, 1: Numbers("i", [0]), 2: Numbers("i", outputs), 3: operators}],
        4: buffers,
    }


def with_behind(model: TableNode, behind: Mapping[str, Any] | None) -> bytes:
    """Return a model's file, with metadata in a ZIP behind it."""
    stream = io.BytesIO(encode(model))
    if behind is not None:
        with zipfile.ZipFile(stream, "a") as archive:
            archive.writestr("metadata.json", json.dumps(behind))
    return stream.getvalue()

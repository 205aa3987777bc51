"""What the outputs of a plain YOLO model are: by their shapes, and by what its exporter wrote.

Each model has a candidate for each cell of three grids, of 8, 16 and 32 pixels a cell, sometimes of
more or fewer. How many there are tells which axis they are along; the first models (yolov5) have
three for each cell, and an objectness. Newer ones may pick the objects themselves.

Source: the shapes of exported files, which were looked at; the makers' own thresholds: 0.25, and
an overlap of 0.7, of models with an objectness 0.45.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.tasks.guess import Guess, Shown, image_size
from edgeinfer.device.tasks.spec import CandidateSpec, Decoder, TensorLayout

_GRIDS = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32), (16, 32), (8, 16))
"""Pixels a cell of the grids that models have."""
_ANCHORS = 3
"""Candidates a cell of models with an objectness."""
_LEAST_PICKED, _MOST_PICKED = 100, 1000
"""Objects that a model picks; other models have fewer of something: MoveNet's is (6, 56)."""
_PERSON = (17, 3)
"""COCO's keypoints, each with x, y and a score."""
_PERSON_NUMBERS = 4 + 1 + 17 * 3
_PICKED_NUMBERS = 4 + 1 + 1
"""A box, a score and a class."""
_PERSON_PICKED = _PICKED_NUMBERS + 17 * 3
_PAD_VALUE = 114
_IOU, _IOU_WITH_OBJECTNESS = 0.7, 0.45

_Kind: TypeAlias = Literal["detect", "segment", "pose", "obb"]


@dataclass(frozen=True, kw_only=True)
class _Outputs:
    """Which outputs there are.

    Attributes:
        candidates: number of the output.
        layout: of the candidates.
        count: how many there are.
        numbers: of each.
        anchors: candidates a cell; 0 where they are not those of cells.
        prototypes: number of the output with prototypes, or None.
        prototypes_layout: of them.
        coefficients: how many prototypes there are.
    """

    candidates: int
    layout: TensorLayout
    count: int
    numbers: int
    anchors: int
    prototypes: int | None = None
    prototypes_layout: TensorLayout = "channels-last"
    coefficients: int = 0


def guess_candidates(shown: Shown, task: Literal["detection", "pose"]) -> Guess | None:
    """Return how the candidates of a YOLO model are to be read; None for any other model.

    Args:
        shown: what the model shows of itself.
        task: which task it is wanted for.
    """
    outputs = _outputs(shown)
    kind = None if outputs is None else _kind(shown, outputs, task)
    if outputs is None or kind is None:
        return None
    spec = _spec(shown, outputs, kind)
    if spec is None or (task == "pose" and spec.keypoints is None):
        return None
    if task == "detection" and spec.keypoints is not None and not shown.wanted:
        return None  # a pose; but the user may want its boxes only
    names = shown.export.names if shown.export is not None else ()
    if task == "pose":
        assert spec.keypoints is not None
        return _guess(task, spec, spec.keypoints[0], (), _reason(outputs, spec, kind))
    classes = spec.classes if spec.classes is not None else len(names) or None
    return _guess(task, spec, classes, names, _reason(outputs, spec, kind))


def _guess(
    task: str, spec: CandidateSpec, classes: int | None, labels: tuple[str, ...], reason: str
) -> Guess:
    return Guess(
        task=task,
        decoder=Decoder(candidates=spec),
        classes=classes,
        labels=labels,
        crop="letterbox",
        pad_value=_PAD_VALUE,
        input_range="0..1",
        reason=reason,
    )


def _reason(outputs: _Outputs, spec: CandidateSpec, kind: _Kind) -> str:
    """Return why, for people."""
    what = f"{outputs.count:,} candidates of {outputs.numbers} numbers"
    if spec.picked:
        what = f"{outputs.count} objects of {outputs.numbers} numbers"
    parts = {
        "detect": "",
        "segment": " with masks",
        "pose": " for poses",
        "obb": " of turned boxes",
    }
    other = ""
    if kind == "pose" and not spec.picked:
        other = f" (--task detection reads {outputs.numbers - 4} classes)"
    objectness = " with an objectness" if spec.objectness else ""
    return f"a YOLO{parts[kind]}{objectness}, by its output of {what}{other}"


def _outputs(shown: Shown) -> _Outputs | None:
    """Find candidates, and prototypes of masks, in whatever order they are."""
    size = image_size(shown.inputs[0].shape) if len(shown.inputs) == 1 else None
    shapes = [output.shape for output in shown.outputs]
    flat = [i for i, shape in enumerate(shapes) if len(shape) == 3 and shape[0] == 1]
    maps = [i for i, shape in enumerate(shapes) if len(shape) == 4 and shape[0] == 1]
    if size is None or len(flat) != 1 or len(maps) > 1 or len(flat) + len(maps) != len(shapes):
        return None
    found = _candidates(shown, flat[0], size)
    if found is None or not maps:
        return found
    _, first, second, third = shapes[maps[0]]
    cells = (size[1] // 4, size[0] // 4)
    orders: list[tuple[TensorLayout, int]] = []
    if (first, second) == cells:
        orders.append(("channels-last", third))
    if (second, third) == cells:
        orders.append(("channels-first", first))
    if not orders:
        return None
    # Where both fit, it is laid out as the input is.
    layout, coefficients = orders[-1 if shown.inputs[0].shape[1] in (1, 3) else 0]
    return _Outputs(
        candidates=found.candidates,
        layout=found.layout,
        count=found.count,
        numbers=found.numbers,
        anchors=found.anchors,
        prototypes=maps[0],
        prototypes_layout=layout,
        coefficients=coefficients,
    )


def _candidates(shown: Shown, output: int, size: tuple[int, int]) -> _Outputs | None:
    """Find the axis that the candidates are along, by how many there are."""
    tensor = shown.outputs[output]
    if not tensor.dtype.startswith("float") and not tensor.scale:
        return None  # integers that stand for themselves: a class for each place
    _, first, second = tensor.shape
    axes: tuple[tuple[TensorLayout, int, int], ...] = (
        ("channels-first", second, first),
        ("channels-last", first, second),
    )
    counts = {_cells(size, grids) for grids in _GRIDS}
    end2end = shown.export.end2end if shown.export is not None else None
    for anchors, order in () if end2end else ((1, axes), (_ANCHORS, axes[::-1])):
        for layout, count, numbers in order:
            if count % anchors == 0 and count // anchors in counts and numbers > 4:
                return _Outputs(
                    candidates=output, layout=layout, count=count, numbers=numbers, anchors=anchors
                )
    # Picked objects, 300 mostly, or as many as the exporter says.
    told = _told(shown) or len(shown.outputs) > 1
    for layout, count, numbers in () if end2end is False else axes[::-1]:
        right = numbers >= _PICKED_NUMBERS if told else numbers in (_PICKED_NUMBERS, _PERSON_PICKED)
        if right and max(numbers + 1, 1 if told else _LEAST_PICKED) <= count <= _MOST_PICKED:
            return _Outputs(
                candidates=output, layout=layout, count=count, numbers=numbers, anchors=0
            )
    return None


def _told(shown: Shown) -> bool:
    """Return whether the exporter says the task; that of the first YOLO v5 does not."""
    return shown.export is not None and bool(shown.export.task)


def _cells(size: tuple[int, int], grids: tuple[int, ...]) -> int:
    return sum(-(-size[0] // pixels) * -(-size[1] // pixels) for pixels in grids)


def _kind(shown: Shown, outputs: _Outputs, task: str) -> _Kind | None:
    """Return what the candidates have behind boxes and classes; None for other models."""
    if _told(shown):
        assert shown.export is not None
        kinds: tuple[_Kind, ...] = ("detect", "segment", "pose", "obb")
        said = next((kind for kind in kinds if kind == shown.export.task), None)
        return said if (said == "segment") == bool(outputs.coefficients) else None
    if outputs.coefficients:
        return "segment"
    if task == "pose" and shown.wanted:
        return "pose"
    person = (outputs.numbers, outputs.anchors) in ((_PERSON_NUMBERS, 1), (_PERSON_PICKED, 0))
    return "pose" if person and not shown.wanted else "detect"


def _spec(shown: Shown, outputs: _Outputs, kind: _Kind) -> CandidateSpec | None:
    """Say what each of a candidate's numbers is; None where they are too few."""
    export = shown.export
    names = len(export.names) if export is not None else 0
    keypoints = None
    if kind == "pose":
        keypoints = export.keypoints if export is not None else None
        keypoints = keypoints or _keypoints(outputs)
        if keypoints is None:
            return None
    points, each = keypoints or (0, 0)
    extras = outputs.coefficients + points * each + (1 if kind == "obb" else 0)
    scores = outputs.numbers - 4 - extras
    picked = outputs.anchors == 0
    # Three for each cell have an objectness, and so has what has one number more than classes.
    objectness = not picked and (
        scores == names + 1 if names and scores - names in (0, 1) else outputs.anchors == _ANCHORS
    )
    classes = scores - 1 if objectness else scores
    if (picked and scores != 2) or classes < 1:
        return None
    return CandidateSpec(
        output=outputs.candidates,
        layout=outputs.layout,
        picked=picked,
        objectness=objectness,
        classes=None if picked else classes,
        form="corners" if picked and kind != "obb" else "center-size",
        unit=_unit(shown.outputs[outputs.candidates]),
        keypoints=keypoints,
        coefficients=outputs.coefficients,
        prototypes=outputs.prototypes,
        prototypes_layout=outputs.prototypes_layout,
        angle=kind == "obb",
        iou=_IOU_WITH_OBJECTNESS if objectness else _IOU,
    )


def _keypoints(outputs: _Outputs) -> tuple[int, int] | None:
    """Return the keypoints of a model of one class that says nothing of them."""
    behind = outputs.numbers - (6 if outputs.anchors == 0 else 5)
    if behind == _PERSON[0] * _PERSON[1]:
        return _PERSON
    return (behind // 3, 3) if behind > 0 and behind % 3 == 0 else None


def _unit(output: TensorSpec) -> Literal["ratio", "either"]:
    """Return what the numbers of boxes are: exporters differ, and each answer tells.

    What a quantized output can hold tells sooner: of a small answer all could be small.
    """
    largest = {"uint8": 255, "int8": 127, "int16": 32767}.get(output.dtype)
    if largest is None or not output.scale:
        return "either"
    return "ratio" if (largest - output.zero_point) * output.scale <= 2 else "either"

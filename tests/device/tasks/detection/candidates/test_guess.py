"""What the outputs of YOLO models are, by their shapes and by what was written behind them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.guess import AmbiguousError, Guess, Shown, image_size
from edgeinfer.device.tasks.registry import guess_task, make_decode
from edgeinfer.device.tasks.spec import CandidateSpec
from edgeinfer.device.tasks.task import Said
from edgeinfer.device.tflite.metadata.export_metadata import ExportMetadata
from tests.device.graph_examples import model

GRAPH = model((), [], inputs=(0,), outputs=(9,))
NHWC, NCHW = (1, 640, 640, 3), (1, 3, 640, 640)


def guess(
    *shapes: tuple[int, ...],
    image: tuple[int, ...] = NHWC,
    export: ExportMetadata | None = None,
    wanted: str | None = None,
    **tensor: Any,
) -> Guess | None:
    outputs = tuple(
        TensorSpec(name=str(number), shape=shape, **{"dtype": "float32", **tensor})
        for number, shape in enumerate(shapes)
    )
    source = TensorSpec(name="image", shape=image, dtype="float32")
    shown = Shown(graph=GRAPH, inputs=(source,), outputs=outputs, export=export)
    return guess_task(shown, wanted)


def of(found: Guess | None) -> CandidateSpec:
    assert found is not None
    assert found.decoder.candidates is not None
    assert (found.crop, found.pad_value, found.input_range) == ("letterbox", 114, "0..1")
    return found.decoder.candidates


@pytest.mark.parametrize("image", [NHWC, NCHW])
@pytest.mark.parametrize(
    ("shape", "layout", "objectness", "classes"),
    [
        ((1, 84, 8400), "channels-first", False, 80),
        ((1, 8400, 84), "channels-last", False, 80),
        ((1, 5, 8400), "channels-first", False, 1),
        ((1, 84, 8500), "channels-first", False, 80),
        ((1, 84, 34000), "channels-first", False, 80),
        ((1, 84, 2000), "channels-first", False, 80),
        ((1, 25200, 85), "channels-last", True, 80),
        ((1, 85, 25200), "channels-first", True, 80),
        ((1, 6000, 6), "channels-last", True, 1),
    ],
)
def test_how_many_candidates_there_are_tells(
    image: tuple[int, ...], shape: tuple[int, ...], layout: str, objectness: bool, classes: int
) -> None:
    found = guess(shape, image=image)
    spec = of(found)
    assert (spec.layout, spec.objectness, spec.classes) == (layout, objectness, classes)
    assert spec.iou == (0.45 if objectness else 0.7)
    assert found is not None
    assert (found.task, found.classes) == ("detection", classes)
    assert "a YOLO" in found.reason


@pytest.mark.parametrize("shape", [(1, 300, 6), (1, 100, 6), (1, 6, 300)])
def test_picked_objects(shape: tuple[int, ...]) -> None:
    spec = of(guess(shape))
    assert (spec.picked, spec.form, spec.classes) == (True, "corners", None)
    export = ExportMetadata(task="detect", names=("a", "b"), end2end=True)
    found = guess(shape, export=export)
    assert of(found).picked
    assert found is not None
    assert (found.classes, found.labels, found.reason) == (2, ("a", "b"), "")


def test_a_name_more_or_less_shows_an_objectness() -> None:
    def read(names: int, shape: tuple[int, ...]) -> CandidateSpec:
        return of(guess(shape, export=ExportMetadata(task="detect", names=("x",) * names)))

    assert (read(80, (1, 85, 8400)).objectness, read(81, (1, 85, 8400)).objectness) == (True, False)
    assert (read(80, (1, 25200, 84)).objectness, read(79, (1, 25200, 84)).objectness) == (
        False,
        True,
    )
    assert read(3, (1, 85, 8400)).classes == 81  # the labels are refused later


@pytest.mark.parametrize(
    ("image", "protos", "layout"),
    [
        (NHWC, (1, 160, 160, 32), "channels-last"),
        (NCHW, (1, 32, 160, 160), "channels-first"),
        ((1, 128, 128, 3), (1, 32, 32, 32), "channels-last"),
        ((1, 3, 128, 128), (1, 32, 32, 32), "channels-first"),
    ],
)
@pytest.mark.parametrize("swapped", [False, True])
def test_prototypes_may_come_first(
    image: tuple[int, ...], protos: tuple[int, ...], layout: str, swapped: bool
) -> None:
    count = 8400 if 640 in image else 336
    shapes = [(1, 116, count), protos]
    spec = of(guess(*(shapes[::-1] if swapped else shapes), image=image))
    assert (spec.output, spec.prototypes) == ((1, 0) if swapped else (0, 1))
    assert (spec.classes, spec.coefficients, spec.prototypes_layout) == (80, 32, layout)


def test_poses() -> None:
    found = guess((1, 56, 8400))
    assert found is not None
    assert (found.task, found.classes, of(found).keypoints) == ("pose", 17, (17, 3))
    assert "--task detection reads 52 classes" in found.reason
    assert of(guess((1, 56, 8400), wanted="detection")).classes == 52
    export = ExportMetadata(task="pose", names=("dog",), keypoints=(24, 2))
    found = guess((1, 53, 8400), export=export)
    assert found is not None
    assert (found.task, found.labels, of(found).keypoints) == ("pose", (), (24, 2))
    assert of(guess((1, 20, 8400), wanted="pose")).keypoints == (5, 3)
    assert guess((1, 84, 8400), wanted="pose") is None
    assert guess((1, 300, 57)) is not None


def test_only_the_exporter_says_that_boxes_are_turned() -> None:
    export = ExportMetadata(task="obb", names=("ship",) * 15)
    spec = of(guess((1, 20, 8400), export=export))
    assert (spec.angle, spec.classes) == (True, 15)
    assert not of(guess((1, 20, 8400))).angle
    picked = of(guess((1, 300, 7), export=ExportMetadata(task="obb", end2end=True)))
    assert (picked.picked, picked.angle, picked.form) == (True, True, "center-size")


def test_small_integers_hold_ratios_only() -> None:
    ratios = of(guess((1, 84, 8400), dtype="int8", scale=1 / 255, zero_point=-128))
    assert ratios.unit == "ratio"
    assert of(guess((1, 84, 8400), dtype="int8", scale=2.5, zero_point=-128)).unit == "either"
    assert of(guess((1, 84, 8400))).unit == "either"


def test_class_indices_are_not_candidates() -> None:
    found = guess((1, 84, 8400), dtype="int32")
    assert found is not None
    assert found.task == "segmentation"


@pytest.mark.parametrize(
    ("shapes", "export"),
    [
        ([(1, 84, 8401)], None),
        ([(1, 4, 8400)], None),
        ([(1, 300, 7)], None),
        ([(1, 2000, 6)], ExportMetadata(task="segment")),
        ([(1, 84, 8400)], ExportMetadata(task="segment")),
        ([(1, 84, 8400)], ExportMetadata(task="depth")),
        ([(1, 300, 6)], ExportMetadata(task="detect", end2end=False)),
        ([(1, 84, 8400), (1, 84, 8400)], None),
        ([(1, 84, 8400), (1, 7, 7, 32)], None),
        ([(1, 84, 8400), (1, 160, 160, 32), (1, 1)], None),
        ([(1, 30, 8400), (1, 160, 160, 32)], None),
    ],
)
def test_what_is_none(shapes: list[tuple[int, ...]], export: ExportMetadata | None) -> None:
    found = guess(*shapes, export=export)
    assert found is None or found.decoder.candidates is None


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((1, 64, 96, 3), (96, 64)),
        ((1, 3, 64, 96), (96, 64)),
        ((1, 64, 96, 1), (96, 64)),
        ((1, 64, 96, 7), None),
        ((64, 96, 3), (96, 64)),
        ((3,), None),
    ],
)
def test_the_size_of_an_image_in_either_layout(
    shape: tuple[int, ...], size: tuple[int, int] | None
) -> None:
    assert image_size(shape) == size


@given(
    shapes=st.lists(
        st.lists(st.sampled_from([1, 5, 6, 7, 16, 21, 57, 63, 84, 300]), min_size=3, max_size=4),
        min_size=1,
        max_size=2,
    ),
    task=st.sampled_from([None, "detect", "segment", "pose", "obb", "classify"]),
    keypoints=st.sampled_from([None, (17, 3), (1, 2)]),
    end2end=st.sampled_from([None, False, True]),
)
def test_what_is_guessed_can_be_decoded(
    shapes: list[list[int]], task: str | None, keypoints: Any, end2end: bool | None
) -> None:
    export = None
    if task is not None:
        export = ExportMetadata(task=task, keypoints=keypoints, end2end=end2end)
    wanted = [(1, *shape[1:]) for shape in shapes]
    try:
        found = guess(*wanted, image=(1, 64, 64, 3), export=export)
    except AmbiguousError:  # of a picture
        return
    if found is None or found.decoder.candidates is None:
        return
    labels = tuple(map(str, range(found.classes or 0)))
    outputs = [TensorSpec(name="x", shape=shape, dtype="float32") for shape in wanted]
    decode = make_decode(
        found.task,
        Said(labels=labels, decoder=found.decoder),
        outputs,
        PreprocessSpec(size=(64, 64)),
    )
    assert decode([np.full(shape, 0.5, np.float32) for shape in wanted]).text()

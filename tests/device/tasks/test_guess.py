"""What a plain model does, worked out of operators, metadata, shapes and names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.tensors import TensorDtype, TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.guess import Guess, Shown, ends_in_probabilities
from edgeinfer.device.tasks.registry import guess_task, make_decode
from edgeinfer.device.tasks.spec import DetectionSpec
from edgeinfer.device.tasks.task import Said
from edgeinfer.device.tflite.metadata.tflite_metadata import (
    BoxMetadata,
    ModelMetadata,
    TensorMetadata,
)
from tests.device.graph_examples import image, model

IMAGE = TensorSpec(name="image", shape=(1, 257, 257, 3), dtype="float32")
Operators = list[tuple[str, tuple[int, ...], tuple[int, ...]]]


@pytest.mark.parametrize(
    ("operators", "expected"),
    [
        ([("SOFTMAX", (0,), (9,))], True),
        ([("LOGISTIC", (0,), (9,))], True),
        ([("SOFTMAX", (0,), (5,)), ("RESHAPE", (5,), (6,)), ("QUANTIZE", (6,), (9,))], True),
        ([("SOFTMAX", (0,), (5,)), ("FULLY_CONNECTED", (5, 1, 2), (9,))], False),
        ([("RESHAPE", (), (9,))], False),
        ([("RESHAPE", (-1,), (9,))], False),
        ([], False),
    ],
)
def test_the_op_behind_the_output_decides(operators: Operators, expected: bool) -> None:
    assert ends_in_probabilities(model((), operators, inputs=(0,), outputs=(9,))) is expected


def spec(shape: tuple[int, ...], name: str = "out", dtype: TensorDtype = "float32") -> TensorSpec:
    return TensorSpec(name=name, shape=shape, dtype=dtype)


def guess(
    *outputs: TensorSpec,
    operators: Operators | None = None,
    metadata: ModelMetadata | None = None,
    tensors: tuple[int, ...] = (9,),
) -> Guess | None:
    graph = model((), operators or [], inputs=(0,), outputs=tensors)
    return guess_task(Shown(graph=graph, inputs=(IMAGE,), outputs=outputs, metadata=metadata))


@pytest.mark.parametrize(
    ("shape", "last", "task"),
    [
        ((1, 1001), "SOFTMAX", "classification"),
        ((1, 10), "FULLY_CONNECTED", "classification"),
        ((1, 1, 1, 1000), "CONV_2D", "classification"),
        ((1, 1280), "MEAN", "embedding"),
        ((1, 1, 1, 512), "AVERAGE_POOL_2D", "embedding"),
        ((1, 128), "L2_NORMALIZATION", "embedding"),
        ((1, 33, 33, 21), "CONV_2D", "segmentation"),
        ((1, 256, 256, 1), "LOGISTIC", "segmentation"),
        ((1, 1), "FULLY_CONNECTED", "value"),
    ],
)
def test_one_output(shape: tuple[int, ...], last: str, task: str) -> None:
    found = guess(spec(shape), operators=[(last, (0,), (9,))])
    assert found is not None
    assert found.task == task
    assert found.reason


@pytest.mark.parametrize("shape", [(2, 10), (1, 5, 10), (1, 2, 3, 4, 5)])
def test_one_output_that_is_nothing_known(shape: tuple[int, ...]) -> None:
    assert guess(spec(shape)) is None


def test_an_argmax_tells_how_many_classes_there_are() -> None:
    tensors = [image(1, 257, 257, *((21,) if index == 5 else ())) for index in range(10)]
    graph = model(
        tensors, [("ARG_MAX", (5, 6), (8,)), ("CAST", (8,), (9,))], inputs=(0,), outputs=(9,)
    )
    found = guess_task(
        Shown(graph=graph, inputs=(IMAGE,), outputs=(spec((1, 257, 257), dtype="int32"),))
    )
    assert found is not None
    assert (found.task, found.classes) == ("segmentation", 21)


BOXES, COUNT = spec((1, 10, 4), "StatefulPartitionedCall:3"), spec((1,), "x")


def of(found: Guess | None) -> DetectionSpec:
    assert found is not None
    assert found.decoder.detection is not None
    return found.decoder.detection


def test_detectors_of_tensorflow_1_and_2_differ_in_order() -> None:
    first, second = spec((1, 10), "a"), spec((1, 10), "b")
    assert of(guess(BOXES, first, second, COUNT)) == DetectionSpec()
    found = of(guess(first, BOXES, COUNT, second))
    assert (found.scores, found.boxes, found.count, found.classes) == (0, 1, 2, 3)


def test_names_are_believed_before_the_order() -> None:
    scores, classes = spec((1, 10), "detection_scores"), spec((1, 10), "b")
    assert of(guess(BOXES, scores, classes)).scores == 1
    assert of(guess(BOXES, spec((1, 10), "x"), spec((1, 10), "class_ids"))).classes == 2
    assert of(guess(BOXES, scores, classes)).count is None


def said(name: str, **fields: object) -> TensorMetadata:
    return TensorMetadata(name=name, description="", **fields)  # type: ignore[arg-type]


def test_metadata_is_believed_before_names() -> None:
    form = BoxMetadata(form="center-size", order=(0, 1, 2, 3), unit="pixel")
    metadata = ModelMetadata(
        name="", description="", version="", author="", license="",
        inputs=(said("image"),),
        outputs=(
            said("score", min_score=0.25), said("location", box=form), said("number"),
            said("category", label_files=("labels.txt",)),
        ),
    )  # fmt: skip
    first, second = spec((1, 10), "a"), spec((1, 10), "b")
    found = guess(first, BOXES, COUNT, second, metadata=metadata)
    assert of(found) == DetectionSpec(
        scores=0, boxes=1, count=2, classes=3,
        form="center-size", order=(0, 1, 2, 3), unit="pixel", min_score=0.25,
    )  # fmt: skip
    assert found is not None
    assert (found.reason, found.skips_background, found.labels_output) == ("", False, 3)
    swapped = replace(
        metadata, outputs=(metadata.outputs[3], *metadata.outputs[1:3], metadata.outputs[0])
    )
    assert of(guess(first, BOXES, COUNT, second, metadata=swapped)).classes == 0


def test_the_post_processing_operator_is_believed_before_all() -> None:
    step: Operators = [("TFLite_Detection_PostProcess", (1, 2, 3), (4, 5, 6, 7))]
    outputs = [spec((1, 10), "classes"), COUNT, spec((1, 10), "scores"), BOXES]
    # The graph's outputs: scores, count, classes, boxes, whatever their names say.
    found = of(guess(*outputs, operators=step, tensors=(6, 7, 5, 4)))
    assert (found.scores, found.count, found.classes, found.boxes) == (0, 1, 2, 3)


def test_posenets_are_known_by_their_channels() -> None:
    heat, offsets, ways = spec((1, 9, 9, 17)), spec((1, 9, 9, 34)), spec((1, 9, 9, 32))
    found = guess(offsets, heat, ways, ways)
    assert found is not None
    pose = found.decoder.pose
    assert pose is not None
    assert (pose.heatmaps, pose.offsets, pose.displacements) == (1, 0, (2, 3))
    assert pose.stride == 32
    single = guess(spec((1, 16, 16, 14)), spec((1, 16, 16, 28)))
    assert single is not None
    assert single.decoder.pose is not None
    assert (single.decoder.pose.displacements, single.classes) == ((), 14)


@pytest.mark.parametrize(
    "shapes",
    [
        [(1, 10, 4), (1, 10), (1, 9), (1,)],
        [(1, 10, 5), (1, 10), (1, 10), (1,)],
        [(1, 9, 9, 17), (1, 9, 9, 33)],
        [(1, 9, 9, 17), (1, 9, 8, 34)],
        [(1, 9, 9, 17), (1, 9, 9, 34), (1, 9, 9, 5)],
        [(1, 10), (1, 10)],
        [(1, 10)] * 5,
    ],
)
def test_outputs_that_are_nothing_known(shapes: list[tuple[int, ...]]) -> None:
    assert guess(*(spec(shape, str(number)) for number, shape in enumerate(shapes))) is None


@given(
    shapes=st.lists(
        st.lists(st.sampled_from([1, 2, 4, 9, 17, 32, 34, 64]), max_size=4), min_size=1, max_size=4
    )
)
def test_what_is_guessed_can_be_decoded(shapes: list[list[int]]) -> None:
    outputs = [spec(tuple(shape), str(number)) for number, shape in enumerate(shapes)]
    found = guess(*outputs)
    if found is None:
        return
    named = found.task not in ("embedding", "value")
    labels = tuple(map(str, range(found.classes or 0))) if named else ()
    decode = make_decode(
        found.task,
        Said(labels=labels, decoder=found.decoder, value=found.value),
        outputs,
        PreprocessSpec(size=(257, 257)),
    )
    prediction = decode([np.zeros(output.shape, np.float32) for output in outputs])
    assert prediction.text()
    assert prediction.headline

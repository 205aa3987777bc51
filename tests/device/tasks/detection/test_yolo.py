"""Every layout of YOLO in a `.tflite`: what a test encodes comes back in pixels of the picture."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeinfer.device.core.errors import ModelError, UsageError
from edgeinfer.device.models.model import Model
from edgeinfer.device.preprocess import PreprocessSpec, place
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.tasks.classification.prediction import Classification
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.pose.prediction import Poses
from tests.device.metadata_examples import (
    label_file,
    model_metadata,
    tensor_metadata,
    with_metadata,
)
from tests.device.yolo_examples import (
    CELLS,
    NAMES,
    SIZE,
    Output,
    Reals,
    Thing,
    candidates,
    in_model,
    metadata,
    picked,
    seeing,
    yolo,
    yolo_model,
)

PICTURES = ((640, 480), (1280, 720))
INT8: Any = {"dtype": "int8", "scale": 1 / 255, "zero_point": -128}
STEP_PX = 2 * 1280 / SIZE[0] * SIZE[0] / 255
"""Two steps of an 8-bit ratio, in pixels of the larger picture."""


def things(picture: tuple[int, int]) -> list[Thing]:
    width, height = picture
    return [
        Thing(box=(0.1 * width, 0.2 * height, 0.4 * width, 0.6 * height), label=1, score=0.9),
        # Of another class in nearly the same place, and of the same class elsewhere.
        Thing(box=(0.1 * width, 0.2 * height, 0.41 * width, 0.6 * height), label=2, score=0.8),
        Thing(box=(0.6 * width, 0.1 * height, 0.9 * width, 0.9 * height), label=1, score=0.6),
    ]


def answers(tmp_path: Path, data: bytes, **options: Any) -> Iterator[tuple[tuple[int, int], Any]]:
    """Open a model, whose objects are encoded for the first picture, and answer both."""
    path = tmp_path / "yolo.tflite"
    path.write_bytes(data)
    with Model.open(path, OpenOptions(**options)) as model:
        for picture in PICTURES:
            yield picture, model.predict(np.zeros((picture[1], picture[0], 3), np.uint8))


def moved(points: Any, picture: tuple[int, int]) -> Reals:
    """Return where points of the first picture are in another one that fills the model's image."""
    spec = PreprocessSpec(size=SIZE, crop="letterbox")
    return place(spec, picture).to_frame(in_model(np.asarray(points), PICTURES[0]))


def predicted(tmp_path: Path, data: bytes, picture: tuple[int, int], **options: Any) -> Any:
    path = tmp_path / "yolo.tflite"
    path.write_bytes(data)
    with Model.open(path, OpenOptions(**options)) as model:
        return model.predict(np.zeros((picture[1], picture[0], 3), np.uint8))


def layout(name: str, picture: tuple[int, int]) -> bytes:
    """Return the file of a layout whose objects are `things`."""
    found = things(picture)
    plain = candidates(found, picture)
    detect = metadata("detect")
    anchored = candidates(found, picture, count=3 * CELLS, objectness=True)
    if name == "v8, v11, with metadata":
        return yolo([Output(values=plain.T[None])], behind=detect)
    if name == "planes of channels":
        return yolo([Output(values=plain.T[None])], behind=detect, channels_first=True)
    if name == "v26, end to end, planes of channels":
        outputs = [Output(values=picked(found, picture)[None])]
        return yolo(outputs, behind=metadata("detect", end2end=True), channels_first=True)
    if name == "without metadata":
        return yolo([Output(values=plain.T[None])])
    if name == "transposed":
        return yolo([Output(values=plain[None])], behind=detect)
    if name == "in pixels":
        pixels = candidates(found, picture, pixels=True)
        return yolo([Output(values=pixels.T[None])], behind=detect)
    if name == "integers":
        return yolo([Output(values=plain.T[None], **INT8)], behind=detect, integer=True)
    if name == "transposed integers, no metadata":
        return yolo([Output(values=plain[None], **INT8)], integer=True)
    if name == "yolov5":
        return yolo([Output(values=anchored[None])])
    if name == "yolov5 with metadata":
        return yolo([Output(values=anchored[None])], behind=detect)
    if name == "yolov5, integers":
        return yolo([Output(values=anchored[None], **INT8)], behind=detect, integer=True)
    if name == "yolov5, transposed":
        return yolo([Output(values=anchored.T[None])])
    if name == "v10, v26, end to end":
        behind = metadata("detect", end2end=True)
        return yolo([Output(values=picked(found, picture)[None])], behind=behind)
    if name == "end to end, no metadata":
        return yolo([Output(values=picked(found, picture)[None])])
    assert name == "end to end, in ratios"
    ratios = picked(found, picture) / np.array([*SIZE, *SIZE, 1, 1])
    return yolo([Output(values=ratios[None])], behind=metadata("detect", args={"nms": True}))


LAYOUTS = (
    "v8, v11, with metadata",
    "planes of channels",
    "v26, end to end, planes of channels",
    "without metadata",
    "transposed",
    "in pixels",
    "integers",
    "transposed integers, no metadata",
    "yolov5",
    "yolov5 with metadata",
    "yolov5, integers",
    "yolov5, transposed",
    "v10, v26, end to end",
    "end to end, no metadata",
    "end to end, in ratios",
)


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_boxes_come_back(tmp_path: Path, name: str) -> None:
    integers = "integers" in name
    encoded = [list(thing.box) for thing in things(PICTURES[0])]
    for picture, found in answers(tmp_path, layout(name, PICTURES[0]), labels=NAMES):
        assert isinstance(found, Detections)
        assert found.names == ["dog", "fox", "dog"]
        tolerance = 0.01 if integers else 1e-6
        assert found.scores.tolist() == pytest.approx([0.9, 0.8, 0.6], abs=tolerance)
        expected = moved(np.reshape(encoded, (-1, 2, 2)), picture).reshape(-1, 4)
        assert np.abs(found.boxes - expected).max() < (STEP_PX if integers else 0.01)


def test_names_and_how_pictures_are_fed_are_read_behind_the_model(tmp_path: Path) -> None:
    path = tmp_path / "yolo.tflite"
    path.write_bytes(layout("v8, v11, with metadata", PICTURES[0]))
    with Model.open(path) as model:
        spec = model.preprocessor.spec
        assert (model.task, model.labels) == ("detection", NAMES)
        assert (spec.crop, spec.pad_value, spec.mean, spec.std) == (
            "letterbox",
            114,
            (0, 0, 0),
            (255, 255, 255),
        )
        assert not any("taken for" in note for note in model.notes)
    path.write_bytes(layout("without metadata", PICTURES[0]))
    with Model.open(path) as model:
        assert any("taken for a YOLO" in note for note in model.notes)
        assert model.labels == ("class 0", "class 1", "class 2")


@pytest.mark.parametrize("picture", PICTURES)  # of one file, which is tried out once
def test_what_is_seen_is_where_it_is(tmp_path: Path, picture: tuple[int, int]) -> None:
    path = tmp_path / "seeing.tflite"
    path.write_bytes(seeing())
    # A green cell of 16 pixels in the model's image, and where that is in the picture.
    frame = np.zeros((picture[1], picture[0], 3), np.uint8)
    cell = np.array([[48.0, 32.0], [64.0, 48.0]])
    origin, unit = in_model(np.array([[0.0, 0.0], [1.0, 1.0]]), picture)
    (left, top), (right, bottom) = (cell - origin) / (unit - origin)
    frame[round(top) : round(bottom), round(left) : round(right), 1] = 255
    with Model.open(path, OpenOptions(min_score=0.95)) as model:
        found = model.predict(frame)
    assert isinstance(found, Detections)
    # One cell of 16 pixels, and within it four of 8; none is covered by another by more than 0.7.
    assert set(found.names) == {"dog"}
    sizes = (found.boxes[:, 2:] - found.boxes[:, :2]).prod(axis=1)
    assert len(found) == 5
    assert found.boxes[sizes.argmax()] == pytest.approx([left, top, right, bottom], abs=1)


def test_options_say_which_objects_are_kept(tmp_path: Path) -> None:
    picture = PICTURES[0]
    data = layout("v8, v11, with metadata", picture)
    assert len(predicted(tmp_path, data, picture, min_score=0.7)) == 2
    # With their neighbours, which overlap by some 0.92.
    assert len(predicted(tmp_path, data, picture, iou=0.99)) == 6
    data = layout("v10, v26, end to end", picture)
    assert len(predicted(tmp_path, data, picture, min_score=0.7)) == 2
    with pytest.raises(UsageError, match="leaves out overlapping objects itself"):
        predicted(tmp_path, data, picture, iou=0.5)


@pytest.mark.parametrize(
    ("behind", "options", "message"),
    [
        (metadata("detect") | {"names": ["a", "b", "c", "d", "e"]}, {}, "5 labels for 3 classes"),
        (metadata("detect") | {"names": ["a"]}, {}, "1 labels for 3 classes"),
        (None, {"labels": ("a", "b")}, "2 labels for 3 classes"),
        (metadata("segment"), {}, r"cannot be read|outputs \(1, 7, 126\)"),
        (metadata("pose", kpt_shape=[17, 3]), {}, r"outputs \(1, 7, 126\)"),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, behind: dict[str, Any] | None, options: Any, message: str
) -> None:
    values = candidates(things(PICTURES[0]), PICTURES[0]).T[None]
    with pytest.raises(ModelError, match=message):
        predicted(tmp_path, yolo([Output(values=values)], behind=behind), PICTURES[0], **options)


# Masks: eight prototypes, of which the first two are the left and the upper half of the image.
PROTOTYPES = 8


def prototypes() -> Reals:
    rows, columns = SIZE[1] // 4, SIZE[0] // 4
    maps = np.zeros((rows, columns, PROTOTYPES))
    maps[:, : columns // 2, 0] = 1
    maps[:, columns // 2 :, 0] = -1
    maps[: rows // 2, :, 1] = 1
    maps[rows // 2 :, :, 1] = -1
    return maps


def masked(picture: tuple[int, int]) -> list[Thing]:
    width, height = picture
    left_half, upper_half = [1, 0, *[0] * 6], [0, 1, *[0] * 6]
    box = (0.25 * width, 0.25 * height, 0.75 * width, 0.75 * height)
    return [
        Thing(box=box, label=0, score=0.9, extras=left_half),
        Thing(box=box, label=1, score=0.8, extras=upper_half),
    ]


def segmenter(name: str, picture: tuple[int, int]) -> bytes:
    rows = candidates(masked(picture), picture)
    maps = prototypes()
    behind = metadata("segment")
    if name == "float":
        return yolo([Output(values=rows.T[None]), Output(values=maps[None])], behind=behind)
    if name == "channels first":
        first = Output(values=np.moveaxis(maps, 2, 0)[None])
        outputs = [Output(values=rows.T[None]), first]
        return yolo(outputs, behind=behind, channels_first=True)
    if name == "without metadata":
        return yolo([Output(values=rows.T[None]), Output(values=maps[None])])
    if name == "end to end":
        objects = picked(masked(picture), picture)
        outputs = [Output(values=objects[None]), Output(values=maps[None])]
        return yolo(outputs, behind=metadata("segment", end2end=True))
    if name == "yolov5":
        rows = candidates(masked(picture), picture, count=3 * CELLS, objectness=True)
        return yolo([Output(values=rows[None]), Output(values=maps[None])], behind=behind)
    assert name == "integers, prototypes first"
    coded: Any = {"dtype": "int8", "scale": 2 / 255, "zero_point": 0}
    return yolo(
        [Output(values=maps[None], **coded), Output(values=rows.T[None], **INT8)],
        behind=behind,
        integer=True,
    )


@pytest.mark.parametrize(
    "name",
    [
        "float",
        "channels first",
        "without metadata",
        "end to end",
        "yolov5",
        "integers, prototypes first",
    ],
)
def test_masks_come_back(tmp_path: Path, name: str) -> None:
    box = np.reshape(masked(PICTURES[0])[0].box, (2, 2))
    for picture, found in answers(tmp_path, segmenter(name, PICTURES[0]), labels=NAMES):
        assert isinstance(found, Detections)
        assert found.names == ["cat", "dog"]
        assert found.masks is not None
        left, upper = found.masks
        for half, mask in ((left, left), (upper, upper.T)):
            middle = mask.shape[1] / 2
            assert half.dtype == np.uint8
            assert mask[:, : math.floor(middle) - 1].all()
            assert not mask[:, math.ceil(middle) + 1 :].any()
        half_px = np.prod(np.diff(moved(box, picture), axis=0)) / 2
        expected = half_px / (picture[0] * picture[1])
        assert found.areas is not None
        assert found.areas.tolist() == pytest.approx([expected, expected], abs=0.015)
        document: Any = found.to_json()
        assert document["detections"][0]["area"] == pytest.approx(expected, abs=0.015)


POINTS = 17


def points_of(picture: tuple[int, int]) -> Reals:
    """Return the keypoints of the one person in a picture."""
    return np.stack(
        [np.linspace(0.1, 0.9, POINTS) * picture[0], np.linspace(0.9, 0.2, POINTS) * picture[1]], 1
    )


def posed(picture: tuple[int, int], *, pixels: bool) -> list[Thing]:
    placed = in_model(points_of(picture), picture) / (1 if pixels else np.array(SIZE))
    extras = np.concatenate([placed, np.linspace(0, 1, POINTS)[:, None]], axis=1).reshape(-1)
    box = (0.1 * picture[0], 0.2 * picture[1], 0.9 * picture[0], 0.9 * picture[1])
    return [Thing(box=box, label=0, score=0.8, extras=extras.tolist())]


@pytest.mark.parametrize("name", ["v8", "without metadata", "in pixels", "end to end"])
def test_keypoints_come_back(tmp_path: Path, name: str) -> None:
    pixels = name in ("in pixels", "end to end")
    people = posed(PICTURES[0], pixels=pixels)
    behind: dict[str, Any] | None = metadata("pose", kpt_shape=[POINTS, 3]) | {"names": ["person"]}
    values = candidates(people, PICTURES[0], classes=1, pixels=pixels).T
    if name == "without metadata":
        behind = None
    if name == "end to end":
        values = picked(people, PICTURES[0])
        behind = {**(behind or {}), "end2end": True}
    for picture, found in answers(tmp_path, yolo([Output(values=values[None])], behind=behind)):
        assert isinstance(found, Poses)
        assert found.names[0] == "nose"
        assert found.keypoints.shape == (1, POINTS, 2)
        expected = moved(points_of(PICTURES[0]), picture)
        assert np.abs(found.keypoints[0] - expected).max() < 0.01
        assert found.keypoint_scores[0] == pytest.approx(np.linspace(0, 1, POINTS), abs=1e-6)
        assert found.scores.tolist() == pytest.approx([0.8])


def test_of_a_pose_the_boxes_may_be_wanted(tmp_path: Path) -> None:
    picture = PICTURES[0]
    values = candidates(posed(picture, pixels=False), picture, classes=1).T[None]
    behind = metadata("pose", kpt_shape=[POINTS, 3]) | {"names": ["person"]}
    data = yolo([Output(values=values)], behind=behind)
    found = predicted(tmp_path, data, picture, task="detection")
    assert isinstance(found, Detections)
    assert found.names == ["person"]


@pytest.mark.parametrize("name", ["v8", "integers", "end to end"])
def test_turned_boxes_come_back(tmp_path: Path, name: str) -> None:
    integers = name == "integers"
    width, height = PICTURES[0]
    box = (0.3 * width, 0.4 * height, 0.7 * width, 0.6 * height)
    # In the same place, turned the other way: hardly an overlap.
    turned = [Thing(box=box, label=1, score=0.9, extras=[0.5])]
    turned += [Thing(box=box, label=1, score=0.8, extras=[1.2])]
    values, behind = candidates(turned, PICTURES[0]).T, metadata("obb")
    coding: Any = {"dtype": "int8", "scale": 1.5 / 255, "zero_point": -128} if integers else {}
    if name == "end to end":
        values = picked(turned, PICTURES[0], turned=True)
        behind = metadata("obb", end2end=True)
    data = yolo([Output(values=values[None], **coding)], behind=behind, integer=integers)
    for picture, found in answers(tmp_path, data):
        assert isinstance(found, Detections)
        assert found.names == ["dog", "dog"]
        assert found.angles is not None
        # Whole pixels of the letterbox make the two scales differ by less than a hundredth.
        assert found.angles.tolist() == pytest.approx([0.5, 1.2], abs=0.02)
        expected = moved(np.reshape(box, (2, 2)), picture).reshape(-1)
        limit = 4 * STEP_PX if integers else 0.02 * picture[0]
        assert np.abs(found.boxes[0] - expected).max() < limit
        document: Any = found.to_json()
        first = document["detections"][0]
        assert first["angle"] == pytest.approx(0.5, abs=0.02)
        centre = np.mean(first["corners"], axis=0)
        assert centre == pytest.approx([picture[0] / 2, picture[1] / 2], abs=STEP_PX)


@pytest.mark.parametrize("integers", [False, True])
def test_a_classifier(tmp_path: Path, integers: bool) -> None:
    values = np.array([[0.1, 0.7, 0.2]])
    coding: Any = {"dtype": "uint8", "scale": 1 / 256, "zero_point": 0} if integers else {}
    data = yolo([Output(values=values, **coding)], behind=metadata("classify"), integer=integers)
    path = tmp_path / "yolo.tflite"
    path.write_bytes(data)
    with Model.open(path) as model:
        assert model.preprocessor.spec.crop == "center-crop"
        found = model.predict(np.zeros((480, 640, 3), np.uint8))
    assert isinstance(found, Classification)
    assert found.label == "dog"
    assert found.probability == pytest.approx(0.7, abs=1 / 256)


def test_a_model_of_many_classes_and_large_pictures(tmp_path: Path) -> None:
    picture, size = (1280, 720), (640, 640)
    found_things: Sequence[Thing] = things(picture)
    values = candidates(found_things, picture, count=8400, classes=80, size=size).T[None]
    found = predicted(tmp_path, yolo([Output(values=values)], size=size), picture)
    assert isinstance(found, Detections)
    assert np.abs(found.boxes - [thing.box for thing in found_things]).max() < 0.01


@pytest.mark.parametrize("name", ["temp_meta.txt", "meta.txt"])
def test_older_exporters_call_their_metadata_a_label_file(tmp_path: Path, name: str) -> None:
    # As TFLite Metadata has it: a label file of the first output.
    picture = PICTURES[0]
    people = posed(picture, pixels=False)
    names = {0: "person"}
    document: dict[str, Any] = {"stride": 32, "names": names}
    if name == "temp_meta.txt":
        document |= {"task": "pose", "kpt_shape": [POINTS, 3]}
    values = candidates(people, picture, classes=1).T[None]
    described = model_metadata(
        [tensor_metadata("image")], [tensor_metadata("output", files=[label_file(name)])]
    )
    data = with_metadata(
        yolo_model([Output(values=values)]), described, {name: str(document).encode()}
    )
    found = predicted(tmp_path, data, picture, input_range="0..1")
    assert isinstance(found, Poses)
    assert found.names[0] == "nose"


def test_the_names_of_the_first_yolov5_are_read(tmp_path: Path) -> None:
    picture = PICTURES[0]
    rows = candidates(things(picture), picture, count=3 * CELLS, objectness=True)
    described = model_metadata([tensor_metadata("image")], [tensor_metadata("output")])
    document = {"stride": 32, "names": dict(enumerate(NAMES))}
    files = {"meta.txt": str(document).encode()}
    data = with_metadata(yolo_model([Output(values=rows[None])]), described, files)
    found = predicted(tmp_path, data, picture)
    assert isinstance(found, Detections)
    assert found.names == ["dog", "fox", "dog"]
    assert found.labels == NAMES

"""Other people's models on photographs whose answers are known, through `predict` and `run`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edgeinfer.device.models.model import Model
from edgeinfer.device.pictures.decode import encode_png, read_image
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.tasks.classification.prediction import Classification
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.pose.prediction import Poses
from edgeinfer.device.tasks.segmentation.prediction import Mask
from tests.device.detector_example import LABELS, detector
from tests.device.tflite_examples import (
    Node,
    Number,
    Numbers,
    encode,
    operator,
    operator_code,
    quantization,
    tensor,
)
from tests.support.program import edgeinfer, edgeinfer_here, error_line

CATS = ("Egyptian cat", "tabby, tabby cat", "tiger cat")
CLASSIFIERS = (
    "mobilenet_v1_0.25_128_quant",
    "mobilenet_v1_0.5_160_quant",
    "mobilenet_v2_1.0_224_quant",
    "tf2_mobilenet_v2_1.0_224_ptq",
)
DEEPLAB = "deeplabv3_mnv2_dm05_pascal_quant"
POSENET = "posenet_mobilenet_v1_075_353_481_16_quant_decoder"
BIRD = 3
"""The bird's class in Pascal VOC and in the mask drawn by hand."""


@pytest.fixture(scope="module")
def coral(shared_data: Path) -> Path:
    return shared_data / "coral"


def answers(
    *arguments: object, run: Callable[..., CompletedProcess[str]] = edgeinfer
) -> list[dict[str, Any]]:
    done = run(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_labels_are_not_off_by_one(coral: Path, name: str) -> None:
    photos = [coral / photo for photo in ("cat.bmp", "parrot.jpg", "hot_dog.jpg")]
    cat, parrot, hot_dog = answers(
        "predict", *photos, "--model", coral / f"{name}.tflite",
        "--labels", coral / "imagenet_labels.txt", run=edgeinfer_here,
    )  # fmt: skip
    assert cat["label"] in CATS
    assert parrot["label"] == "macaw"
    # The smallest of them, right on two pictures of five, takes the hot dog for a gecko or a conch,
    # with other people's resizing as well.
    if name != "mobilenet_v1_0.25_128_quant":
        assert hot_dog["label"] == "hotdog, hot dog, red hot"


@pytest.mark.parametrize("name", [name for name in CLASSIFIERS if "v2_1.0_224_quant" not in name])
def test_labels_in_the_metadata_are_found(coral: Path, name: str) -> None:
    with Model.open(coral / f"{name}.tflite") as model:
        answer = model.predict(read_image(coral / "cat.bmp"))
        (note,) = model.notes
        assert "its input's quantization covers" in note, "the metadata says the rest"
    assert isinstance(answer, Classification)
    assert answer.label in CATS


def test_run_answers_a_folder_of_photographs(coral: Path, tmp_path: Path) -> None:
    for number, name in enumerate(("cat.bmp", "parrot.jpg")):
        (tmp_path / f"{number}-{name}").write_bytes((coral / name).read_bytes())
    model = coral / "tf2_mobilenet_v2_1.0_224_ptq.tflite"
    first, second, summary = answers("run", "--camera", tmp_path, "--model", model)
    assert first["label"] in CATS
    assert second["label"] == "macaw"
    assert summary["summary"]["frames"] == 2


def overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Intersection over union."""
    return float((one & other).sum() / (one | other).sum())


def test_deeplabs_mask_is_that_of_the_bird(coral: Path) -> None:
    truth = cv2.imread(str(coral / "bird_segmentation_mask.bmp"), cv2.IMREAD_UNCHANGED)
    picture = read_image(coral / "bird_segmentation.bmp")
    with Model.open(coral / f"{DEEPLAB}.tflite") as model:
        whole = model.predict(picture)
        # As a camera's frame of another shape: the mask goes back into its pixels.
        wide = model.predict(np.asarray(cv2.resize(picture, (1024, 342)), np.uint8))
    assert isinstance(whole, Mask)
    assert isinstance(wide, Mask)
    # 0.82 was seen; the model takes the feathers below for a dog.
    assert overlap(whole.in_picture() == BIRD, truth == BIRD) > 0.8
    assert overlap(whole.in_picture() > 0, truth > 0) > 0.87
    truth = cv2.resize(truth, (1024, 342), interpolation=cv2.INTER_NEAREST)
    assert overlap(wide.in_picture() == BIRD, truth == BIRD) > 0.75


def test_deeplabs_labels_and_a_remark_below_them(coral: Path) -> None:
    (answer,) = answers(
        "predict", coral / "bird_segmentation.bmp", "--model", coral / f"{DEEPLAB}.tflite",
        "--labels", coral / "pascal_voc_segmentation_labels.txt",
    )  # fmt: skip
    background, bird, *_ = answer["areas"]
    assert (background["label"], bird["label"]) == ("background", "bird")
    assert 0.15 < bird["area"] < 0.2
    assert answer["size"] == [513, 513]


def test_posenets_keypoints_are_where_they_are_seen(coral: Path) -> None:
    with Model.open(coral / f"{POSENET}.tflite") as model:
        answer = model.predict(read_image(coral / "grace_hopper.bmp"))
    assert isinstance(answer, Poses)
    assert len(answer) == 1
    places = dict(zip(answer.names, answer.keypoints[0], strict=True))
    scores = dict(zip(answer.names, answer.keypoint_scores[0], strict=True))
    # Read off the photograph of 512x600, a face 200 pixels wide; her left is the picture's right.
    seen = {
        "nose": (264, 230),
        "left eye": (302, 195),
        "right eye": (226, 195),
        "left ear": (360, 220),
        "right ear": (160, 220),
        "left shoulder": (465, 440),
        "right shoulder": (65, 440),
    }
    for name, place in seen.items():
        assert np.linalg.norm(places[name] - place) < 25, name
        assert scores[name] > 0.3, name
    assert max(scores[name] for name in scores if name not in seen) < 0.2, "below the picture"


def test_posenet_counts_people_of_a_video(shared_data: Path, coral: Path) -> None:
    clip = shared_data / "video" / "one-by-one-person-detection.mp4"
    *lines, _ = answers(
        "run", "--camera", clip, "--model", coral / f"{POSENET}.tflite", "--every", "60",
    )  # fmt: skip
    # They come through a door one by one; between them the room is empty.
    counts = [len(line["poses"]) for line in lines]
    assert set(counts) == {0, 1}
    assert 12 <= sum(counts) <= 20


def test_a_model_that_needs_an_unknown_operator_says_which(coral: Path) -> None:
    done = edgeinfer("predict", coral / "cat.bmp", "--model", coral / "model_invoking_error.tflite")
    line = error_line(done)
    assert "model_invoking_error.tflite" in line
    assert "needs the custom operator 'fake-op-double'" in line


def divides(by_picture: bool) -> bytes:
    """A classifier by its shapes that every runtime loads, and that divides by zero.

    Args:
        by_picture: only where the picture is black; else always.
    """
    tensors = [
        tensor("image", [1, 1, 1, 3], "uint8", quantization=quantization([1.0], [0])),
        tensor("ones", [1, 3], "int32", 1),
        tensor("zeros", [1, 3], "int32", 2),
        tensor("shape", [2], "int32", 3),
        tensor("numbers", [1, 1, 1, 3], "int32"),
        tensor("row", [1, 3], "int32"),
        tensor("scores", [1, 3], "int32"),
    ]
    operators = [
        operator([0], [4], 1),
        operator([4, 3], [5], 2),
        # Its options, DivOptions, are number 29 of their union.
        operator([1, 5 if by_picture else 2], [6]) | {3: Number("B", 29), 4: {}},
    ]
    numbers = ([[1, 2, 3]], [[0, 0, 0]], [1, 3])
    buffers: list[dict[int, Node]] = [
        {0: np.array(number, np.int32).tobytes()} for number in numbers
    ]
    return encode(
        {
            0: Number("I", 3),
            1: [operator_code("DIV", 2), operator_code("CAST"), operator_code("RESHAPE")],
            2: [
                {
                    0: tensors,
                    1: Numbers("i", [0]),
                    2: Numbers("i", [6]),
                    3: operators if by_picture else operators[-1:],
                }
            ],
            4: [{}, *buffers],
        }
    )


@pytest.mark.parametrize("by_picture", [True, False])
def test_a_model_that_fails_while_it_runs_is_one_line(tmp_path: Path, by_picture: bool) -> None:
    """Where it fails with whatever it gets, its first opening tells; it is not remembered."""
    (tmp_path / "zero.tflite").write_bytes(divides(by_picture))
    (tmp_path / "photo.png").write_bytes(encode_png(np.zeros((8, 8, 3), np.uint8)))
    env = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    says = "error: inference: " if by_picture else f"error: {tmp_path}/zero.tflite: cannot be run: "
    for command in (["predict", tmp_path / "photo.png"], ["run", "--camera", tmp_path]):
        done = edgeinfer(*command, "--model", tmp_path / "zero.tflite", env=env)
        lines = done.stderr.splitlines()
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert lines[-1].startswith(says), lines


@pytest.mark.parametrize("runtime", ["ai-edge-litert", "tflite-runtime"])
def test_both_runtimes_see_the_same_objects(tmp_path: Path, runtime: str) -> None:
    picture = np.zeros((200, 400, 3), np.uint8)
    picture[:100, :200, 1] = 250
    picture[100:, 200:, 2] = 200
    (tmp_path / "photo.png").write_bytes(encode_png(picture))
    (tmp_path / "labels.txt").write_text("\n".join(("???", *LABELS)))
    (tmp_path / "detector.tflite").write_bytes(detector())
    done = edgeinfer(
        "predict", tmp_path / "photo.png", "--model", tmp_path / "detector.tflite",
        "--labels", tmp_path / "labels.txt", "--input-range", "-1..1", "--json",
        env={"EDGEINFER_RUNTIME": runtime},
    )  # fmt: skip
    if "is not installed" in done.stderr:
        pytest.skip(f"{runtime} is not installed")
    answer = json.loads(done.stdout)
    assert [found["label"] for found in answer["detections"]] == ["cat", "dog"]
    assert [found["box"] for found in answer["detections"]] == [
        pytest.approx([0, 0, 200, 100], abs=0.5),
        pytest.approx([200, 100, 400, 200], abs=0.5),
    ]
    assert "taken for a detector" in done.stderr
    assert "the label '???' is not a class" in done.stderr


def test_several_outputs_come_through_a_delegates_worker(
    coral: Path, reference_delegate: Path
) -> None:
    model = coral / f"{POSENET}.tflite"
    plain = answers("predict", coral / "grace_hopper.bmp", "--model", model)
    through = answers(
        "predict", coral / "grace_hopper.bmp", "--model", model,
        "--delegate", reference_delegate, "--require-delegate",
    )  # fmt: skip
    # Its kernels may be others than those of the CPU's file, which differ by a few steps.
    (one,), (other,) = plain[0]["poses"], through[0]["poses"]
    assert one["score"] == pytest.approx(other["score"], abs=0.05)
    nose, same_nose = one["keypoints"][0], other["keypoints"][0]
    assert (nose["name"], nose["x"]) == ("nose", pytest.approx(same_nose["x"], abs=5))


def test_each_kind_is_a_line_of_80_columns(coral: Path) -> None:
    for name, words in ((DEEPLAB, ", class 3 1"), (POSENET, "1 person: 3")):
        with Model.open(coral / f"{name}.tflite") as model:
            photo = "bird_segmentation.bmp" if name == DEEPLAB else "grace_hopper.bmp"
            text = model.predict(read_image(coral / photo)).text()
        assert words in text
        assert len(text) <= 80


def test_frames_of_any_shape_get_detections_in_their_pixels(tmp_path: Path) -> None:
    (tmp_path / "detector.tflite").write_bytes(detector())
    with Model.open(
        tmp_path / "detector.tflite", OpenOptions(labels=LABELS, input_range="-1..1")
    ) as model:
        for width, height in ((10, 300), (640, 480), (3, 2)):
            picture = np.zeros((height, width, 3), np.uint8)
            picture[..., 1] = 255
            answer = model.predict(picture)
            assert isinstance(answer, Detections)
            assert answer.size == (width, height)
            assert answer.boxes.max(axis=0).tolist() == [
                pytest.approx(value, abs=0.01) for value in (width / 2, height / 2, width, height)
            ]

"""Plain models: labels, normalization, and what is said of guesses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeinfer.device.core.errors import ModelError, UsageError
from edgeinfer.device.core.tensors import TensorDtype
from edgeinfer.device.models.model import Model
from edgeinfer.device.preprocess import Preprocessor
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.runtime.runner import installed_runtimes
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.registry import find_task
from tests.device.detector_example import LABELS, detector
from tests.device.metadata_examples import (
    label_file,
    model_metadata,
    normalization,
    tensor_metadata,
    threshold,
    with_metadata,
)
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


def reshaped(
    classes: int, dtype: TensorDtype = "float32", *, scale: float = 0.0, zero_point: int = 0
) -> TableNode:
    """A classifier whose logits are its pixels: of 1 x N grey ones, N classes."""
    fields: Any = {"quantization": quantization([scale], [zero_point])} if scale else {}
    return {
        0: Number("I", 3),
        1: [operator_code("RESHAPE")],
        2: [
            {
                0: [
                    tensor("image", [1, 1, classes, 1], dtype, **fields),
                    tensor("shape", [2], "int32", 1),
                    tensor("logits", [1, classes], dtype, **fields),
                ],
                1: Numbers("i", [0]),
                2: Numbers("i", [2]),
                3: [operator([0, 1], [2])],
            }
        ],
        4: [{}, {0: np.array([1, classes], np.int32).tobytes()}],
    }


def flat(shape: list[int], dtype: TensorDtype = "float32") -> bytes:
    """A classifier whose logits are its input, in the order of memory."""
    count = int(np.prod(shape))
    model = reshaped(count, dtype)
    graph_of(model)[0][0] = tensor("image", shape, dtype)
    return encode(model)


def graph_of(model: TableNode) -> Any:
    subgraphs: Any = model[2]
    return subgraphs[0]


def colours(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(4).integers(0, 256, (height, width, 3), np.uint8)


def answer(model: Model, pixels: NDArray[np.uint8]) -> list[float]:
    """Return the raw output for a frame."""
    tensor_of_frame = model.preprocessor.tensor(pixels)
    (output,) = model.runner.invoke([tensor_of_frame])
    numbers: list[float] = np.asarray(output, np.float64).ravel().tolist()
    return numbers


def normalized(mean: list[float], std: list[float]) -> TableNode:
    image = tensor_metadata("image", units=[normalization(mean, std)])
    return model_metadata([image], [tensor_metadata("probability")])


def opened(
    tmp_path: Path,
    data: bytes,
    labels: tuple[str, ...] | None = None,
    input_range: str | None = None,
    **options: Any,
) -> Model:
    path = tmp_path / "plain.tflite"
    path.write_bytes(data)
    return Model.open(path, OpenOptions(labels=labels, input_range=input_range, **options))


def test_a_float_input_of_which_nothing_is_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nothing in the file states the range") as caught:
        opened(tmp_path, encode(reshaped(3)))
    assert "--input-range 0..255, 0..1, -1..1 or imagenet" in caught.value.expected


@pytest.mark.parametrize(
    ("options", "mean", "std"),
    [
        ({"input_range": "0..255"}, (0.0,), (1.0,)),
        ({"input_range": "0..1"}, (0.0,), (255.0,)),
        ({"input_range": "-1..1"}, (127.5,), (127.5,)),
        ({"mean": (3.0,), "std": (2.0,)}, (3.0,), (2.0,)),
        ({"mean": (100.0,), "std": (1.0, 2.0, 4.0)}, (100.0,), (1.929,)),
    ],
)
def test_the_user_states_the_range(
    tmp_path: Path, options: Any, mean: tuple[float, ...], std: tuple[float, ...]
) -> None:
    model = opened(tmp_path, encode(reshaped(3)), **options)
    assert model.preprocessor.spec.mean == pytest.approx(mean)
    assert model.preprocessor.spec.std == pytest.approx(std)
    assert not any("pixels are fed" in note for note in model.notes)
    assert any("--labels FILE names them" in note for note in model.notes)


@pytest.mark.parametrize("runtime", installed_runtimes())
@pytest.mark.parametrize(
    ("shape", "layout"),
    [
        ([1, 9, 12, 3], "hwc"),
        ([1, 3, 9, 12], "chw"),
        ([3, 9, 12], "chw"),
        ([1, 9, 12, 1], "hwc"),
        ([1, 1, 9, 12], "chw"),
        ([1, 9, 12], "hw"),
        ([9, 12], "hw"),
    ],
)
def test_the_axes_of_the_input_are_found(
    tmp_path: Path, shape: list[int], layout: str, runtime: Any
) -> None:
    pixels = colours(9, 12)
    model = opened(tmp_path, flat(shape), input_range="0..255", runtime=runtime)
    spec = model.preprocessor.spec
    assert (spec.layout, spec.size) == (layout, (12, 9))
    image = Preprocessor(spec).image(pixels)
    planes = image.transpose(2, 0, 1) if layout == "chw" else image
    assert answer(model, pixels) == planes.ravel().tolist()
    assert any("taken for a grey picture of 12x9" in note for note in model.notes) == (
        layout == "hw"
    )
    assert len(model.predict(pixels).text()) > 0


@pytest.mark.parametrize(
    ("shape", "dtype", "message"),
    [
        ([1, 3, 9, 3], "float32", "its channels may be 3 or 3"),
        ([1, 9, 12, 4], "float32", "4 channels, and cameras give 3.*--channels=rgba feeds 255"),
        ([1, 9, 12, 3], "int32", "its input is int32, expected float32, float16, uint8"),
        ([1, 9, 12, 3], "int8", "int8 without quantization.*expected --mean and --std; --mean=128"),
        ([1, 300], "float32", "input shape is .1, 300., expected .1, height, width, 1 or 3"),
    ],
)
def test_an_input_that_pixels_do_not_fit_is_refused(
    tmp_path: Path, shape: list[int], dtype: TensorDtype, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        opened(tmp_path, flat(shape, dtype))


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize(("input_range", "opaque"), [("0..255", 255), ("0..1", 1), ("-1..1", 1)])
def test_a_fourth_channel_is_opaque(
    tmp_path: Path, first: bool, input_range: str, opaque: int
) -> None:
    pixels = colours(9, 12)
    shape = [1, 4, 9, 12] if first else [1, 9, 12, 4]
    model = opened(tmp_path, flat(shape), input_range=input_range, channels="rgba")
    values = np.array(answer(model, pixels)).reshape(shape)[0]
    assert (values[3] if first else values[..., 3]).tolist() == np.full((9, 12), opaque).tolist()
    if input_range == "0..255":
        colour = values[:3].transpose(1, 2, 0) if first else values[..., :3]
        np.testing.assert_array_equal(colour, pixels)
    with pytest.raises(ModelError, match="has 3 channels"):
        opened(tmp_path, flat([1, 9, 12, 3]), input_range=input_range, channels="rgba")


def test_integers_without_quantization_hold_pixels(tmp_path: Path) -> None:
    pixels = colours(9, 12)
    expected = pixels.astype(float).ravel()
    model = opened(tmp_path, flat([1, 9, 12, 3], "uint8"))
    assert any("its input is uint8" in note for note in model.notes)
    assert answer(model, pixels) == expected.tolist()
    shifted = opened(tmp_path, flat([1, 9, 12, 3], "int8"), mean=(128.0,), std=(1.0,))
    assert answer(shifted, pixels) == (expected - 128).tolist()


@pytest.mark.parametrize("runtime", installed_runtimes())
def test_an_input_of_float16_is_fed(tmp_path: Path, runtime: Any) -> None:
    model = reshaped(9 * 12 * 3)
    graph = graph_of(model)
    model[1] = [operator_code("RESHAPE"), operator_code("DEQUANTIZE", 3)]
    graph[0][0] = tensor("image", [1, 9, 12, 3], "float16")
    graph[0].append(tensor("real", [1, 9, 12, 3], "float32"))
    graph[3] = [operator([0], [3], 1), operator([3, 1], [2])]
    opening = opened(tmp_path, encode(model), input_range="0..255", runtime=runtime)
    pixels = colours(9, 12)
    assert opening.preprocessor.empty().dtype == np.float16
    assert answer(opening, pixels) == pixels.ravel().tolist()


@pytest.mark.parametrize("input_range", ["0..1", "-1..1", "imagenet", "0..255"])
def test_integers_that_cannot_hold_a_range_refuse_it(tmp_path: Path, input_range: str) -> None:
    with pytest.raises(UsageError, match="is int8 without quantization"):
        opened(tmp_path, flat([1, 9, 12, 3], "int8"), input_range=input_range)


@pytest.mark.parametrize(
    "options",
    [
        {"input_range": "0..1", "mean": (0.0,), "std": (1.0,)},
        {"mean": (0.0,)},
        {"std": (1.0,)},
        {"input_range": "0..2"},
        {"input_range": "0..1", "task": "detecton"},
        {"input_range": "0..1", "unit": "bar"},
    ],
)
def test_options_that_contradict_or_do_not_fit_are_refused(tmp_path: Path, options: Any) -> None:
    with pytest.raises(UsageError):
        opened(tmp_path, encode(reshaped(3)), **options)


def test_a_task_that_the_outputs_do_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot be read as task 'detection'"):
        opened(tmp_path, encode(reshaped(3)), input_range="0..1", task="detection")
    model = opened(tmp_path, encode(reshaped(3)), input_range="0..1", task="embedding")
    assert model.task == "embedding"


def test_metadata_says_how_pixels_are_fed(tmp_path: Path) -> None:
    model = opened(tmp_path, with_metadata(reshaped(3), normalized([10.0], [50.0])))
    assert (model.preprocessor.spec.mean, model.preprocessor.spec.std) == ((10.0,), (50.0,))
    tensor_ = model.preprocessor.tensor(np.full((1, 3, 3), 60, np.uint8))
    assert tensor_.reshape(-1).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("dtype", "zero_point", "scale", "mean", "std", "pixel", "value"),
    [
        # Pixels go in as they are, give or take two steps: so they do.
        ("uint8", 128, 1 / 128, 127.5, 127.5, 200, 200),
        ("int8", 0, 1 / 128, 127.5, 127.5, 200, 72),
        # The metadata is about the float model: the input could not hold what it gives.
        ("uint8", 128, 1 / 128, 0.0, 1.0, 200, 200),
        # The input was quantized for other numbers than pixels.
        ("int8", -14, 0.02, 120.0, 60.0, 180, 36),
    ],
)
def test_quantized_inputs_and_metadata(
    tmp_path: Path, dtype: TensorDtype, zero_point: int, scale: float,
    mean: float, std: float, pixel: int, value: int,
) -> None:  # fmt: skip
    graph = reshaped(3, dtype, scale=scale, zero_point=zero_point)
    model = opened(tmp_path, with_metadata(graph, normalized([mean], [std])))
    fed = model.preprocessor.tensor(np.full((1, 3, 3), pixel, np.uint8))
    assert fed.reshape(-1).tolist() == [value] * 3


def test_a_normalization_for_other_channels_is_refused(tmp_path: Path) -> None:
    data = detector()
    assert opened(tmp_path, data, None, "-1..1").preprocessor.spec.depth == 3
    metadata = normalized([1.0, 2.0], [1.0])
    with pytest.raises(ModelError, match=r"mean is .*, expected 3 finite numbers"):
        opened(tmp_path, detector(metadata=metadata))


def detector_metadata() -> TableNode:
    names = ("location", "category", "score", "number of detections")
    outputs = [
        tensor_metadata(
            name,
            units=[threshold(0.8)] if name == "score" else [],
            files=[label_file("names.txt", 3)] if name == "category" else [],
        )
        for name in names
    ]
    image = tensor_metadata("image", units=[normalization([0.0], [255.0])])
    return model_metadata([image], outputs)


def test_a_detectors_metadata_is_believed(tmp_path: Path) -> None:
    files = {"names.txt": b"???\nfox\n", "labels.txt": b"wrong\nwrong\n"}
    model = opened(tmp_path, detector(metadata=detector_metadata(), files=files))
    assert model.notes == ("pixels are fed as (pixel - 0) / 255: its TFLite Metadata states it",)
    # Its labels belong to the classes as they are counted, whatever the first is called.
    assert model.labels == ("class 0", "fox")
    picture = np.zeros((2, 2, 3), np.uint8)
    picture[0, 0, 2], picture[1, 1, 2] = 230, 150
    answer = model.predict(picture)
    assert isinstance(answer, Detections)
    # 150 of 255 is less than the metadata's threshold.
    assert (answer.names, answer.scores.tolist()) == (["fox"], [pytest.approx(230 / 255)])


def test_a_detectors_labels_may_begin_with_the_background(tmp_path: Path) -> None:
    model = opened(tmp_path, detector(), ("background", *LABELS), "-1..1")
    assert model.labels == LABELS
    assert any("'background' is not a class" in note for note in model.notes)
    assert opened(tmp_path, detector(), LABELS, "-1..1").labels == LABELS


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["cat 98", "dog 86", "cat 78"]),
        (
            {"max_classes_per_detection": 2},
            ["cat 98", "dog 86", "cat 78", "dog 71", "cat 59"],
        ),
        # More than the model has: the third entry of each box is whatever was in memory.
        (
            {"max_classes_per_detection": 3},
            ["cat 98", "dog 86", "cat 78", "dog 71", "cat 59"],
        ),
        # Class by class, four objects at most: the count is of entries then.
        (
            {"max_classes_per_detection": 2, "use_regular_nms": True},
            ["cat 98", "dog 86", "cat 78", "dog 71"],
        ),
    ],
)
def test_every_class_of_a_box_that_scores_is_an_object(
    tmp_path: Path, options: dict[str, object], expected: list[str]
) -> None:
    picture = [[[10, 200, 180], [10, 250, 20]], [[20, 150, 220], [255, 0, 20]]]
    data = detector(options=options)
    model = opened(tmp_path, data, LABELS, "0..1")
    answer = model.predict(np.array(picture, np.uint8))
    assert isinstance(answer, Detections)
    found = [f"{name} {score:.0%}" for name, score in answer.ranked(20)]
    assert found == [f"{text}%" for text in expected]
    # What stands for no object is whatever was in memory: no run repeats it.
    tensor_ = model.preprocessor.tensor(np.array(picture, np.uint8))
    task = find_task("detection")
    runs = [
        task.repeatable(model.said, model.runner.invoke([tensor_]), model.runner.outputs)
        for _ in range(2)
    ]
    for first, second in zip(*runs, strict=True):
        np.testing.assert_array_equal(first, second)
    scores = runs[0][2].astype(np.float64)
    assert np.count_nonzero(scores) == np.count_nonzero(scores[scores <= 1]) <= 6


def test_labels_are_counted_against_a_detectors_classes(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"3 labels for 2 classes"):
        opened(tmp_path, detector(), ("bird", *LABELS), "-1..1")
    assert opened(tmp_path, detector(), None, "-1..1").labels == ("class 0", "class 1")


def test_the_least_score_is_an_option(tmp_path: Path) -> None:
    picture = np.array([[[0, 250, 0], [0, 30, 0]], [[0, 0, 0], [0, 0, 180]]], np.uint8)
    for least, count in ((None, 2), (0.1, 3), (0.9, 1)):
        model = opened(tmp_path, detector(), LABELS, "0..1", min_score=least)
        answer = model.predict(picture)
        assert isinstance(answer, Detections)
        assert len(answer) == count


def test_outputs_in_any_order_under_any_names(tmp_path: Path) -> None:
    picture = np.zeros((2, 2, 3), np.uint8)
    picture[0, 1, 1] = 255
    for order in (
        ("scores", "boxes", "count", "classes"),
        ("count", "classes", "boxes", "scores"),
    ):
        data = detector(order, names=("scores", "boxes", "count", "classes"))
        answer = opened(tmp_path, data, LABELS, "-1..1").predict(picture)
        assert isinstance(answer, Detections)
        assert answer.names == ["cat"]
        assert answer.boxes.tolist() == [[1, 0, 2, 1]]


def test_a_model_of_1000_classes_has_no_background(tmp_path: Path) -> None:
    labels = ("background", *(f"name {number}" for number in range(1000)))
    model = opened(tmp_path, encode(reshaped(1000)), labels, "0..1")
    assert model.labels[0] == "name 0"
    assert any("no class 'background'" in note for note in model.notes)
    model = opened(tmp_path, encode(reshaped(1001)), labels[1:], "0..1")
    assert model.labels[:2] == ("background", "name 0")
    with pytest.raises(ModelError, match="1001 labels for 999 outputs"):
        opened(tmp_path, encode(reshaped(999)), labels, "0..1")


def test_a_mask_of_unknown_classes_takes_the_labels_above_an_empty_line(tmp_path: Path) -> None:
    graph: TableNode = {
        0: Number("I", 3),
        1: [operator_code("RESHAPE")],
        2: [
            {
                0: [
                    tensor("image", [1, 4, 4, 1], "uint8", quantization=quantization([1.0], [0])),
                    tensor("shape", [3], "int32", 1),
                    tensor("classes", [1, 4, 4], "uint8"),
                ],
                1: Numbers("i", [0]),
                2: Numbers("i", [2]),
                3: [operator([0, 1], [2])],
            }
        ],
        4: [{}, {0: np.array([1, 4, 4], np.int32).tobytes()}],
    }
    model = opened(tmp_path, encode(graph), ("background", "bird", "", "a remark"))
    assert (model.task, model.labels) == ("segmentation", ("background", "bird"))
    assert opened(tmp_path, encode(graph)).labels == ()

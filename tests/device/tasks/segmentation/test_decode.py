"""Class maps and scores to masks, and masks to the frame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorDtype, TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.preprocess.spec import CropPolicy
from edgeinfer.device.tasks.registry import make_decode
from edgeinfer.device.tasks.segmentation.prediction import Mask
from edgeinfer.device.tasks.spec import Decoder
from edgeinfer.device.tasks.task import Said

LABELS = ("background", "cat", "dog")


def decode(
    values: NDArray[np.generic],
    *,
    scale: float = 0.0,
    labels: tuple[str, ...] = LABELS,
    activation: bool = False,
    crop: CropPolicy = "stretch",
    size: tuple[int, int] = (6, 4),
) -> Mask:
    dtype: TensorDtype = np.dtype(values.dtype).name  # type: ignore[assignment]
    answer = make_decode(
        "segmentation",
        Said(labels=labels, decoder=Decoder(activation="softmax" if activation else "none")),
        (TensorSpec(name="map", shape=values.shape, dtype=dtype, scale=scale),),
        PreprocessSpec(size=size, crop=crop),
    )([values])
    assert isinstance(answer, Mask)
    return answer


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
def test_a_map_of_classes_is_taken_as_it_is(dtype: str) -> None:
    values = np.array([[[0, 1], [2, 0]]]).astype(dtype)
    assert decode(values).classes.tolist() == [[0, 1], [2, 0]]
    assert decode(values[..., None]).classes.tolist() == [[0, 1], [2, 0]]


def test_numbers_that_are_not_a_class_count_as_unseen() -> None:
    assert decode(np.array([[[-1, 255], [300, 254]]])).classes.tolist() == [[255, 255], [255, 254]]


def test_of_scores_the_largest_counts() -> None:
    scores = np.zeros((1, 2, 2, 3), np.int8)
    scores[0, 0, 1, 2] = 5
    scores[0, 1] = [-3, 4, 2]
    assert decode(scores, scale=0.5).classes.tolist() == [[0, 2], [1, 1]]


def test_one_score_a_place_means_two_classes() -> None:
    scores = np.array([[[[0.4], [0.6]], [[-0.1], [1.0]]]], np.float32)
    two = ("background", "cat")
    assert decode(scores, labels=two).classes.tolist() == [[0, 1], [0, 1]]
    logits = decode(scores, labels=two, activation=True)
    assert logits.classes.tolist() == [[1, 1], [0, 1]]


@pytest.mark.parametrize(
    ("shape", "dtype", "labels"),
    [
        ((1, 2, 2), "float32", LABELS),
        ((2, 2, 2), "int32", LABELS),
        ((1, 4), "int32", LABELS),
        ((1, 2, 2, 4), "float32", LABELS),
        ((1, 2, 2, 256), "float32", tuple(map(str, range(256)))),
    ],
)
def test_outputs_that_do_not_fit_are_refused(
    shape: tuple[int, ...], dtype: str, labels: tuple[str, ...]
) -> None:
    with pytest.raises(ValueError, match="expected"):
        decode(np.zeros(shape, dtype), labels=labels)


def test_a_letterboxs_border_is_left_out_of_the_frame() -> None:
    # 12x4 fills rows 1 and 2 of the model's 6x4.
    values = np.array([[[9] * 6, [1] * 6, [2] * 6, [9] * 6]])
    frame = decode(values, crop="letterbox").in_frame((12, 4))
    assert frame.in_picture().tolist() == [[1] * 12, [1] * 12, [2] * 12, [2] * 12]
    assert frame.areas() == [("cat", 0.5), ("dog", 0.5)]


def test_what_a_centred_crop_left_out_is_unseen() -> None:
    # 12x4 is cut to columns 3 to 8.
    frame = decode(np.ones((1, 4, 6), np.int64), crop="center-crop").in_frame((12, 4))
    assert frame.in_picture()[0].tolist() == [255] * 3 + [1] * 6 + [255] * 3


@given(
    width=st.integers(1, 300),
    height=st.integers(1, 300),
    rows=st.integers(1, 9),
    columns=st.integers(1, 9),
    crop=st.sampled_from(["stretch", "center-crop", "letterbox"]),
)
def test_any_frame_gets_a_mask_of_its_size(
    width: int, height: int, rows: int, columns: int, crop: CropPolicy
) -> None:
    classes = np.arange(rows * columns).reshape(1, rows, columns)
    frame = decode(classes, crop=crop, size=(33, 17)).in_frame((width, height))
    picture = frame.in_picture()
    assert picture.shape == (height, width)
    if crop != "center-crop":
        assert (picture != 255).all()
    assert sum(area for _, area in frame.areas()) == pytest.approx(1)
    assert frame.in_frame((1, 1)) is frame, "it is in its frame"

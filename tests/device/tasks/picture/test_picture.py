"""Maps and pictures that a model makes of a picture: what is one, its places and its colours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.core.tensors import TensorDtype, TensorSpec
from edgeinfer.device.models.model import Model
from edgeinfer.device.outputs.drawing.draw import PictureCanvas
from edgeinfer.device.pictures.model_image import CropPolicy
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.tasks.guess import AmbiguousError, Guess, Shown
from edgeinfer.device.tasks.picture.prediction import OutputPicture
from edgeinfer.device.tasks.registry import guess_task, make_decode
from edgeinfer.device.tasks.spec import Decoder, PictureSpec
from edgeinfer.device.tasks.task import Said
from tests.device.graph_examples import model
from tests.device.tflite_examples import (
    Number,
    Numbers,
    encode,
    operator,
    operator_code,
    tensor,
)


def guessed(
    shape: tuple[int, ...],
    last: str,
    wanted: str | None = None,
    dtype: TensorDtype = "float32",
    scale: float = 0.0,
) -> Guess | None:
    image = TensorSpec(name="image", shape=(1, 64, 64, 3), dtype="float32")
    output = TensorSpec(name="out", shape=shape, dtype=dtype, scale=scale)
    graph = model((), [(last, (0,), (9,))], inputs=(0,), outputs=(9,))
    return guess_task(Shown(graph=graph, inputs=(image,), outputs=(output,)), wanted)


@pytest.mark.parametrize(
    ("shape", "last", "wanted", "task"),
    [
        ((1, 64, 64, 1), "LOGISTIC", None, "segmentation"),
        ((1, 64, 64, 1), "LOGISTIC", "picture", "picture"),
        ((1, 64, 64, 1), "RELU", None, "picture"),
        ((1, 64, 64, 1), "CONV_2D", "picture", "picture"),
        ((1, 64, 64, 1), "CONV_2D", "segmentation", "segmentation"),
        ((1, 64, 64), "CONV_2D", "picture", "picture"),
        ((1, 64, 64, 3), "TANH", None, "picture"),
        ((1, 128, 128, 3), "CONV_2D", None, "picture"),
        ((1, 128, 128, 3), "DEPTH_TO_SPACE", None, "picture"),
        ((1, 64, 64, 3), "SOFTMAX", None, "segmentation"),
        # A grid of three classes, such as FOMO's.
        ((1, 12, 12, 3), "SOFTMAX", None, "segmentation"),
        ((1, 12, 12, 3), "CONV_2D", None, "segmentation"),
        ((1, 64, 64, 21), "CONV_2D", None, "segmentation"),
        ((1, 4, 4, 1), "CONV_2D", None, "segmentation"),
        ((1, 4, 4, 1), "CONV_2D", "picture", "picture"),
    ],
)
def test_pictures_and_classes(
    shape: tuple[int, ...], last: str, wanted: str | None, task: str
) -> None:
    found = guessed(shape, last, wanted)
    assert found is not None
    assert found.task == task


@pytest.mark.parametrize("shape", [(1, 64, 64, 1), (1, 64, 64, 3)])
def test_what_may_be_both_is_asked(shape: tuple[int, ...]) -> None:
    with pytest.raises(AmbiguousError, match=r"--task picture .* --task segmentation"):
        guessed(shape, "CONV_2D")


@pytest.mark.parametrize("shape", [(1, 64, 64, 2), (2, 64, 64, 1), (1, 10), (1, 1, 1, 3)])
def test_what_is_not_a_picture_is_none(shape: tuple[int, ...]) -> None:
    assert guessed(shape, "CONV_2D", "picture") is None


def test_black_and_white_are_what_the_last_operator_gives() -> None:
    def limits(*arguments: Any, **settings: Any) -> PictureSpec | None:
        found = guessed(*arguments, **settings)
        assert found is not None
        return found.decoder.picture

    assert limits((1, 64, 64, 3), "TANH") == PictureSpec(low=-1, high=1)
    assert limits((1, 64, 64, 3), "LOGISTIC", "picture") == PictureSpec(low=0, high=1)
    uint8 = limits((1, 128, 128, 3), "CONV_2D", dtype="uint8")
    assert uint8 == PictureSpec(low=0, high=255)
    assert limits((1, 128, 128, 3), "CONV_2D") is None
    assert limits((1, 64, 64, 1), "RELU") is None


def decode(
    values: NDArray[Any],
    limits: PictureSpec | None = None,
    crop: CropPolicy = "stretch",
    size: tuple[int, int] = (8, 8),
) -> OutputPicture:
    output = TensorSpec(name="out", shape=values.shape, dtype="float32")
    answer = make_decode(
        "picture",
        Said(decoder=Decoder(picture=limits)),
        [output],
        PreprocessSpec(size=size, crop=crop),
    )([values.astype(np.float32)])
    assert isinstance(answer, OutputPicture)
    return answer


def test_values_come_as_the_model_gives_them() -> None:
    values = np.arange(16.0).reshape(1, 4, 4, 1)
    for shape in ((1, 4, 4, 1), (1, 4, 4)):
        answer = decode(values.reshape(shape))
        assert answer.values.tolist() == values[0, ..., 0].tolist()
        assert answer.text() == "picture of 4 x 4, 0 to 15"
        assert answer.pixels().reshape(-1).tolist() == list(range(0, 256, 17))
    told: Any = answer.to_json()["picture"]
    assert (told["columns"], told["lowest"], told["highest"]) == (4, 0.0, 15.0)


def test_colours_are_red_green_blue() -> None:
    values = np.zeros((1, 2, 2, 3))
    values[0, 0, 1] = (1.0, 0.0, -1.0)
    answer = decode(values, PictureSpec(low=-1, high=1))
    assert answer.pixels()[0, 1].tolist() == [255, 128, 0]
    canvas = PictureCanvas(np.zeros((300, 300, 3), np.uint8))
    answer.in_frame((30, 30)).draw(canvas, None)
    assert canvas.picture[140, 290].tolist() == [0, 128, 255]


def test_the_bars_of_a_letterbox_are_left_out() -> None:
    # Of a frame twice as wide as high the model sees the middle rows.
    values = np.repeat([0, 0, 1, 2, 3, 4, 0, 0], 8).reshape(1, 8, 8, 1)
    answer = decode(values, crop="letterbox").in_frame((160, 80))
    assert answer.values[:, 0].tolist() == [1, 2, 3, 4]
    assert answer.box == pytest.approx((0, 0, 160, 80))
    assert answer.size == (160, 80)


def test_outside_a_centred_crop_the_frame_is_seen() -> None:
    answer = decode(np.ones((1, 8, 8, 1)), PictureSpec(low=0, high=1), crop="center-crop")
    canvas = PictureCanvas(np.full((240, 480, 3), 7, np.uint8))
    answer.in_frame((160, 80)).draw(canvas, None)
    assert (canvas.picture[200, :110] == 7).all()
    assert (canvas.picture[200, 130:350] == 255).all()
    assert (canvas.picture[200, 370:] == 7).all()


@given(arrays(np.float32, st.sampled_from([(1, 2, 3), (1, 3, 2, 1), (1, 2, 2, 3)])))
def test_whatever_a_model_gives_there_is_a_picture(values: NDArray[Any]) -> None:
    answer = decode(values)
    assert answer.pixels().dtype == np.uint8
    assert np.isfinite([answer.lowest, answer.highest]).all()
    assert isinstance(answer.text(), str)


@pytest.mark.parametrize(
    ("said", "shape", "message"),
    [
        (Said(labels=("a", "b")), (1, 4, 4, 1), "no labels"),
        (Said(), (1, 4, 4, 2), "expected \\(1, rows"),
        (Said(), (1, 4), "expected \\(1, rows"),
    ],
)
def test_contradictions_are_refused(said: Said, shape: tuple[int, ...], message: str) -> None:
    output = TensorSpec(name="out", shape=shape, dtype="float32")
    with pytest.raises(ValueError, match=message):
        make_decode("picture", said, [output], PreprocessSpec(size=(8, 8)))
    with pytest.raises(ValueError, match=r"expected a range"):
        PictureSpec(low=1, high=1)


def test_a_map_in_a_file(tmp_path: Path) -> None:
    """A model that gives its grey image back."""
    data = encode(
        {
            0: Number("I", 3),
            1: [operator_code("RESHAPE")],
            2: [
                {
                    0: [
                        tensor("image", [1, 8, 8, 1], "float32"),
                        tensor("shape", [4], "int32", 1),
                        tensor("map", [1, 8, 8, 1], "float32"),
                    ],
                    1: Numbers("i", [0]),
                    2: Numbers("i", [2]),
                    3: [operator([0, 1], [2])],
                }
            ],
            4: [{}, {0: np.array([1, 8, 8, 1], np.int32).tobytes()}],
        }
    )
    path = tmp_path / "depth.tflite"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"may be a map of values or a mask .* --task picture"):
        Model.open(path, OpenOptions(input_range="0..1"))
    with Model.open(path, OpenOptions(input_range="0..1", task="picture")) as opened:
        answer = opened.predict(np.arange(0, 192, 3, np.uint8).reshape(8, 8))
    assert isinstance(answer, OutputPicture)
    np.testing.assert_allclose(answer.values.reshape(-1), np.arange(0, 192, 3) / 255, rtol=1e-6)
    with pytest.raises(ModelError, match=r"no labels"):
        Model.open(path, OpenOptions(input_range="0..1", task="picture", labels=("a", "b")))

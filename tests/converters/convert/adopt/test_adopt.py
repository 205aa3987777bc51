"""A bundle of a finished model as it is: labels, input, golden frames, and what decides a range."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.convert.adopt.adopt import adopt, unique_labels
from edgeinfer.converters.convert.adopt.pictures import generated_picture
from edgeinfer.converters.convert.adopt.ranges import rivals
from edgeinfer.device.core.errors import DataError, ModelError, UsageError
from edgeinfer.device.models.bundle.reader import read_manifest
from edgeinfer.device.models.model import Model
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.runtime.open_options import OpenOptions
from tests.device.tflite_examples import (
    Number,
    Numbers,
    TableNode,
    encode,
    operator,
    operator_code,
    tensor,
)

SIDE = 2


def brightness_model() -> bytes:
    """A float classifier "dark", "bright" whose answer turns at an input of 0: it wants -1..1.

    Its logits are the mean of the pixels, with minus and with plus: a mean and a dense layer.
    """
    weights = np.array([[-1.0], [1.0]], np.float32)
    graph: TableNode = {
        0: Number("I", 3),
        1: [operator_code("MEAN"), operator_code("FULLY_CONNECTED")],
        2: [
            {
                0: [
                    tensor("image", [1, SIDE, SIDE, 1], "float32"),
                    tensor("axes", [3], "int32", 1),
                    tensor("mean", [1, 1], "float32"),
                    tensor("weights", [2, 1], "float32", 2),
                    tensor("logits", [1, 2], "float32"),
                ],
                1: Numbers("i", [0]),
                2: Numbers("i", [4]),
                3: [operator([0, 1], [2], 0), operator([2, 3, -1], [4], 1)],
            }
        ],
        4: [{}, {0: np.array([1, 2, 3], np.int32).tobytes()}, {0: weights.tobytes()}],
    }
    return encode(graph)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "brightness.tflite"
    path.write_bytes(brightness_model())
    return path


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Dark and bright pictures, 12 each, between 20 and 235, in folders of these names."""
    folder = tmp_path / "pictures"
    for name, first in (("dark", 20), ("bright", 147)):
        (folder / name).mkdir(parents=True)
        for number in range(12):
            pixels = np.full((4, 4, 3), first + 8 * number, np.uint8)
            (folder / name / f"{number}.png").write_bytes(encode_png(pixels))
    return folder


LABELS = OpenOptions(labels=("dark", "bright"))


def test_labelled_pictures_decide_the_range(model: Path, labelled: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.edgebundle"
    result = adopt(model, out, LABELS, Silent(), pictures=labelled)
    assert result.trials[0].name == "-1..1"
    assert rivals(result.trials) == ("imagenet",)
    assert len(result.trials) == 4
    assert result.manifest.preprocess.mean == (127.5,)
    assert result.manifest.metrics["pictures.top1"] == 1.0
    assert result.verified is not None
    with Model.open(out) as opened:
        assert opened.predict(np.full((4, 4, 3), 30, np.uint8)).headline == "dark"
        assert opened.predict(np.full((4, 4, 3), 200, np.uint8)).headline == "bright"
        assert [label for _, label in opened.golden_frames()] == [None] * 10


def test_a_stated_range_is_measured_and_kept(model: Path, labelled: Path, tmp_path: Path) -> None:
    options = OpenOptions(labels=LABELS.labels, input_range="0..1")
    result = adopt(model, tmp_path / "out.edgebundle", options, Silent(), pictures=labelled)
    assert result.manifest.preprocess.std == (255.0,)
    assert result.manifest.metrics["pictures.top1"] == 0.5


def test_pictures_that_do_not_decide_are_refused_with_all_figures(
    model: Path, labelled: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.edgebundle"
    for path in (labelled / "dark").iterdir():
        path.unlink()
    with pytest.raises(ModelError, match="do not decide: ") as caught:
        adopt(model, out, LABELS, Silent(), pictures=labelled)
    assert caught.value.got.count("right (") == 4
    assert not out.exists()


def test_without_labelled_pictures_the_choices_are_listed(
    model: Path, labelled: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.edgebundle"
    with pytest.raises(ModelError, match="nothing in the file states"):
        adopt(model, out, LABELS, Silent())
    with pytest.raises(ModelError, match="has the name of one of its classes"):
        adopt(model, out, OpenOptions(labels=("x", "y")), Silent(), pictures=labelled)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="contains no images"):
        adopt(model, out, LABELS, Silent(), pictures=tmp_path / "empty")
    assert not out.exists()


def test_generated_frames_are_always_the_same(model: Path, tmp_path: Path) -> None:
    options = OpenOptions(labels=LABELS.labels, input_range="-1..1")
    paths = [tmp_path / "one.edgebundle", tmp_path / "two.edgebundle"]
    for path in paths:
        adopt(model, path, options, Silent(), golden_frames=3)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert len(read_manifest(paths[0]).golden) == 3
    picture = generated_picture(0)
    assert (picture.min(), picture.max()) == (0, 255)
    assert not np.array_equal(picture, generated_picture(1))


def test_what_does_not_fit_is_refused(model: Path, tmp_path: Path) -> None:
    options = OpenOptions(labels=LABELS.labels, input_range="-1..1", iou=0.3)
    with pytest.raises(UsageError, match="--iou: is given for a model of task 'classification'"):
        adopt(model, tmp_path / "x.edgebundle", options, Silent())


def test_a_least_score_makes_answers_unknown(model: Path, tmp_path: Path) -> None:
    options = OpenOptions(labels=LABELS.labels, input_range="-1..1", min_score=0.3)
    path = tmp_path / "x.edgebundle"
    adopt(model, path, options, Silent(), golden_frames=1)
    assert read_manifest(path).decoder.unknown_below == 0.3


def test_labels_that_occur_twice_get_their_number() -> None:
    assert unique_labels(["a", "b", "a", "a"]) == ("a", "b", "a (class 2)", "a (class 3)")
    assert len(set(unique_labels(["a", "a (class 2)", "a"]))) == 3


REAL = (
    ("mobilenet_v2_1.0_224_quant", "classification", 1001, True),
    ("mobilenet_v2_1.0_224_quant_edgetpu", "classification", 1001, False),
    ("posenet_mobilenet_v1_075_353_481_16_quant_decoder", "pose", 0, True),
)


@pytest.mark.parametrize(("name", "task", "classes", "runs"), REAL)
def test_real_models(
    shared_data: Path, tmp_path: Path, name: str, task: str, classes: int, runs: bool
) -> None:
    out = tmp_path / "out.edgebundle"
    labels = shared_data / "coral" / "imagenet_labels.txt" if classes else None
    from edgeinfer.device.cli.options.common import read_labels

    options = OpenOptions(labels=read_labels(labels))
    result = adopt(
        shared_data / "coral" / f"{name}.tflite", out, options, Silent(), golden_frames=2
    )
    assert (result.manifest.task, len(result.manifest.labels)) == (task, classes)
    assert result.manifest.decoder.activation == "none"
    if runs:
        assert result.verified is not None
        assert result.manifest.schema_version < 3
    else:
        assert result.verified is None
        assert list(result.manifest.variants) == ["edgetpu"]
        assert result.manifest.variants["edgetpu"].golden_outputs == {}


def test_meter_digits_are_right(tmp_path: Path, shared_data: Path) -> None:
    meter = shared_data.parent / "cases" / "models" / "meter"
    model = next(meter.glob("*.tflite"))
    labels = tuple((meter / "labels.txt").read_text().split())
    out = tmp_path / "meter.edgebundle"
    adopt(model, out, OpenOptions(labels=labels), Silent(), golden_frames=1)
    pictures = sorted(meter.glob("*.jpg"))
    with Model.open(out) as opened:
        near = 0
        for path in pictures:
            read, truth = float(opened.predict(path).headline), float(path.stem.split("_")[1])
            # 9.9 is next to 0.0.
            near += min(abs(read - truth), 10 - abs(read - truth)) < 0.15
    assert len(pictures) == 20
    assert near / len(pictures) >= 0.99

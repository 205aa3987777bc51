"""A model that sees a part of each picture, by its bundle or by the user's word."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeinfer.device.core.errors import ImageError, UsageError
from edgeinfer.device.loop.stream import open_stream
from edgeinfer.device.models.bundle.golden import read_golden
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.models.bundle.writer import write_bundle
from edgeinfer.device.models.input_size import model_input_size
from edgeinfer.device.models.model import Model
from edgeinfer.device.models.record import record_bundle
from edgeinfer.device.models.verify import verify_bundle
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.pictures.region import Region
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.tasks.classification.prediction import Classification
from edgeinfer.device.tasks.detection.prediction import Detections
from tests.device.detector_example import detector
from tests.support.program import edgeinfer_here, error_line

REGION: Region = (0.5, 0.25, 0.25, 0.5)
"""Of the scene: columns 64 to 95, rows 24 to 71."""


@pytest.fixture(scope="module")
def scene(sample_bundle: Path) -> NDArray[np.uint8]:
    """A picture of 128x96 with a boot in the region and something else all around it."""
    with open_bundle(sample_bundle) as bundle:
        boot = read_golden(bundle)[-1][0]
    picture = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
    picture[34:62, 66:94] = boot
    picture[24:72, 64:96][~np.pad(np.ones((28, 28), bool), ((10, 10), (2, 2)))] = boot[0, 0]
    return picture


@pytest.fixture(scope="module")
def with_region(sample_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample, whose preprocessing states the region."""
    path = tmp_path_factory.mktemp("bundles") / "region.edgebundle"
    with open_bundle(sample_bundle) as bundle:
        members = {name: bundle.member(name) for name in bundle.manifest.members}
        spec = replace(bundle.manifest.preprocess, region=REGION)
        manifest = replace(bundle.manifest, schema_version=4, preprocess=spec)
    write_bundle(path, manifest, members)
    return path


def probabilities(model: Path, picture: NDArray[np.uint8], region: Region | None) -> list[float]:
    with Model.open(model, OpenOptions(region=region)) as opened:
        answer = opened.predict(picture)
    assert isinstance(answer, Classification)
    return [float(value) for value in answer.probabilities]


def test_the_users_region_comes_before_the_bundles(
    sample_bundle: Path, with_region: Path, scene: NDArray[np.uint8]
) -> None:
    seen = probabilities(sample_bundle, np.ascontiguousarray(scene[24:72, 64:96]), None)
    assert probabilities(with_region, scene, None) == seen
    assert probabilities(sample_bundle, scene, REGION) == seen
    whole = probabilities(sample_bundle, scene, None)
    assert whole != seen
    assert probabilities(with_region, scene, (0, 0, 1, 1)) == whole


def test_boxes_are_in_the_whole_picture(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(detector())
    # The model's anchors are the quarters of what it sees; a pixel's green is a cat's score.
    picture = np.full((80, 120, 3), 255, np.uint8)
    picture[40:80, 60:120] = 0
    picture[40:60, 60:90] = (0, 250, 0)
    options = OpenOptions(region=(0.5, 0.5, 0.5, 0.5), input_range="0..1")
    with Model.open(path, options) as model:
        found = model.predict(picture)
    assert isinstance(found, Detections)
    assert found.size == (120, 80)
    np.testing.assert_allclose(found.boxes[0], (60, 40, 90, 60), atol=1e-4)


def test_the_golden_frames_are_not_the_users(with_region: Path, tmp_path: Path) -> None:
    options = OpenOptions(region=REGION)
    for work in (
        lambda: verify_bundle(with_region, options),
        lambda: record_bundle(with_region, tmp_path / "x.edgebundle", options),
    ):
        with pytest.raises(UsageError, match=r"--region: is given .* where pictures are answered"):
            work()
    assert "--region" in error_line(
        edgeinfer_here("verify", "--region", "0,0,1,1", with_region), code=2
    )


def test_a_picture_that_is_too_small_is_named_and_the_others_answered(
    with_region: Path, scene: NDArray[np.uint8], tmp_path: Path
) -> None:
    small, large = tmp_path / "small.png", tmp_path / "scene.png"
    small.write_bytes(encode_png(scene[:20, :20]))
    large.write_bytes(encode_png(scene))
    done = edgeinfer_here("predict", small, large, "--model", with_region)
    assert f"{small}: its region 0.5,0.25,0.25,0.5 is 5x10 pixels of 20x20" in error_line(done)
    assert done.stdout == f"{large}: {Classification.text(_answer(with_region, scene))}\n"


def _answer(model: Path, picture: NDArray[np.uint8]) -> Classification:
    with Model.open(model) as opened:
        answer = opened.predict(picture)
    assert isinstance(answer, Classification)
    return answer


def test_a_camera_covers_the_region(sample_bundle: Path, with_region: Path) -> None:
    assert model_input_size(with_region) == (116, 58)
    assert model_input_size(with_region, OpenOptions(region=(0, 0, 1, 0.5))) == (28, 58)
    assert model_input_size(sample_bundle, OpenOptions(region=REGION)) == (116, 58)


def test_a_folder_and_a_simulated_camera(
    sample_bundle: Path, with_region: Path, scene: NDArray[np.uint8], tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(encode_png(scene))
    command = ("run", "--camera", folder, "--json", "--model", sample_bundle)
    done = edgeinfer_here(*command, "--region", "0.5,0.25,0.25,0.5")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    expected = _answer(with_region, scene)
    assert [line["label"] for line in lines[:-1]] == [expected.headline] * 2
    assert lines[0]["probability"] == pytest.approx(max(expected.probabilities), abs=1e-4)

    options = OpenOptions(region=REGION)
    stream = open_stream(sample_bundle, options, camera=f"simulated:{folder}", fps=1000)
    with stream, Model.open(with_region) as other:
        for count, answer in enumerate(stream.answers()):
            assert answer.region == REGION
            same = other.predict(answer.frame.rgb())
            assert answer.prediction.ranked(10) == same.ranked(10)
            if count == 2:
                break


def test_a_camera_whose_frames_are_too_small_ends_the_loop_by_name(
    with_region: Path, tmp_path: Path
) -> None:
    for number in range(3):
        picture = np.full((20, 20, 3), number, np.uint8)
        (tmp_path / f"{number}.png").write_bytes(encode_png(picture))
    done = edgeinfer_here("run", "--camera", tmp_path, "--model", with_region)
    assert error_line(done) == (
        "error: a picture of 20x20: its region 0.5,0.25,0.25,0.5 is 5x10 pixels, expected at least "
        "8 a side; choose a larger --region or fewer --tiles, or take larger pictures"
    )


@pytest.mark.parametrize(
    ("region", "says"),
    [
        ("0.5,0,0.6,1", "reaches outside the picture"),
        ("0,0,0,1", "above 0"),
        ("0,0,640,480", "from 0 to 1"),
        ("left", "is not a region"),
    ],
)
def test_a_wrong_region_is_wrong_usage(sample_bundle: Path, region: str, says: str) -> None:
    for command in (("predict", "a.png"), ("run",), ("benchmark",)):
        done = edgeinfer_here(*command, "--region", region, "--model", sample_bundle)
        assert done.returncode == 2
        assert says in done.stderr
    if region != "left":
        numbers = tuple(map(float, region.split(",")))
        with pytest.raises(UsageError, match=says):
            OpenOptions(region=numbers)  # type: ignore[arg-type]


def test_a_frame_of_another_format_is_cut_as_well(
    with_region: Path, scene: NDArray[np.uint8]
) -> None:
    grey = np.ascontiguousarray(scene[..., 0])
    with Model.open(with_region) as model:
        frame = Frame(pixels=grey, sequence=0, captured_ns=0, format="grey")
        tensor = model.prepare(frame)
        cut = replace(frame, pixels=np.ascontiguousarray(grey[24:72, 64:96]))
        with Model.open(with_region, OpenOptions(region=(0, 0, 1, 1))) as whole:
            np.testing.assert_array_equal(tensor, whole.prepare(cut))
        with pytest.raises(ImageError, match="2x4 pixels"):
            model.prepare(replace(frame, pixels=grey[:8, :8]))

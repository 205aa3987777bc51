"""A detector that answers the tiles of pictures: small things in large pictures."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edgeinfer.device.core.errors import ImageError, UsageError
from edgeinfer.device.loop.following.follower import Follow
from edgeinfer.device.loop.stream import open_stream
from edgeinfer.device.loop.supervision.try_model import try_model
from edgeinfer.device.models.input_size import model_input_size
from edgeinfer.device.models.model import Model
from edgeinfer.device.models.verify import verify_bundle
from edgeinfer.device.pictures.decode import encode_png, read_image
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.pictures.region import Region, Tiles, region_pixels, tile_regions
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.tasks.detection.faces.prediction import Faces
from edgeinfer.device.tasks.detection.prediction import Detections
from tests.converters.detector_bundle import write_detector, write_photo
from tests.device.yolo_examples import Output, Thing, candidates, metadata, seeing, yolo
from tests.support.program import edgeinfer_here, error_line

COLOURS = {"cat": (255, 0, 0), "dog": (0, 255, 0), "fox": (0, 0, 255)}
THINGS = {
    (80, 40): "cat",  # in one tile
    (400, 80): "dog",  # in the overlap of two
    (360, 280): "fox",  # cut by the first tile's lower edge
    (400, 280): "cat",  # in the overlap of all four
    (744, 456): "dog",
    (784, 456): "dog",  # its neighbour
}
"""Left and top of squares of 40 pixels in a picture of 864 x 576: its 2 x 2 tiles of 480 x 320 are
five times the detector's 96 x 64, whose least cells are 8 pixels wide."""
TILED = OpenOptions(tiles=(2, 2), min_score=0.55)


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("detector") / "colours.tflite"
    path.write_bytes(seeing())
    return path


@pytest.fixture(scope="module")
def picture() -> NDArray[np.uint8]:
    pixels = np.zeros((576, 864, 3), np.uint8)
    for (left, top), name in THINGS.items():
        pixels[top : top + 40, left : left + 40] = COLOURS[name]
    return pixels


def objects(answer: object) -> dict[tuple[int, int], str]:
    """Return the middle of each thing, and its name."""
    assert isinstance(answer, Detections)
    middles = ((answer.boxes[:, :2] + answer.boxes[:, 2:]) / 2).round().astype(int).tolist()
    return {(x, y): name for (x, y), name in zip(middles, answer.names, strict=True)}


def test_small_things_in_a_large_picture_are_found_once_each(
    detector: Path, picture: NDArray[np.uint8]
) -> None:
    with Model.open(detector, OpenOptions(min_score=0.55)) as model:
        assert not objects(model.predict(picture))
    with Model.open(detector, TILED) as model:
        found = model.predict(picture)
    assert isinstance(found, Detections)
    assert found.size == (864, 576)
    assert len(found) == len(THINGS)
    assert sorted(found.names) == sorted(THINGS.values())
    for left, top in THINGS:
        near = np.abs(found.boxes - (left, top, left + 40, top + 40)).max(axis=1)
        assert near.min() <= 16  # as far as the cells of another tile are from those of the first


def test_frames_of_cameras_are_answered_as_pictures_are(
    detector: Path, picture: NDArray[np.uint8]
) -> None:
    with Model.open(detector, TILED) as model:
        expected = objects(model.predict(picture))
        frame = Frame(
            pixels=np.ascontiguousarray(picture[..., ::-1]),
            sequence=0,
            captured_ns=0,
            format="bgr",
        )
        coded = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 100])[1]
        jpeg = replace(frame, pixels=np.asarray(coded, np.uint8).reshape(-1), format="jpeg")
        tensor = None
        for one in (frame, jpeg):
            tensor = model.prepare(one, out=tensor)
            assert objects(model.infer(tensor).in_frame(one.size)) == expected
        small = replace(frame, pixels=np.zeros((12, 12, 3), np.uint8))
        with pytest.raises(ImageError, match="fewer --tiles"):
            model.prepare(small)


def test_a_photo_in_a_mosaic_is_answered_as_it_is_alone(shared_data: Path) -> None:
    path = shared_data.parent / "cases" / "models" / "face_detection_short_range.tflite"
    if not path.is_file():
        pytest.skip(f"{path} is absent: this test needs it")
    hopper = cv2.imread(str(shared_data / "coral" / "grace_hopper.bmp"))
    cat = cv2.imread(str(shared_data / "coral" / "cat.bmp"))
    photos = [cv2.resize(one, (256, 300)) for one in (hopper, hopper[:, ::-1], cat, hopper)]
    mosaic = np.vstack([np.hstack(photos[:2]), np.hstack(photos[2:])])
    # In the middle of something larger, where a face is a tenth of the side.
    mosaic = cv2.copyMakeBorder(mosaic, 250, 250, 250, 250, cv2.BORDER_REPLICATE)
    with Model.open(path) as alone, Model.open(path, OpenOptions(tiles=(2, 2))) as tiled:
        expected = []
        for photo, (x, y) in zip(photos, [(0, 0), (256, 0), (0, 300), (256, 300)], strict=True):
            answer = alone.predict(photo, order="bgr")
            assert isinstance(answer, Faces)
            expected += [box + (250 + x, 250 + y) * 2 for box in answer.boxes]
        whole, found = (model.predict(mosaic, order="bgr") for model in (alone, tiled))
    assert isinstance(whole, Faces)
    assert isinstance(found, Faces)
    assert len(expected) == 3
    assert len(whole) < len(found) == len(expected)
    for box in expected:
        near = int(np.abs(found.boxes - box).max(axis=1).argmin())
        np.testing.assert_allclose(found.boxes[near], box, atol=20)
        points = found.points[near]
        assert ((points > box[:2] - 20) & (points < box[2:] + 20)).all()


def test_tiles_of_a_region(detector: Path, picture: NDArray[np.uint8]) -> None:
    frame = np.zeros((1152, 1728, 3), np.uint8)
    frame[576:, 864:] = picture
    region: Region = (0.5, 0.5, 0.5, 0.5)
    with (
        Model.open(detector, replace(TILED, region=region)) as model,
        Model.open(detector, TILED) as other,
    ):
        assert model.region == region
        found = objects(model.predict(frame))
        expected = objects(other.predict(picture))
    assert len(expected) == len(THINGS)
    assert found == {(x + 864, y + 576): name for (x, y), name in expected.items()}


def test_the_commands(detector: Path, picture: NDArray[np.uint8], tmp_path: Path) -> None:
    photo = tmp_path / "photos" / "a.png"
    photo.parent.mkdir()
    for name in ("a.png", "b.png", "c.png"):
        photo.with_name(name).write_bytes(encode_png(picture))
    opened = ("--model", detector, "--min-score", "0.55", "--tiles", "2x2")
    done = edgeinfer_here("predict", photo, "--json", *opened)
    told: dict[str, Any] = json.loads(done.stdout)
    assert (told["size"], len(told["detections"])) == ([864, 576], len(THINGS))
    done = edgeinfer_here(
        *("run", "--camera", photo.parent, "--json", "--track", "--parallel", "2"), *opened
    )
    assert done.returncode == 0, done.stderr
    frames = [json.loads(line) for line in done.stdout.splitlines()][:3]
    assert [one["detections"][0]["box"] for one in frames] == [told["detections"][0]["box"]] * 3
    # An object has its number after three answers.
    numbers = sorted(one["number"] for one in frames[-1]["detections"])
    assert numbers == list(range(1, len(THINGS) + 1))
    done = edgeinfer_here(
        *("benchmark", "--json", "--seconds", "0.01", "--cold-starts", "1", "--threads", "1"),
        *opened,
    )
    assert done.returncode == 0, done.stderr
    assert {"invoke", "whole"} <= {one["stage"] for one in json.loads(done.stdout)["stages"]}


def test_the_python_loop(detector: Path, picture: NDArray[np.uint8], tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        coded = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 100])[1]
        (tmp_path / name).write_bytes(coded.tobytes())
    follow = Follow(zones={"left": ((0, 0), (0.5, 0), (0.5, 1), (0, 1))})
    with open_stream(detector, TILED, camera=tmp_path, follow=follow) as stream:
        answers = list(stream.answers())
    with Model.open(detector, TILED) as model:
        expected = objects(model.predict(read_image(tmp_path / "a.jpg")))
    assert [objects(answer.prediction) for answer in answers] == [expected] * 2


@pytest.mark.parametrize("tiles", [(2, 2), (1, 2), (4, 1)])
def test_a_camera_covers_each_tile(detector: Path, tiles: Tiles) -> None:
    size = model_input_size(detector, OpenOptions(tiles=tiles))
    assert size is not None
    for part in tile_regions(tiles):
        _, _, width, height = region_pixels(part, size)
        # Edges are rounded to pixels.
        assert 96 <= width <= 98
        assert 64 <= height <= 66


def test_other_models_are_refused(sample_bundle: Path, tmp_path: Path) -> None:
    options = OpenOptions(tiles=(2, 2))
    with pytest.raises(UsageError, match=r"--tiles: .* 'classification', which has no objects"):
        Model.open(sample_bundle, options)
    assert "which has no objects" in error_line(
        edgeinfer_here("predict", "a.png", "--model", sample_bundle, "--tiles", "2x2"), code=2
    )
    turned = tmp_path / "turned.tflite"
    things = [Thing(box=(10, 10, 40, 40), extras=(0.5,))]
    rows = candidates(things, (96, 64))
    turned.write_bytes(yolo([Output(values=rows.T[None])], behind=metadata("obb")))
    with pytest.raises(UsageError, match=r"--tiles: .* turned boxes, expected"):
        Model.open(turned, options)
    masked = tmp_path / "masked.tflite"
    rows = candidates([replace(things[0], extras=(1.0, 0.0))], (96, 64))
    maps = Output(values=np.zeros((1, 16, 24, 2)))
    masked.write_bytes(yolo([Output(values=rows.T[None]), maps], behind=metadata("segment")))
    with pytest.raises(UsageError, match=r"--tiles: .* masks, expected"):
        Model.open(masked, options)
    cuts = tmp_path / "cuts.tflite"
    cuts.write_bytes(seeing())
    with pytest.raises(UsageError, match=r"--tiles: .* cuts off the edges"):
        Model.open(cuts, replace(options, crop="center-crop"))


@pytest.mark.parametrize(
    ("text", "says"),
    [("0x1", "each 1 to 8"), ("9x9", "each 1 to 8"), ("1x1", "the whole picture"), ("2", "2x2")],
)
def test_impossible_tiles_are_wrong_usage(detector: Path, text: str, says: str) -> None:
    done = edgeinfer_here("predict", "a.png", "--model", detector, "--tiles", text)
    assert done.returncode == 2
    assert says in done.stderr
    if "x" in text:
        columns, rows = map(int, text.split("x"))
        with pytest.raises(UsageError, match=says):
            OpenOptions(tiles=(columns, rows))


def test_a_bundle_is_opened_tried_and_verified(
    tmp_path: Path, detector: Path, picture: NDArray[np.uint8]
) -> None:
    bundle = write_detector(tmp_path / "d.edgebundle", write_photo(tmp_path / "photo.png"))
    options = OpenOptions(tiles=(2, 1), region=(0.25, 0, 0.5, 0.5), min_score=0.3)
    with Model.open(bundle, options) as model:
        assert isinstance(model.predict(picture), Detections)
    # As a reload does, for which the golden frames are answered whole.
    assert try_model(bundle, options, stop=threading.Event())
    assert try_model(detector, replace(options, tiles=(8, 8)), stop=threading.Event())
    with pytest.raises(UsageError, match=r"--tiles: is given .* where pictures are answered"):
        verify_bundle(bundle, OpenOptions(tiles=(2, 2)))

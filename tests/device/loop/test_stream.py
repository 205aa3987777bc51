"""`edgeinfer.device.open`: three lines of Python from camera to prediction."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import edgeinfer.device
from edgeinfer.device.cameras.frame_pool import FramePool
from edgeinfer.device.core.errors import CameraError, EdgeinferError, ModelError
from edgeinfer.device.loop.results import Answer
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.tasks.classification.prediction import Classification


def threads_left() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("edgeinfer-")]


def test_every_frame_of_a_video_is_answered(sample_bundle: Path, video: Path) -> None:
    predictions = list(edgeinfer.device.open(sample_bundle, camera=video))
    assert len(predictions) == 12
    assert all(isinstance(prediction, Classification) for prediction in predictions)
    assert threads_left() == []


@pytest.mark.parametrize("parallel", [2, 3])
def test_side_by_side_gives_the_same_in_the_same_order(
    sample_bundle: Path, video: Path, parallel: int
) -> None:
    one = list(edgeinfer.device.open(sample_bundle, camera=video).answers())
    many = list(edgeinfer.device.open(sample_bundle, camera=video, parallel=parallel).answers())
    assert [answer.frame.sequence for answer in many] == list(range(12))
    for first, second in zip(one, many, strict=True):
        assert first.prediction.to_json() == second.prediction.to_json()


def test_every_third_frame(sample_bundle: Path, video: Path) -> None:
    answers = list(edgeinfer.device.open(sample_bundle, camera=video, every=3).answers())
    assert [answer.frame.sequence for answer in answers] == [0, 3, 6, 9]
    # The brightness of frame n is 20 n: the skipped ones were really read.
    brightness = [float(answer.frame.rgb().mean()) for answer in answers]
    assert all(abs(got - 60 * i) < 4 for i, got in enumerate(brightness))


def test_leaving_the_loop_releases_everything(sample_bundle: Path) -> None:
    for prediction in edgeinfer.device.open(sample_bundle, camera="simulated"):
        assert prediction.to_json()
        break
    assert threads_left() == []


def test_a_block_closes_it(sample_bundle: Path, video: Path) -> None:
    with edgeinfer.device.open(sample_bundle, camera=video) as stream:
        answers = stream.answers()
        assert next(answers).frame.sequence == 0
    assert threads_left() == []
    assert list(answers) == []


def test_frames_that_are_kept_stay_as_they_were(sample_bundle: Path, video: Path) -> None:
    kept = list(edgeinfer.device.open(sample_bundle, camera=video).answers())
    for number, answer in enumerate(kept):
        assert abs(float(answer.frame.pixels.mean()) - 20 * number) < 4


FRAMES = 300
KEEP_EVERY = 30


def on_the_way(parallel: int) -> int:
    """Return how many frames the loop holds at most.

    One is read, two wait; one is prepared; for each model one waits, one is answered, and one
    answer waits; the last answer and the one before it are here.
    """
    return 1 + 2 + 1 + 3 * parallel + 2


@pytest.fixture
def long_video(tmp_path: Path) -> Path:
    """A video of 300 frames, 64x48; the brightness of frame n is n % 240."""
    path = tmp_path / "long.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (64, 48))
    for number in range(FRAMES):
        writer.write(np.full((48, 64, 3), number % 240, np.uint8))
    writer.release()
    return path


def shows(pixels: NDArray[np.uint8], number: int) -> bool:
    return abs(float(pixels.mean()) - number % 240) < 4


@pytest.mark.parametrize("parallel", [1, 2])
def test_the_memory_of_a_few_frames_is_used_again(
    sample_bundle: Path, long_video: Path, parallel: int
) -> None:
    stream = edgeinfer.device.open(sample_bundle, camera=long_video, parallel=parallel)
    pool: FramePool = stream.camera._pool  # type: ignore[attr-defined]
    count = 0
    for answer in stream.answers():
        assert shows(answer.frame.pixels, answer.frame.sequence)
        count += 1
    assert count == FRAMES
    assert pool.allocated <= on_the_way(parallel)


@pytest.mark.parametrize("parallel", [1, 2])
def test_what_is_kept_of_frames_stays_as_it_was(
    sample_bundle: Path, long_video: Path, parallel: int
) -> None:
    """Frames, pixels, and slices and other views of them, among many that are not kept."""
    stream = edgeinfer.device.open(sample_bundle, camera=long_video, parallel=parallel)
    pool: FramePool = stream.camera._pool  # type: ignore[attr-defined]
    kept: list[Any] = []
    for answer in stream.answers():
        frame = answer.frame
        if frame.sequence % KEEP_EVERY == 0:
            views = (frame, frame.pixels, frame.pixels[8:40, ::2], frame.rgb(), answer)
            kept.append(views[len(kept) % len(views)])
        del answer, frame
    for number, item in enumerate(kept):
        frame = item.frame if isinstance(item, Answer) else item
        pixels = frame.pixels if isinstance(frame, Frame) else frame
        assert shows(pixels, number * KEEP_EVERY)
    assert len(kept) == FRAMES // KEEP_EVERY
    assert pool.allocated <= len(kept) + on_the_way(parallel)


def test_what_cannot_be_opened_is_an_error(sample_bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="no such camera"):
        edgeinfer.device.open(sample_bundle, camera=tmp_path / "none.mp4")
    with pytest.raises(ModelError, match="does not exist"):
        edgeinfer.device.open(tmp_path / "none.edgebundle", camera="simulated")


def test_other_names_are_missing() -> None:
    with pytest.raises(AttributeError, match="no attribute 'close'"):
        edgeinfer.device.close  # type: ignore[attr-defined]  # noqa: B018


CAMERA = """
import itertools, json, sys
import edgeinfer.device

stream = edgeinfer.device.open(sys.argv[1], camera="/dev/video0")
answers = list(itertools.islice(stream.answers(), 5))
print(json.dumps([[a.frame.format, a.prediction.label] for a in answers]))
"""


def test_a_camera_is_answered(
    run_with_camera: Callable[..., subprocess.CompletedProcess[str]], sample_bundle: Path
) -> None:
    for offered, expected in (("YUYV", "yuyv"), ("MJPG", "jpeg")):
        done = run_with_camera(CAMERA, str(sample_bundle), FORMATS=offered)
        assert done.returncode == 0, done.stderr
        answers = json.loads(done.stdout)
        assert [frame_format for frame_format, _ in answers] == [expected] * 5
        assert len({label for _, label in answers}) == 1


LONG = """
import json, sys
import edgeinfer.device
from tests.system.v4l2_shim.steering import picture_number

stream = edgeinfer.device.open(sys.argv[1], camera="0")
pool, kept, seen = stream.camera._thread.camera._pool, [], []
for answer in stream.answers():
    frame = answer.frame
    seen.append(picture_number(frame.pixels, frame.format))
    if len(seen) % 20 == 0:
        kept.append((frame.pixels[:, :], seen[-1]))
    del answer, frame
    if len(seen) == 200:
        break
same = [picture_number(pixels, "yuyv") == number for pixels, number in kept]
rising = all(a < b for a, b in zip(seen, seen[1:]))
print(json.dumps([len(kept), all(same), rising, pool.allocated]))
"""


def test_the_memory_of_a_live_cameras_frames_is_used_again(
    run_with_camera: Callable[..., subprocess.CompletedProcess[str]], sample_bundle: Path
) -> None:
    done = run_with_camera(LONG, str(sample_bundle), FORMATS="YUYV", FPS="120")
    assert done.returncode == 0, done.stderr
    kept, same, rising, allocated = json.loads(done.stdout)
    assert (kept, same, rising) == (10, True, True)
    # One fewer waits to be prepared; a dropped one is still there while the next one is.
    assert allocated <= kept + on_the_way(1)


LEFT_OPEN = """
import sys
import edgeinfer.device

stream = edgeinfer.device.open(sys.argv[1], camera=sys.argv[2])
predictions = iter(stream)
print(next(predictions).label)
"""


def test_a_script_may_end_without_closing(sample_bundle: Path, shared_data: Path) -> None:
    """The threads are then within C++ code, which aborts the process if Python ends them there."""
    clip = shared_data / "video" / "bottle-detection.mp4"
    command = [sys.executable, "-c", LEFT_OPEN, str(sample_bundle), str(clip)]
    ends = [subprocess.run(command, capture_output=True, text=True, check=False) for _ in range(5)]
    assert [(done.returncode, done.stderr) for done in ends] == [(0, "")] * 5


def test_a_stream_is_closed_twice_and_read_once(sample_bundle: Path, video: Path) -> None:
    stream = edgeinfer.device.open(sample_bundle, camera=video)
    stream.close()
    stream.close()
    with pytest.raises(CameraError, match="stream: is closed; open another one"):
        list(stream)
    with edgeinfer.device.open(sample_bundle, camera=video) as stream:
        answers = stream.answers()
        next(answers)
        with pytest.raises(CameraError, match="stream: is being read already; open another"):
            next(iter(stream))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"camera": None}, "camera: is None, expected a number, a device"),
        ({"camera": b"0"}, "camera: is of type bytes, expected a number"),
        ({"every": 0}, "every: is 0, expected 1 or more"),
        ({"parallel": 0}, "parallel: is 0, expected 1 or more"),
        ({"max_fps": 0.0}, r"max_fps: is 0\.0, expected frames a second, above 0"),
        ({"fps": float("nan")}, "fps: is nan, expected frames a second, above 0"),
        ({"options": 2}, r"options: is of type int, expected edgeinfer\.OpenOptions"),
        ({"model": None}, "path: is None, expected the path of a model file"),
    ],
)
def test_what_cannot_be_opened_is_refused_in_one_sentence(
    sample_bundle: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(EdgeinferError, match=message):
        edgeinfer.device.open(**{"model": sample_bundle, "camera": "simulated", **options})

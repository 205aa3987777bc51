"""`edgeinfer.device.open`: three lines of Python from camera to prediction."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import edgeinfer.device
from edgeinfer.device.core.errors import CameraError, ModelError
from edgeinfer.device.models.predictions.kinds import Classification


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
    # The brightness of frame n is 20 n: the skipped ones really went by.
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


def test_what_cannot_be_opened_is_an_error(sample_bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="no such camera"):
        edgeinfer.device.open(sample_bundle, camera=tmp_path / "none.mp4")
    with pytest.raises(ModelError, match="cannot be read"):
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

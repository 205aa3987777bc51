from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeinfer.device.core.errors import StorageError
from edgeinfer.device.loop.results import Answer
from edgeinfer.device.outputs.recording import video as video_module
from edgeinfer.device.outputs.recording.clip import Clip
from edgeinfer.device.outputs.recording.condition import parse_condition
from edgeinfer.device.outputs.recording.folder import RecordFolder
from edgeinfer.device.outputs.recording.video import FILE_FPS, LIVE_FPS, VideoSink
from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.device.pictures.quiet_opencv import quiet_opencv
from tests.device.outputs.examples import answer
from tests.support.waiting import until

SUFFIXES = [".mp4", ".avi"]


def sink_of(
    path: Path,
    *,
    live: bool = True,
    fps: float | None = None,
    when: str | None = None,
    roll_s: float = 0.0,
    suffix: str = ".avi",
    single: bool = False,
    max_bytes: int = 10**9,
) -> VideoSink:
    folder = RecordFolder(path, stem="clip", suffix=suffix, max_bytes=max_bytes, keep_free_bytes=0)
    return VideoSink(
        folder,
        live=live,
        fps=fps or (LIVE_FPS if live else FILE_FPS),
        max_bytes=max_bytes,
        when=None if when is None else parse_condition(when),
        roll_s=roll_s,
        single=path / f"clip{suffix}" if single else None,
    )


def picture(brightness: int, size: tuple[int, int] = (320, 240)) -> Pixels:
    return np.full((size[1], size[0], 3), brightness, np.uint8)


def frames_of(path: Path) -> list[int]:
    """Return the brightness in the middle of each frame, which tells them apart, by tens."""
    quiet_opencv()
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    levels: list[int] = []
    while True:
        delivered, frame = capture.read()
        if not delivered:
            capture.release()
            return levels
        middle = frame[frame.shape[0] // 2 - 5 : frame.shape[0] // 2 + 5]
        levels.append(round(float(middle.mean()) / 10) * 10)


def clips_in(path: Path) -> list[list[int]]:
    return [frames_of(path / name) for name in sorted(os.listdir(path))]


def at(time_s: float, brightness: int, probability: float = 0.9) -> Answer:
    pixels = picture(brightness)
    return answer(pixels=pixels, probability=probability, captured_ns=round(1e9 * (100 + time_s)))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_of_a_file_every_frame_is_in_one_video(tmp_path: Path, suffix: str) -> None:
    with sink_of(tmp_path, live=False, single=True, suffix=suffix) as sink:
        for number in range(20):
            sink.write(at(time_s=0, brightness=10 * number))  # its frames may come at any time
    assert os.listdir(tmp_path) == [f"clip{suffix}"]
    assert clips_in(tmp_path) == [[10 * number for number in range(20)]]


def within(position_s: float, brightness: int) -> Answer:
    return answer(pixels=picture(brightness), position_s=position_s)


def rate_of(path: Path) -> float:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    fps = capture.get(cv2.CAP_PROP_FPS)
    capture.release()
    return fps


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("fps", [0.1, 10.0, 29.97, 60.0, 1000.0])
def test_a_video_of_a_file_has_its_rate_and_each_frame_once(
    fps: float, suffix: str, tmp_path: Path
) -> None:
    with sink_of(tmp_path, live=False, single=True, suffix=suffix, fps=fps) as sink:
        for number in range(12):
            # Containers round times to milliseconds.
            sink.write(within(round(number / fps, 3), 10 * number))
    assert rate_of(tmp_path / f"clip{suffix}") == pytest.approx(fps, rel=0.001)
    assert clips_in(tmp_path) == [[10 * number for number in range(12)]]


def test_frames_that_were_left_out_keep_the_pace(tmp_path: Path) -> None:
    with sink_of(tmp_path, live=False, single=True, fps=25.0) as sink:
        for number in range(0, 12, 3):
            sink.write(within(number / 25, 10 * number))
    assert clips_in(tmp_path) == [[0, 0, 0, 30, 30, 30, 60, 60, 60, 90]]


def test_at_a_variable_rate_no_frame_is_lost_and_pauses_are_shown(tmp_path: Path) -> None:
    """A burst of three frames within one of 10 a second, a pause, and then the right time again."""
    with sink_of(tmp_path, live=False, single=True, fps=10.0) as sink:
        for number, position_s in enumerate((0, 0.03, 0.06, 0.1, 0.8, 0.9)):
            sink.write(within(position_s, 10 * number))
    assert clips_in(tmp_path) == [[0, 10, 20, 30, 30, 30, 30, 30, 40, 50]]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("size", [(9000, 30), (1, 5000), (1, 1)])
def test_narrow_pictures_are_videos_too(tmp_path: Path, suffix: str, size: tuple[int, int]) -> None:
    with sink_of(tmp_path, live=False, single=True, suffix=suffix) as sink:
        for _ in range(2):
            sink.write(answer(pixels=picture(100, size)))
        sink.write(answer(pixels=picture(100)))
    ((*levels,),) = clips_in(tmp_path)
    assert len(levels) == 3


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_of_a_live_source_the_rate_is_constant(tmp_path: Path, suffix: str) -> None:
    """30 frames a second become 15, and 5 a second stand for three frames each."""
    with sink_of(tmp_path, suffix=suffix) as sink:
        for number in range(8):
            sink.write(at(number / 30, 10 * number))
        for number in range(4):
            sink.write(at(8 / 30 + number / 5, 100 + 10 * number))
    (levels,) = clips_in(tmp_path)
    assert levels == [0, 20, 40, 60, 100, 100, 100, 110, 110, 110, 120, 120, 120, 130]


def test_a_long_silence_of_the_camera_is_shortened(tmp_path: Path) -> None:
    with sink_of(tmp_path) as sink:
        sink.write(at(0, 100))
        sink.write(at(60, 200))
        sink.write(at(60 + 1 / 15, 210))
    (levels,) = clips_in(tmp_path)
    assert levels == [100] * 31 + [200, 210]


def test_clips_hold_what_the_condition_names_and_some_before_and_after(tmp_path: Path) -> None:
    with sink_of(tmp_path, when="cat>0.8", roll_s=3.5 / 15) as sink:
        for number in range(24):
            sink.write(at(number / 15, 10 * number, 0.9 if number in (8, 10, 20) else 0.1))
    first, second = clips_in(tmp_path)
    assert first == [10 * number for number in range(5, 14)]
    assert second == [10 * number for number in range(17, 24)]


def test_of_a_file_the_times_before_and_after_are_the_videos(tmp_path: Path) -> None:
    with sink_of(tmp_path, live=False, when="cat>0.8", roll_s=2.5 / 25) as sink:
        for number in range(20):
            sink.write(at(0, 10 * number, 0.9 if number == 8 else 0.1))
    assert clips_in(tmp_path) == [[60, 70, 80, 90, 100]]


def test_where_the_condition_never_holds_nothing_is_written(tmp_path: Path) -> None:
    with sink_of(tmp_path / "none", when="cat>0.95", roll_s=1) as sink:
        for number in range(24):
            sink.write(at(number / 15, 10 * number))
    assert not (tmp_path / "none").exists()


def test_memory_of_what_was_before_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_module, "BEFORE_BYTES", 4 * picture(0).nbytes)
    with sink_of(tmp_path, when="cat>0.8", roll_s=60) as sink:
        for number in range(20):
            sink.write(at(number / 15, 10 * number, 0.9 if number == 19 else 0.1))
    assert clips_in(tmp_path) == [[150, 160, 170, 180, 190]]


def test_long_recordings_go_on_in_new_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_module, "CLIP_S", 1.0)
    with sink_of(tmp_path) as sink:
        for number in range(40):
            sink.write(at(number / 15, 5 * number))
    clips = clips_in(tmp_path)
    assert len(clips) >= 2
    assert [len(one) for one in clips[:-1]] == [len(clips[0])] * (len(clips) - 1)
    assert sum(len(one) for one in clips) == 40


def test_the_folder_holds_no_more_than_stated(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    most = 0
    with sink_of(tmp_path, max_bytes=4_000_000) as sink:
        for number in range(300):
            pixels = generator.integers(0, 255, (240, 320, 3), np.uint8)
            sink.write(answer(pixels=pixels, captured_ns=round(1e9 * number / 15)))
            if number % 15 == 0:
                most = max(most, sum(one.stat().st_size for one in tmp_path.iterdir()))
    sizes = [one.stat().st_size for one in tmp_path.iterdir()]
    assert len(sizes) > 1
    assert sum(sizes) <= 4_000_000
    # A second's frames of noise, the largest there are, may be on the way until it is looked.
    assert most < 4_000_000 + 16 * 90_000


def test_when_the_disk_fills_what_was_recorded_so_far_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free_bytes = 10**9
    monkeypatch.setattr(RecordFolder, "_free_bytes", lambda _: free_bytes)
    sink = sink_of(tmp_path)
    failures: list[str] = []
    for number in range(60):
        free_bytes = 1000 if 20 <= number < 50 else 10**9
        try:
            sink.write(at(number / 15, 100 if number < 50 else 200))
        except StorageError as error:
            failures.append(str(error))
    sink.close()
    first, second = clips_in(tmp_path)
    assert set(first) == {100}
    assert 20 <= len(first) <= 30 + 1
    assert second == [200] * 10
    assert len(failures) == 50 - len(first)
    assert all("MB are free on the disk" in failure for failure in failures)


def test_pictures_of_other_shapes_are_fitted(tmp_path: Path) -> None:
    with sink_of(tmp_path, live=False, single=True) as sink:
        for size in ((320, 240), (240, 320), (1000, 250), (321, 241)):
            sink.write(answer(pixels=picture(200, size)))
    capture = cv2.VideoCapture(str(tmp_path / "clip.avi"), cv2.CAP_FFMPEG)
    shapes, black = [], []
    for _ in range(4):
        _, frame = capture.read()
        shapes.append(frame.shape)
        black.append([bool(frame[120, 2].max() < 30), bool(frame[2, 160].max() < 30)])
    capture.release()
    assert shapes == [(240, 320, 3)] * 4
    assert black == [[False, False], [True, False], [False, True], [False, False]]


def test_large_pictures_are_made_smaller(tmp_path: Path) -> None:
    clip = Clip(
        tmp_path / "x.avi", first=picture(9, (2001, 1001)), begin_s=0, fps=15, longest_gap_s=2
    )
    clip.write(picture(9, (2001, 1001)), 0)
    clip.finish()
    capture = cv2.VideoCapture(str(tmp_path / "x.avi"), cv2.CAP_FFMPEG)
    assert capture.read()[1].shape == (640, 1280, 3)
    capture.release()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_place_that_cannot_be_written_and_a_missing_encoder_are_different_errors(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: dict[str, Any] = {"first": picture(0), "begin_s": 0, "fps": 15, "longest_gap_s": 2}
    with pytest.raises(StorageError, match=r"cannot be written \(no such file"):
        Clip(
            tmp_path / "absent" / f"x{suffix}", first=picture(0), begin_s=0, fps=15, longest_gap_s=2
        )
    # An OpenCV without that encoder cannot open any file for it.
    monkeypatch.setattr("cv2.CAP_FFMPEG", cv2.CAP_OPENCV_MJPEG)
    if suffix == ".mp4":
        with pytest.raises(StorageError, match=r"no MPEG-4 encoder; name the video \.avi"):
            Clip(tmp_path / "x.mp4", **made)
    assert list(tmp_path.iterdir()) == []


FULL_DISK = """
import resource, sys
from pathlib import Path
import numpy as np
from edgeinfer.device.core.errors import StorageError
from tests.device.outputs.recording.test_video import answer, sink_of

folder, suffix = Path(sys.argv[1]), sys.argv[2]
generator = np.random.default_rng(0)
with sink_of(folder, live=False, single=True, suffix=suffix) as sink:
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
    for number in range(60):
        sink.write(answer(pixels=generator.integers(0, 255, (240, 320, 3), np.uint8)))
    try:
        sink.close()
    except StorageError as error:
        print(error)
"""


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_half_a_video_on_a_full_disk_gets_no_name(tmp_path: Path, suffix: str) -> None:
    """A limit on the size of files stands for a full disk, of which OpenCV says nothing."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path), suffix],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "0 of 60 frames were written to the disk; free some space" in done.stdout
    assert list(tmp_path.iterdir()) == []


RECORDING = """
import itertools, sys
from pathlib import Path
from edgeinfer.device.outputs.recording import video
from tests.device.outputs.recording.test_video import at, sink_of

video.CLIP_S = 0.5
sink = sink_of(Path(sys.argv[1]), suffix=sys.argv[2])
for number in itertools.count():
    sink.write(at(number / 15, number % 200))
"""


def some_more(folder: Path, before: set[str]) -> bool:
    """True where a folder has three entries more than before."""
    return len(set(os.listdir(folder)) - before) >= 3


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_after_a_kill_every_file_with_a_name_is_whole(tmp_path: Path, suffix: str) -> None:
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-c", RECORDING, str(tmp_path), suffix])
        before = set(os.listdir(tmp_path))
        until(partial(some_more, tmp_path, before))
        process.send_signal(signal.SIGKILL)
        process.wait()
        named = [name for name in os.listdir(tmp_path) if not name.startswith(".")]
        assert named
        assert {len(frames_of(tmp_path / name)) for name in named} == {15}
    assert sum(name.startswith(".") for name in os.listdir(tmp_path)) <= 1
    sink = sink_of(tmp_path, suffix=suffix)
    sink.write(at(0, 100))
    sink.close()
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]

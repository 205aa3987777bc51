"""Videos as phones and cameras write them: turned, at any rate, and those of which none is seen."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from edgeinfer.device.cameras.files.video import VideoCamera
from edgeinfer.device.cli.options.common import read_labels
from edgeinfer.device.core.errors import CameraError
from edgeinfer.device.models.model import Model
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.runtime.open_options import OpenOptions
from tests.device.cameras.files.clips.made_clips import (
    corners,
    corners_of,
    grey,
    index_first,
    jpeg,
    matroska,
    movie,
)
from tests.support.waiting import PATIENCE_S

LENGTHS_MS = [10, 20, 100, 500, 33, 33, 1000, 40]
TIMES_MS = [sum(LENGTHS_MS[:number]) for number in range(len(LENGTHS_MS))]
LEVELS = [grey(20 * number) for number in range(len(LENGTHS_MS))]

# What is where when the stored picture has white top left and grey top right: "wo--".
TURNS = {
    "not": ((1, 0, 0, 1), "wo--"),
    "mirrored": ((-1, 0, 0, 1), "ow--"),
    "upside down": ((-1, 0, 0, -1), "--ow"),
    "upside down, mirrored": ((1, 0, 0, -1), "--wo"),
    "transposed": ((0, 1, 1, 0), "w-o-"),
    "to the right": ((0, 1, -1, 0), "-w-o"),
    "transposed, upside down": ((0, -1, -1, 0), "-o-w"),
    "to the left": ((0, -1, 1, 0), "o-w-"),
}


def frames_of(path: Path, *, realtime: bool = False) -> list[Frame]:
    with VideoCamera(path, realtime=realtime) as camera:
        frames = []
        while (frame := camera.read()) is not None:
            frames.append(frame)
        return frames


@pytest.mark.parametrize("turned", TURNS)
def test_a_clip_stands_as_its_container_says(turned: str, tmp_path: Path) -> None:
    turn, seen = TURNS[turned]
    path = movie(tmp_path / "x.mov", [jpeg(corners())] * 2, [40, 40], turn=turn)
    size = (64, 48) if turn[0] else (48, 64)
    for frame in frames_of(path):
        assert (frame.size, corners_of(frame.rgb())) == (size, seen)
    with VideoCamera(path) as camera:
        assert camera.description == f"{path}, {size[0]}x{size[1]}, 25 frames/s"
        assert camera.skip()
        assert corners_of(camera.read().rgb()) == seen  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("roll", "yaw", "turned"),
    [
        (90.0, None, "to the left"),
        (-90.0, None, "to the right"),
        (180.0, 0.0, "upside down"),
        (0.0, 180.0, "mirrored"),
        (None, None, "not"),
    ],
)
def test_matroska_is_turned_too(
    roll: float | None, yaw: float | None, turned: str, tmp_path: Path
) -> None:
    path = matroska(tmp_path / "x.mkv", [jpeg(corners())] * 2, [0, 40], roll=roll, yaw=yaw)
    assert {corners_of(frame.rgb()) for frame in frames_of(path)} == {TURNS[turned][1]}


def test_out_of_a_pipe_it_stands_as_opencv_says(tmp_path: Path) -> None:
    """The container cannot be read there: what is read of a pipe is lost."""
    turn, seen = TURNS["to the right"]
    whole = movie(tmp_path / "x.mov", [jpeg(corners())] * 2, [40, 40], turn=turn).read_bytes()
    pipe = tmp_path / "pipe.mov"
    os.mkfifo(pipe)
    data = index_first(whole)
    writer = threading.Thread(target=lambda: pipe.write_bytes(data))
    writer.start()
    try:
        assert [corners_of(frame.rgb()) for frame in frames_of(pipe)] == [seen] * 2
    finally:
        writer.join()


def test_a_phones_clip_is_answered_upright(shared_data: Path) -> None:
    clip = shared_data.parent / "cases" / "media" / "phone_cat_rot270.mp4"
    model = shared_data / "coral" / "mobilenet_v2_1.0_224_quant.tflite"
    labels = read_labels(shared_data / "coral" / "imagenet_labels.txt")
    frames = frames_of(clip)
    assert [frame.size for frame in frames] == [(320, 400)] * 10
    with Model.open(model, OpenOptions(labels=labels)) as opened:
        answer = opened.predict(frames[0].rgb())
    assert answer.headline == "Egyptian cat"
    assert answer.ranked(1)[0][1] == pytest.approx(0.85, abs=0.05)


@pytest.mark.parametrize("suffix", ["mov", "mkv"])
def test_frames_have_the_positions_of_the_file(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{suffix}"
    if suffix == "mov":
        movie(path, LEVELS, LENGTHS_MS)
    else:
        matroska(path, LEVELS, TIMES_MS)
    frames = frames_of(path)
    assert [round(1000 * (frame.position_s or 0), 3) for frame in frames] == TIMES_MS
    assert [round(float(frame.pixels.mean()) / 20) for frame in frames] == list(range(8))


def test_skipped_frames_take_their_time_too(tmp_path: Path) -> None:
    with VideoCamera(movie(tmp_path / "x.mov", LEVELS, LENGTHS_MS)) as camera:
        assert [camera.skip() for _ in range(3)] == [True] * 3
        frame = camera.read()
    assert frame is not None
    assert frame.sequence == 3
    assert frame.position_s == pytest.approx(0.13)


def test_in_real_time_each_frame_comes_when_it_is_due(tmp_path: Path) -> None:
    frames = frames_of(movie(tmp_path / "x.mov", LEVELS, LENGTHS_MS), realtime=True)
    since_ms = [(frame.captured_ns - frames[0].captured_ns) / 1e6 for frame in frames]
    # Never early; late as the machine likes.
    assert all(at >= due - 1 for at, due in zip(since_ms, TIMES_MS, strict=True))


@pytest.mark.parametrize(("length_ms", "fps"), [(10_000, "0.1"), (1, "1000"), (33, "30.3")])
def test_rates_from_one_frame_in_ten_seconds_to_a_thousand_a_second(
    length_ms: int, fps: str, tmp_path: Path
) -> None:
    path = movie(tmp_path / "x.mov", LEVELS, [length_ms] * 8)
    with VideoCamera(path) as camera:
        assert camera.description == f"{path}, 64x48, {fps} frames/s"
        assert camera.video_fps == pytest.approx(1000 / length_ms)


def test_a_frame_that_is_due_in_an_hour_is_not_waited_for_when_the_loop_ends(
    tmp_path: Path,
) -> None:
    path = movie(tmp_path / "x.mov", LEVELS[:3], [3_500_000] * 3)
    with VideoCamera(path, realtime=True) as camera:
        assert camera.read() is not None
        told: list[Frame | None] = []
        reader = threading.Thread(target=lambda: told.append(camera.read()))
        begin_s = time.monotonic()
        reader.start()
        camera.interrupt()
        reader.join()
        assert told == [None]
        assert not camera.skip()
    assert time.monotonic() - begin_s < PATIENCE_S


def error_of(path: Path) -> str:
    with pytest.raises(CameraError) as raised:
        VideoCamera(path)
    return str(raised.value)


@pytest.mark.parametrize(("mark", "codec"), [(b"vvc9", "vvc9"), (b"brxq", "Blackmagic RAW")])
def test_a_codec_without_a_decoder_is_named(mark: bytes, codec: str, tmp_path: Path) -> None:
    path = movie(tmp_path / "my clip.mov", LEVELS, LENGTHS_MS, codec=mark)
    assert error_of(path) == (
        f"{path}: is {codec} video, which this OpenCV cannot decode, "
        "expected a video that it can, such as H.264; convert it with: "
        f"ffmpeg -i '{path}' -c:v libx264 -pix_fmt yuv420p '{tmp_path}/my clip-h264.mp4'"
    )
    path = matroska(tmp_path / "x.mkv", LEVELS, TIMES_MS, codec=b"V_" + mark)
    assert f"is {mark.decode()} video, which this OpenCV cannot decode" in error_of(path)


def test_av1_is_named(shared_data: Path) -> None:
    said = error_of(shared_data.parent / "cases" / "media" / "av1svt.mp4")
    assert "is AV1 video, which this OpenCV cannot decode" in said
    assert "convert it with: ffmpeg -i " in said


def test_sound_alone_is_named(tmp_path: Path) -> None:
    path = movie(tmp_path / "x.mov", LEVELS, LENGTHS_MS, kind=b"soun", codec=b"sowt")
    assert "holds no pictures, only sound or other data" in error_of(path)
    path = matroska(tmp_path / "x.mkv", LEVELS, TIMES_MS, codec=b"A_PCM/INT/LIT", kind=2)
    assert "holds no pictures, only sound or other data" in error_of(path)


def test_a_recording_that_was_never_finished_is_named(tmp_path: Path) -> None:
    path = movie(tmp_path / "x.mov", LEVELS, LENGTHS_MS, finished=False)
    assert "never finished: its index (the moov box) is missing" in error_of(path)
    assert "holds no frames" in error_of(movie(path, [], []))


def test_a_damaged_one_of_a_known_codec_is_not_said_to_lack_a_decoder(tmp_path: Path) -> None:
    path = movie(tmp_path / "x.mov", [b"no jpeg at all"] * 3, [40] * 3)
    assert "no frame can be decoded, expected a complete video file" in error_of(path)


def test_a_cut_file_is_named(tmp_path: Path, logged: list[str]) -> None:
    path = matroska(tmp_path / "x.mkv", LEVELS, TIMES_MS)
    path.write_bytes(path.read_bytes()[: -3 * len(LEVELS[0])])
    count = len(frames_of(path))
    assert 0 < count < 8
    assert logged == [f"{path}: ended after {count} frames; the file is damaged or truncated"]


@pytest.mark.parametrize("kind", ["variable", "trimmed", "late"])
def test_a_whole_file_is_not_said_to_be_cut(kind: str, tmp_path: Path, logged: list[str]) -> None:
    """FFmpeg guesses how many frames there are by the rate, before an edit list is applied."""
    if kind == "variable":
        path, count = matroska(tmp_path / "x.mkv", LEVELS, TIMES_MS), 8
    elif kind == "late":
        path = matroska(tmp_path / "x.mkv", LEVELS, [5000 + 40 * number for number in range(8)])
        count = 8
    else:
        path, count = movie(tmp_path / "x.mov", LEVELS, [40] * 8, shown_ms=120), 3
    assert len(frames_of(path)) == count
    assert logged == []

"""Clips of every usual kind, made by ffmpeg, read as ffprobe reads them: with any OpenCV the same.

Every difference has its reason in `EXPLAINED`. `PYTHON -m pytest` with this file, in environments
with other releases of OpenCV, compares those.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeinfer.device.cameras.files.video import VideoCamera
from edgeinfer.device.core.errors import CameraError
from edgeinfer.device.pictures.frame import Frame

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        shutil.which("ffmpeg") is None or shutil.which("ffprobe") is None,
        reason="needs ffmpeg and ffprobe",
    ),
]

SECOND = "size=160x120:rate=25:duration=1"
X264, X265 = "-c:v libx264 -pix_fmt yuv420p", "-c:v libx265 -x265-params log-level=none"
VARIABLE = "select='lt(t,1)+gte(t,1)*lt(t,2)*not(mod(n,6))+gte(t,2)*not(mod(n,30))'"

# Name: what testsrc2 makes, and how it is encoded.
CLIPS: dict[str, tuple[str, str]] = {
    **{
        f"{stem}.{suffix}": (SECOND, arguments)
        for stem, suffixes, arguments in (
            ("h264", "mp4 mov mkv ts m2ts avi nut 264", f"{X264} -bf 3"),
            ("h264", "flv", f"{X264} -bf 0"),
            ("h264fast", "mp4", f"{X264} -movflags faststart"),
            ("h264frag", "mp4", f"{X264} -movflags frag_keyframe+empty_moov"),
            ("h264full", "mp4", "-c:v libx264 -pix_fmt yuv444p"),
            ("h264ten", "mp4", "-c:v libx264 -pix_fmt yuv420p10le"),
            ("hevc", "mp4 mkv ts 265", f"{X265} -pix_fmt yuv420p"),
            ("hevcten", "mov", f"{X265} -pix_fmt yuv420p10le -tag:v hvc1"),
            ("vp8", "webm", "-c:v libvpx"),
            ("vp9", "webm mp4", "-c:v libvpx-vp9"),
            ("vp9ten", "mkv", "-c:v libvpx-vp9 -pix_fmt yuv420p10le"),
            ("av1", "mp4 mkv webm ivf obu", "-c:v libsvtav1"),
            ("mpeg4", "mp4 avi", "-c:v mpeg4 -bf 2"),
            ("mjpeg", "avi mov mkv mjpeg", "-c:v mjpeg -pix_fmt yuvj420p"),
            ("mpeg2", "mpg vob ts mxf", "-c:v mpeg2video"),
            ("mpeg1", "mpg", "-c:v mpeg1video"),
            ("wmv", "wmv asf", "-c:v wmv2"),
            ("msmpeg4", "avi", "-c:v msmpeg4"),
            ("flv1", "flv", "-c:v flv1"),
            ("theora", "ogv", "-c:v libtheora"),
            ("prores", "mov", "-c:v prores_ks -profile:v 2"),
            ("ffv1", "mkv", "-c:v ffv1"),
            ("huffyuv", "avi", "-c:v huffyuv"),
            ("raw", "avi", "-c:v rawvideo -pix_fmt bgr24"),
            ("png", "mov", "-c:v png"),
            ("qtrle", "mov", "-c:v qtrle"),
            ("cinepak", "avi", "-c:v cinepak"),
            ("wide", "mp4", f"-vf setsar=2/1 {X264}"),
        )
        for suffix in suffixes.split()
    },
    "y4m.y4m": ("size=320x240:rate=25:duration=1", "-pix_fmt yuv420p"),
    "h263.3gp": ("size=352x288:rate=25:duration=1", "-c:v h263"),
    "dv.avi": ("size=720x576:rate=25:duration=1", "-c:v dvvideo -pix_fmt yuv420p"),
    "dv.dv": ("size=720x576:rate=25:duration=1", "-c:v dvvideo -pix_fmt yuv420p"),
    "dnxhr.mov": (
        "size=320x240:rate=25:duration=1",
        "-c:v dnxhd -profile:v dnxhr_sq -pix_fmt yuv422p",
    ),
    "oddhevc.mp4": ("size=162x122:rate=25:duration=1", f"{X265} -pix_fmt yuv420p"),
    "oddh264.mp4": ("size=162x122:rate=25:duration=1", X264),
    "narrow.mp4": ("size=16x2000:rate=25:duration=1", X264),
    "interlaced.mpg": ("size=320x240:rate=25:duration=1", "-c:v mpeg2video -flags +ildct+ilme"),
    "one.mp4": ("size=64x48:rate=25:duration=0.04", X264),
    **{
        f"rate-{number}.{suffix}": (f"size=64x48:rate={rate}:duration={12 / fps}", X264)
        for number, rate, fps in (
            ("tenth", "1/10", 0.1),
            ("one", "1", 1),
            ("film", "24000/1001", 23.976),
            ("tv", "30000/1001", 29.97),
            ("120", "120", 120),
            ("1000", "1000", 1000),
        )
        for suffix in ("mp4", "mkv", "ts")
    },
    **{
        f"variable.{suffix}": (
            "size=64x48:rate=60:duration=4",
            f"-vf {VARIABLE} -vsync vfr {X264} -bf 0",
        )
        for suffix in ("mp4", "mov", "mkv", "ts", "flv")
    },
    **{
        f"turned-{angle}.{suffix}": (SECOND, f"{X264} -metadata:s:v:0 rotate={angle}")
        for angle in (90, 180, 270)
        for suffix in ("mp4", "mov")
    },
}

AV1 = "OpenCV's wheels bring no decoder of AV1, ffprobe has dav1d"
EXPLAINED: dict[str, str] = {
    f"av1.{suffix}": AV1 for suffix in ["mp4", "mkv", "webm", "ivf", "obu"]
}

LOSSY = 6.0
"""Mean difference of a turned picture from ffmpeg's, in grey levels: two converters of colours."""


def made(name: str, folder: Path) -> Path:
    """Make a clip; those that turn are encoded first and then copied, as ffmpeg wants it."""
    source, arguments = CLIPS[name]
    path = folder / name
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i"]
    head, turned, angle = arguments.partition(" -metadata:s:v:0 ")
    first = folder / f"upright-{name}" if turned else path
    subprocess.run([*command, f"testsrc2={source}", *head.split(), str(first)], check=True)
    if turned:
        copy = ["-c", "copy", "-metadata:s:v:0", angle, str(path)]
        subprocess.run([*command[:-3], "-i", str(first), *copy], check=True)
    return path


def probed(path: Path) -> tuple[dict[str, Any], list[float], float]:
    """Return the stream of pictures, the times of its frames, and the length of the whole."""
    wanted = "stream=width,height,nb_read_frames:stream_side_data=rotation:format=duration"
    wanted += ":frame=best_effort_timestamp_time"
    command = ["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0"]
    done = subprocess.run(
        [*command, "-show_entries", wanted, "-of", "json", str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    times = [
        float(frame["best_effort_timestamp_time"])
        for frame in told.get("frames", [])
        if "best_effort_timestamp_time" in frame
    ]
    return told["streams"][0], times, float(told["format"].get("duration", "nan"))


def frames_of(path: Path) -> tuple[list[Frame], float | None]:
    with VideoCamera(path) as camera:
        frames = []
        while (frame := camera.read()) is not None:
            frames.append(frame)
        return frames, camera.video_fps


def first_picture(path: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the first frame as ffmpeg shows it, turned by itself."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-frames:v", "1"]
    done = subprocess.run(
        [*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True
    )
    return np.frombuffer(done.stdout, np.uint8).reshape(size[1], size[0], 3)


@pytest.mark.parametrize("name", CLIPS)
def test_a_clip_is_what_ffprobe_says(name: str, tmp_path: Path, logged: list[str]) -> None:
    path = made(name, tmp_path)
    stream, times, length_s = probed(path)
    if EXPLAINED.get(name) == AV1:
        with pytest.raises(CameraError, match="is AV1 video, which this OpenCV cannot decode"):
            VideoCamera(path)
        return
    frames, fps = frames_of(path)
    assert len(frames) == int(stream["nb_read_frames"])
    turns = [side["rotation"] for side in stream.get("side_data_list", []) if "rotation" in side]
    size = (stream["width"], stream["height"])
    size = size[::-1] if turns and turns[0] % 180 else size
    assert {frame.size for frame in frames} == {size}
    assert name.startswith("turned") == bool(turns)
    if turns:
        shown = first_picture(path, size).astype(int)
        assert np.abs(frames[0].rgb() - shown).mean() < LOSSY
    positions = [frame.position_s or 0 for frame in frames]
    # Streams without a container, and AVI with frames in another order, have no times of some.
    if len(times) == len(frames) and times == sorted(set(times)):
        assert positions == pytest.approx([at - times[0] for at in times], abs=0.0011)
    assert fps is not None
    if np.isfinite(length_s):
        # Some formats count the last frame's time, some do not, and some another one.
        assert positions[-1] - 1e-3 <= length_s <= positions[-1] + 2.1 / fps
    assert logged == []


def test_they_are_seventy_and_more() -> None:
    assert len(CLIPS) >= 70

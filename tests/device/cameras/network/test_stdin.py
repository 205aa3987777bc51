"""JPEGs from a pipe."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeinfer.device.cameras.network.stdin import StdinCamera
from edgeinfer.device.core.errors import CameraError
from tests.device.cameras.network.test_jpeg_splitter import PICTURES
from tests.support.logged import hearing


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for descriptor in (reader, writer):
        try:
            os.close(descriptor)
        except OSError:
            continue


def test_pictures_as_they_come(pipe: tuple[int, int]) -> None:
    camera = StdinCamera(pipe[0])
    assert camera.live
    for number, picture in enumerate(PICTURES[:3]):
        os.write(pipe[1], picture)
        frame = camera.read()
        assert frame is not None
        assert (frame.sequence, frame.format) == (number, "jpeg")
        assert frame.pixels.tobytes() == picture
        assert frame.rgb().shape == (24, 32, 3)
    os.close(pipe[1])
    assert camera.read() is None


def test_of_pictures_that_wait_only_the_last_is_about_now(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"".join(PICTURES))
    frame = StdinCamera(pipe[0]).read()
    assert frame is not None
    assert (frame.sequence, frame.pixels.tobytes()) == (3, PICTURES[3])


def test_file_is_read_whole(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mjpeg"
    clip.write_bytes(b"".join(PICTURES[:3] * 100) + PICTURES[0][:-9])
    with clip.open("rb") as stream:
        camera = StdinCamera(stream.fileno())
        assert not camera.live
        assert camera.skip()
        frames = list(iter(camera.read, None))
        assert [frame.sequence for frame in frames] == list(range(1, 300))


def test_silence_is_reported_and_the_camera_waits(pipe: tuple[int, int]) -> None:
    told: list[str] = []

    def hear(line: str) -> None:
        if not told:  # the silence has been noticed: now it ends
            os.write(pipe[1], PICTURES[0])
        told.append(line)

    camera = StdinCamera(pipe[0], timeout_s=0.2)
    with hearing(hear):
        assert camera.read() is not None
    assert told[0] == "stdin: no picture for 0.2 s; waiting"
    assert told[1].startswith("stdin: pictures again after ")


def test_wait_can_be_ended(pipe: tuple[int, int]) -> None:
    camera = StdinCamera(pipe[0])
    threading.Timer(0.1, camera.interrupt).start()
    assert camera.read() is None  # nothing else would end it


def test_no_picture_at_all_is_an_error(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"no picture")
    os.close(pipe[1])
    with pytest.raises(CameraError, match="stdin: ended without a whole JPEG"):
        StdinCamera(pipe[0]).read()


def test_a_terminal_is_refused_as_a_source() -> None:
    leader, follower = os.openpty()
    try:
        with pytest.raises(CameraError, match="stdin: is a terminal, expected JPEG pictures"):
            StdinCamera(follower)
    finally:
        os.close(leader)
        os.close(follower)


H264 = b"\0\0\0\1\x67\x42\x00\x1e" + bytes(range(1, 250))


@pytest.mark.parametrize(
    ("sent", "name"),
    [(H264, "H.264"), (b"\0\0\1\x40\x01\x0c\x01", "H.265"), (b"\0\0\0\x18ftypmp42", "MP4")],
)
def test_a_video_is_named(sent: bytes, name: str, pipe: tuple[int, int]) -> None:
    os.write(pipe[1], sent)
    with pytest.raises(CameraError, match=f"is {name} video, expected JPEG pictures") as caught:
        StdinCamera(pipe[0]).read()
    assert "ffmpeg -i - -f mjpeg -" in caught.value.next_step
    assert "rpicam-vid --codec mjpeg" in caught.value.next_step


def test_last_picture_may_lack_its_end(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mjpeg"
    clip.write_bytes(b"".join(picture[:-2] for picture in PICTURES[:3]))
    with clip.open("rb") as stream:
        frames = list(iter(StdinCamera(stream.fileno()).read, None))
    assert [frame.pixels.tobytes() for frame in frames] == PICTURES[:3]


def test_bytes_without_a_picture_are_an_error(tmp_path: Path) -> None:
    noise = tmp_path / "noise"
    noise.write_bytes(b"\x55" * (40 << 20))
    with noise.open("rb") as stream, pytest.raises(CameraError, match="has no whole JPEG in 33,"):
        StdinCamera(stream.fileno()).read()

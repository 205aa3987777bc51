"""Videos on stdin where JPEGs are wanted are named."""

from __future__ import annotations

import shutil
import subprocess

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.cameras.network.video_kinds import name_video
from tests.device.cameras.network.test_jpeg_splitter import BETWEEN, PICTURES

FILLING = bytes(range(1, 250)) * 3


@pytest.mark.parametrize(
    ("beginning", "name"),
    [
        (b"\0\0\0\1\x67\x42\x00\x1e" + FILLING, "H.264"),
        (b"\0\0\1\x27\x4d\x40\x28" + FILLING, "H.264"),
        (b"\0\0\0\1\x09\x10\0\0\0\1\x67" + FILLING, "H.264"),
        (b"\0\0\0\1\x06\x05\xff" + FILLING, "H.264"),
        (FILLING + (b"\0\0\0\1\x41\x9a" + FILLING) * 3, "H.264"),
        (b"\0\0\0\1\x40\x01\x0c" + FILLING, "H.265"),
        (b"\0\0\1\x46\x01\x50\0\0\1\x40\x01" + FILLING, "H.265"),
        (FILLING + (b"\0\0\1\x02\x01\xd0" + FILLING) * 3, "H.265"),
        (b"\0\0\0\x18ftypmp42" + FILLING, "MP4"),
        (b"\x1a\x45\xdf\xa3" + FILLING, "Matroska or WebM"),
        ((b"G" + bytes(187)) * 6, "MPEG-TS"),
        (b"RIFF\0\0\0\0AVI LIST", "AVI"),
        (b"YUV4MPEG2 W64 H48", "uncompressed (YUV4MPEG2)"),
        (b"\0\0\1\xba" + FILLING, "MPEG"),
        (b"\0\0\1\xb0\x01\0\0\1\xb5" + FILLING, "MPEG-4"),
        (b"FLV\x01", "FLV"),
    ],
)
def test_names(beginning: bytes, name: str) -> None:
    assert name_video(beginning) == name


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"hello\n" * 99,
        bytes(5000),
        PICTURES[0],
        BETWEEN + PICTURES[0][:300],
        b"\0\0\1",
        b"GIF89a",
    ],
)
def test_what_is_not_a_video(beginning: bytes) -> None:
    assert name_video(beginning) == ""


@given(st.binary(max_size=300))
def test_any_bytes_are_judged(data: bytes) -> None:
    name_video(data)
    name_video(b"\0\0\1" + data)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="encodes with the program ffmpeg")
@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["-c:v", "libx264", "-f", "h264"], "H.264"),
        (["-c:v", "libx265", "-f", "hevc"], "H.265"),
        (["-c:v", "libx264", "-f", "mpegts"], "MPEG-TS"),
        (["-c:v", "mpeg4", "-f", "m4v"], "MPEG-4"),
    ],
)
def test_what_ffmpeg_writes(words: list[str], name: str) -> None:
    source = ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=1", *words, "-"]
    made = subprocess.run(["ffmpeg", "-v", "error", *source], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("this ffmpeg lacks the encoder")
    assert name_video(made.stdout[:4096]) == name


def test_jpeg_is_not_taken_for_video_whatever_its_part() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (480, 640, 3)).astype(np.uint8)
    content = cv2.imencode(".jpg", picture)[1].tobytes()
    assert all(name_video(content[start : start + 4096]) == "" for start in range(0, 99_999, 4096))

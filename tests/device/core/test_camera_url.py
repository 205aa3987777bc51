"""Cameras that hold secrets: read from files, taken out of options, never shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.cli.commands.run import run
from edgeinfer.device.core.camera_url import (
    is_private,
    read_camera_url,
    take_camera,
    without_secrets,
)
from edgeinfer.device.core.errors import CameraError

URL = "rtsp://me:hunter2@cam.local:554/live?token=hunter3"
SECRET = "<hunter2>"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (URL, "rtsp://***@cam.local:554/live?***"),
        ("http://cam/live#hunter2", "http://cam/live?***"),
        ("rtsp://cam/user=me_password=hunter2_channel=1.sdp", "rtsp://cam/***"),
        ("rtsp://cam/a/b/user=me&password=hunter2/0", "rtsp://cam/a/b/***"),
        ("srt://cam:9000?passphrase=hunter2", "srt://cam:9000?***"),
        ("odd+kind://me:hunter2@cam", "odd+kind://***@cam"),
        ("http://cam/video", "http://cam/video"),
        ("gst:rtspsrc location=rtsp://me:hunter2@cam ! decodebin", "gst:rtspsrc ..."),
        ("gst:rtsp://me:hunter2@cam!x", "gst:rtsp://***@cam ..."),
        ("gst:", "gst: ..."),
        ("/dev/video0", "/dev/video0"),
        ("a=b/clip.mp4", "a=b/clip.mp4"),
    ],
)
def test_what_is_shown(source: str, shown: str) -> None:
    assert without_secrets(source) == shown
    assert without_secrets(shown) == shown


@pytest.mark.parametrize(
    ("source", "private"),
    [
        (URL, True),
        ("http://cam", True),
        ("ftp://x", True),
        ("gst:v4l2src", True),
        ("", False),
        ("0", False),
        ("simulated:folder", False),
        ("clip.mp4", False),
    ],
)
def test_which_may_hold_a_secret(source: str, private: bool) -> None:
    assert is_private(source) == private


def written(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    path = folder / "camera url"
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440])
def test_a_file_names_the_camera(tmp_path: Path, mode: int) -> None:
    assert read_camera_url(written(tmp_path, f" {URL}\r\n\n".encode(), mode)) == URL


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602, 0o601, 0o660, 0o777])
def test_a_file_for_others_too_is_refused(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path, URL.encode(), mode)
    with pytest.raises(CameraError, match=f"others .mode {mode:04o}.*chmod 600") as caught:
        read_camera_url(path)
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "does not hold one line"),
        (b"\n\n", "does not hold one line"),
        (f"{URL}\n{URL}\n".encode(), "does not hold one line"),
        (b"rtsp://me:hunter2\x00@cam", "does not hold one line"),
        (b"rtsp://me:hunter2\xff@cam", "does not hold one line"),
        (b"rtsp://me:hunter2@cam/" + b"x" * 10_000, "does not hold one line"),
        (b"hunter2", "does not name a network camera"),
        (b"/dev/video0", "does not name a network camera"),
    ],
)
def test_a_file_that_names_no_camera_is_refused_and_not_shown(
    tmp_path: Path, content: bytes, words: str
) -> None:
    with pytest.raises(CameraError, match=words) as caught:
        read_camera_url(written(tmp_path, content))
    assert "hunter2" not in str(caught.value)


def test_a_folder_an_absent_file_and_a_device_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none", Path("/dev/zero")):
        with pytest.raises(CameraError):
            read_camera_url(path)


def test_a_pipe_names_the_camera() -> None:
    reading, writing = os.pipe()
    os.write(writing, URL.encode())
    os.close(writing)
    try:
        assert read_camera_url(Path(f"/dev/fd/{reading}")) == URL  # as `<(pass show camera)`
    finally:
        os.close(reading)


@pytest.mark.parametrize(
    ("words", "others", "camera"),
    [
        (["--camera", URL], (), URL),
        ([f"--camera={URL}", "--every", "2"], ("--every", "2"), URL),
        (["--every", "2", "--camera", URL], ("--every", "2"), URL),
        (["--camera", "gst:a ! b"], (), "gst:a ! b"),
        (["--camera", "0", "--camera", URL], (), URL),
        (["--camera", URL, "--camera", "0"], ("--camera", "0"), ""),
        (["--camera", URL, "--camera"], ("--camera", ""), ""),
        (["--camera", "0"], ("--camera", "0"), ""),
        (["--camera", "--wait-for-camera"], ("--camera", "--wait-for-camera"), ""),
        (["--camera"], ("--camera",), ""),
        ([], (), ""),
    ],
)
def test_a_camera_is_taken_out_of_the_options(
    words: list[str], others: tuple[str, ...], camera: str
) -> None:
    assert take_camera(words) == (others, camera)


WORDS = st.lists(
    st.sampled_from(
        ["--camera", f"--camera={SECRET}://x", f"rtsp://{SECRET}@cam", "--every", "2", "--json",
         "--camera=", "0", "-", "simulated", "--wait-for-camera", "gst:" + SECRET]
    ),
    max_size=6,
)  # fmt: skip


@given(WORDS)
def test_the_program_understands_the_options_as_before_and_no_secret_is_left(
    words: list[str],
) -> None:
    def parsed(options: list[str]) -> dict[str, object] | None:
        try:
            params = run.make_context("run", list(options)).params
        except Exception:  # whatever it refuses
            return None
        return params if params["bundle"] is None else None  # `flash` refuses another bundle

    before = parsed(words)
    if before is None:
        return
    others, camera = take_camera(words)
    assert SECRET not in " ".join(others)
    after = parsed([*others, *(["--camera", camera] if camera else [])])
    assert after == before

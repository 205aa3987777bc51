"""Addresses that give one picture for each request."""

from __future__ import annotations

import itertools
import threading
import time

import cv2
import numpy as np
import pytest

from edgeinfer.device.cameras.network.opencv import open_url
from edgeinfer.device.cameras.network.snapshot import SnapshotCamera
from edgeinfer.device.cameras.open import open_camera
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.core.errors import CameraError
from tests.device.cameras.network.cameras_over_http import refuses, responds, whole
from tests.device.cameras.network.test_jpeg_splitter import BETWEEN, PICTURES
from tests.device.cameras.raw_server import Connection, raw_server
from tests.support.waiting import PATIENCE_S

PATIENT = CameraOptions(timeout_s=PATIENCE_S)
QUICK_FPS = 1000.0


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


def chunked(content: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: image/jpeg\r\n\r\n"
    return head + b"%x\r\n" % len(content) + content + b"\r\n0\r\n\r\n"


def until_closed(content: bytes, kind: bytes = b"image/jpeg") -> bytes:
    return b"HTTP/1.0 200 OK\r\nContent-Type: " + kind + b"\r\n\r\n" + content


ANSWERS = {
    "length": whole(PICTURES[0]),
    "progressive": whole(PICTURES[1], "image/pjpeg"),
    "thumbnail": whole(PICTURES[3], "image/jpg; charset=x"),
    "no type": whole(PICTURES[0], ""),
    "wrong type": whole(PICTURES[0], "text/plain"),
    "no length": until_closed(PICTURES[0]),
    "no length, bytes": until_closed(PICTURES[2], b"application/octet-stream"),
    "chunked": chunked(PICTURES[0]),
    "no end": whole(PICTURES[0][:-2]),
    "no end, no length": until_closed(PICTURES[0][:-2]),
    "padding": whole(PICTURES[0] + bytes(64)),
    "dates": whole(PICTURES[0], "image/jpeg", "Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_picture_for_each_request(name: str) -> None:
    keep = name not in ("no length", "no length, bytes", "no end, no length")
    with raw_server(responds(lambda *_: ANSWERS[name], keep=keep)) as server:
        with open_url(server.url, PATIENT, fps=QUICK_FPS) as camera:
            assert isinstance(camera, SnapshotCamera)
            assert camera.live
            assert camera.description == f"{server.url}, single pictures, 1000 a second"
            frames = [camera.read() for _ in range(3)]
        # What is asked for again goes on the same connection where the server keeps it.
        assert len(server.connections) == (1 if keep else 3)
    assert [frame.sequence for frame in frames if frame] == [0, 1, 2]
    assert all(frame and frame.rgb().shape == (24, 32, 3) for frame in frames)
    times = [frame.captured_ns for frame in frames if frame]
    assert times == sorted(set(times))
    assert times[-1] <= time.monotonic_ns()


@pytest.mark.parametrize(
    ("suffix", "kind"), [(".png", "image/png"), (".bmp", ""), (".webp", "x/y")]
)
def test_other_pictures(suffix: str, kind: str) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (30, 20, 3)).astype(np.uint8)
    options = [cv2.IMWRITE_WEBP_QUALITY, 101] if suffix == ".webp" else []
    content = cv2.imencode(suffix, picture, options)[1].tobytes()
    with (
        raw_server(responds(lambda *_: whole(content, kind), keep=True)) as server,
        open_url(server.url, PATIENT, fps=QUICK_FPS) as camera,
    ):
        for number in range(2):
            frame = camera.read()
            assert frame is not None
            assert (frame.sequence, frame.format) == (number, "rgb")
            np.testing.assert_array_equal(frame.rgb(), picture[..., ::-1])


def test_stream_without_parts_is_none_of_single_pictures() -> None:
    def answer(connection: Connection) -> None:
        connection.send(until_closed(PICTURES[0]))
        connection.send_forever(PICTURES[1])

    with raw_server(answer) as server, open_url(server.url, PATIENT) as camera:
        assert camera.description == f"{server.url}, MJPEG"
        assert {camera.read() is not None for _ in range(3)} == {True}
        assert len(server.connections) == 1


@pytest.mark.parametrize("kind", [b"application/octet-stream", b"multipart/mixed", b"text/html"])
def test_parts_are_recognized_by_themselves(kind: bytes) -> None:
    body = BETWEEN + PICTURES[0] + BETWEEN + PICTURES[1]
    with (
        raw_server(lambda connection: connection.send(until_closed(body, kind))) as server,
        open_url(server.url, PATIENT) as camera,
    ):
        frame = camera.read()
        assert frame is not None
        assert frame.pixels.tobytes() in PICTURES[:2]


def test_rate_is_kept() -> None:
    with (
        raw_server(responds(lambda *_: whole(PICTURES[0]), keep=True)) as server,
        open_url(server.url, PATIENT, fps=20) as camera,
    ):
        frames = [camera.read() for _ in range(4)]
    asked = [frame.captured_ns for frame in frames if frame]
    assert all(later - earlier >= 1e9 / 20 - 1e6 for earlier, later in itertools.pairwise(asked))


def test_rate_is_that_of_the_option_or_the_camera_or_one_a_second() -> None:
    with raw_server(responds(lambda *_: whole(PICTURES[0]))) as server:
        for fps, options, said in (
            (0.25, CameraOptions(fps=9), "0.25"),
            (None, CameraOptions(fps=9), "9"),
            (None, PATIENT, "1"),
        ):
            with open_camera(server.url, fps=fps, options=options) as camera:
                assert camera.description == f"{server.url}, single pictures, {said} a second"


def test_damaged_pictures_are_skipped_and_many_are_an_error() -> None:
    number = itertools.count()

    def respond(path: str, headers: dict[str, str]) -> bytes:
        return whole(PICTURES[0][: -9 if next(number) in (1, 2) or next(later) else None])

    later = itertools.repeat(0)
    with (
        raw_server(responds(respond, keep=True)) as server,
        open_url(server.url, PATIENT, fps=QUICK_FPS) as camera,
    ):
        assert [frame.sequence for _ in range(2) if (frame := camera.read())] == [0, 3]
        assert camera.skipped_files == 2
        later = itertools.repeat(1)
        with pytest.raises(CameraError, match="30 damaged pictures in a row"):
            camera.read()


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (refuses(status="404 Not Found"), "answers 404"),
        (refuses(status="503 Busy"), "busy or faulty"),
        (whole(b"<html>", "text/html"), "answers with text/html, no longer with one picture"),
        (whole(b"", "image/jpeg"), "no longer with one picture"),
        (until_closed(PICTURES[0] * 2), "no longer with one picture"),
        (whole(PICTURES[0])[:-9], "30 damaged pictures in a row"),
        (b"", "hangs up without an answer"),
    ],
)
def test_what_comes_instead_of_the_second_picture(second: bytes, said: str) -> None:
    answers = iter([whole(PICTURES[0])])
    with (
        raw_server(responds(lambda *_: next(answers, second))) as server,
        open_url(server.url, PATIENT, fps=QUICK_FPS) as camera,
    ):
        assert camera.read() is not None
        with pytest.raises(CameraError, match=said):
            camera.read()


def test_camera_that_fails_is_asked_again() -> None:
    answers = iter([whole(PICTURES[0]), refuses(status="503 Busy")])
    with (
        raw_server(responds(lambda *_: next(answers, whole(PICTURES[1])))) as server,
        open_camera(server.url, fps=QUICK_FPS, options=PATIENT) as camera,
    ):
        frames = [camera.read() for _ in range(3)]
    assert [frame.pixels.tobytes() for frame in frames if frame] == [
        PICTURES[0],
        PICTURES[1],
        PICTURES[1],
    ]


def test_connection_that_the_server_closes_meanwhile_is_made_again() -> None:
    def answer(connection: Connection) -> None:
        for _ in range(2):
            connection.send(whole(PICTURES[0]))
            if not connection.next_request():
                return

    with (
        raw_server(answer) as server,
        open_url(server.url, PATIENT, fps=QUICK_FPS) as camera,
    ):
        assert all(camera.read() is not None for _ in range(5))
        assert [connection.requests for connection in server.connections][:2] == [
            3,
            3,
        ]  # the third unanswered


def test_wait_for_the_next_picture_can_be_ended() -> None:
    with (
        raw_server(responds(lambda *_: whole(PICTURES[0]))) as server,
        open_url(server.url, PATIENT, fps=1 / PATIENCE_S) as camera,
    ):
        assert camera.read() is not None
        threading.Timer(0.1, camera.interrupt).start()
        assert camera.read() is None

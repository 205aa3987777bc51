"""Network cameras, against a real HTTP server in this process."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from edgeinfer.device.cameras.network.opencv import has_gstreamer, open_url
from edgeinfer.device.cameras.open import open_camera
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.core.errors import CameraError
from tests.device.cameras.files.clips.made_clips import (
    corners,
    corners_of,
    index_first,
    jpeg,
    movie,
)
from tests.device.cameras.network.test_jpeg_splitter import BETWEEN, PICTURES
from tests.device.cameras.raw_server import make_impatient
from tests.support.waiting import PATIENCE_S

PATIENT = CameraOptions(timeout_s=PATIENCE_S)
Serve = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """An HTTP camera on this machine that does what the test says."""

    def __init__(self) -> None:
        self.connections = 0
        self.serve: Serve = serve_pictures
        self.closing = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.connections += 1
                with contextlib.suppress(OSError):
                    outer.serve(self)

            def log_message(self, format: str, *arguments: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def url(self, user: str = "", path: str = "/video") -> str:
        return f"http://{user}127.0.0.1:{self._server.server_address[1]}{path}"

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    running = Server()
    yield running
    running.close()


def begin(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
    request.end_headers()


def serve_pictures(request: BaseHTTPRequestHandler) -> None:
    """Send three pictures and hang up."""
    begin(request)
    for picture in PICTURES[:3]:
        request.wfile.write(BETWEEN + picture)


def serve_silence(server: Server) -> Serve:
    def serve(request: BaseHTTPRequestHandler) -> None:
        begin(request)
        request.wfile.write(BETWEEN + PICTURES[0])
        server.closing.wait(PATIENCE_S)

    return serve


def test_pictures_and_connecting_again_when_it_hangs_up(server: Server, logged: list[str]) -> None:
    with open_camera(server.url(), options=PATIENT) as camera:
        assert camera.live
        assert camera.description == f"{server.url()}, MJPEG"
        frames = [camera.read() for _ in range(2)]
        while server.connections < 2:
            frames.append(camera.read())
    numbers = [frame.sequence for frame in frames if frame is not None]
    assert numbers == sorted(set(numbers))
    assert {frame.pixels.tobytes() for frame in frames if frame} <= set(PICTURES[:3])
    assert logged[0] == f"{server.url()}, MJPEG: ended; opening it again"


def test_silence_is_a_fault(server: Server) -> None:
    server.serve = serve_silence(server)
    with open_url(server.url(), PATIENT) as camera:
        assert camera.read() is not None
        make_impatient(camera, 0.5)
        with pytest.raises(CameraError, match="stopped delivering pictures"):
            camera.read()


def test_incomplete_pictures_are_skipped_and_many_are_an_error(server: Server) -> None:
    def serve(request: BaseHTTPRequestHandler) -> None:
        begin(request)
        for _ in range(40):
            request.wfile.write(BETWEEN + PICTURES[0][:-20])

    server.serve = serve
    with (
        open_url(server.url(), PATIENT) as camera,
        pytest.raises(CameraError, match="30 damaged pictures in a row"),
    ):
        camera.read()
    assert camera.skipped_files >= 30


def test_name_and_password_go_where_they_belong(server: Server) -> None:
    seen: list[str | None] = []

    def serve(request: BaseHTTPRequestHandler) -> None:
        seen.append(request.headers["Authorization"])
        if seen[-1] is None:
            request.send_error(401)
        else:
            serve_pictures(request)

    server.serve = serve
    with open_url(server.url("me:p%40ss@"), PATIENT) as camera:
        assert camera.description == f"{server.url('***@')}, MJPEG"
    # A password goes to those who ask for it.
    assert seen == [None, "Basic " + base64.b64encode(b"me:p@ss").decode()]


@pytest.mark.parametrize(
    ("code", "said"), [(404, "answers 404"), (401, "check name and password"), (500, "answers 500")]
)
def test_refusal_names_the_reason_and_no_password(server: Server, code: int, said: str) -> None:
    server.serve = lambda request: request.send_error(code)
    with pytest.raises(CameraError, match=said) as caught:
        open_camera(server.url("me:secret@", "/video?token=secret"), options=PATIENT)
    assert "secret" not in str(caught.value)


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    # Bound and not listening: no other program can come to listen there meanwhile.
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/video"
        with pytest.raises(CameraError, match=r"cannot be reached \(connection refused\)"):
            open_camera(url, options=PATIENT)


@pytest.mark.parametrize("url", ["http://[::1/", "http:///x", "http://a b/", "http://x:99999999/"])
def test_url_that_is_none(url: str) -> None:
    with pytest.raises(CameraError):
        open_camera(url, options=PATIENT)


def test_other_streams_are_ffmpegs(server: Server, video: Path) -> None:
    content = video.read_bytes()

    def serve(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "video/x-msvideo")
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    server.serve = serve
    with open_url(server.url(), PATIENT) as camera:
        assert camera.description == f"{server.url()}, 64x48, 25 frames/s"
        frame = camera.read()
        assert frame is not None
        assert (frame.format, frame.pixels.shape) == ("bgr", (48, 64, 3))
        assert camera.skip()
        for _ in range(9):  # one was skipped, one read, and one proved the stream
            assert camera.skip()
        with pytest.raises(CameraError, match="ended, or is silent"):
            camera.read()


def test_a_clip_at_an_address_stands_upright(server: Server, tmp_path: Path) -> None:
    clip = movie(tmp_path / "x.mov", [jpeg(corners())] * 3, [40] * 3, turn=(0, 1, -1, 0))
    content = index_first(clip.read_bytes())

    def serve(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "video/quicktime")
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    server.serve = serve
    with open_url(server.url(), PATIENT) as camera:
        assert camera.description.startswith(f"{server.url()}, 48x64")
        frame = camera.read()
    assert frame is not None
    assert corners_of(frame.rgb()) == "-w-o"


def test_stream_that_is_not_a_video(server: Server) -> None:
    def serve(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "text/html")
        request.end_headers()
        request.wfile.write(b"<html>")

    server.serve = serve
    with pytest.raises(CameraError, match="answers with text/html, which is not a picture"):
        open_camera(server.url(), options=PATIENT)


def test_rtsp_that_nobody_answers(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CameraError, match=r"@127\.0\.0\.1:1/x: cannot be reached") as caught:
        open_camera("rtsp://me:secret@127.0.0.1:1/x", options=PATIENT)
    assert "secret" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_pipeline_without_gstreamer_says_so() -> None:
    if has_gstreamer():
        pytest.skip("this OpenCV has GStreamer")
    with pytest.raises(CameraError, match=r"built without GStreamer.*python3-opencv"):
        open_camera("gst:videotestsrc ! videoconvert")


def test_unknown_kind_of_url_shows_no_password() -> None:
    with pytest.raises(CameraError, match="of an unknown kind") as caught:
        open_camera("ftps://me:secret@host/clip")
    assert "secret" not in str(caught.value)

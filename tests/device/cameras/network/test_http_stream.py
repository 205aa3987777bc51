"""Servers that misbehave: a camera's opening and reading end in time, and keep little of it."""

from __future__ import annotations

import pytest

from edgeinfer.device.cameras.network.opencv import open_url
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.core.errors import CameraError
from tests.device.cameras.network.test_jpeg_splitter import BETWEEN, PICTURES
from tests.device.cameras.raw_server import Answer, Connection, make_impatient, raw_server
from tests.support.waiting import PATIENCE_S

QUICK_S = 0.3
QUICK = CameraOptions(timeout_s=QUICK_S)
"""For servers that never answer."""
PATIENT = CameraOptions(timeout_s=PATIENCE_S)
"""For those that do, as late as a busy machine lets them."""
MJPEG = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n"
CHUNKED = MJPEG + b"Transfer-Encoding: chunked\r\n\r\n"
NINES = b"9" * 20


def sends(data: bytes, forever: bytes = b"", pause_s: float = 0.0) -> Answer:
    """Send bytes, and others again and again; without those, hang up."""

    def answer(connection: Connection) -> None:
        # The first of the others immediately: a client that waits only a moment has it then.
        connection.send(data + forever)
        if forever:
            connection.send_forever(forever, pause_s)

    return answer


def redirects(place: bytes, length: bytes = b"") -> bytes:
    return b"HTTP/1.1 302 Found\r\nLocation: " + place + b"\r\n" + length + b"\r\n"


BLOCK = bytes(1 << 16)

REFUSED = {
    "endless redirection": (sends(redirects(b"/other"), BLOCK), "cannot be reached|answers 302"),
    "redirection of nines": (
        sends(redirects(b"/other", b"Content-Length: " + NINES + b"\r\n")),
        "answers 302",
    ),
    "redirection loop": (sends(redirects(b"/video")), "answers 302 .too many redirections"),
    "redirection to a file": (sends(redirects(b"file:///etc/passwd")), "URL of the kind 'file'"),
    "redirection to ftp": (sends(redirects(b"ftp://127.0.0.1/x")), "URL of the kind 'ftp'"),
    "redirection to data": (sends(redirects(b"data:text/plain,x")), "URL of the kind 'data'"),
    "redirection to no URL": (sends(redirects(b"http://[::1/")), "cannot be reached"),
    "redirection to no port": (sends(redirects(b"http://x:nine/")), "cannot be reached"),
    "redirection to no host": (sends(redirects(b"http://" + b"a" * 99 + b"/")), "cannot be"),
    "redirection in Latin-1": (sends(redirects(b"/\xe9\xff \x00")), "cannot be|answers 302"),
    "redirection to nowhere": (sends(b"HTTP/1.1 302 Found\r\n\r\n"), "answers 302"),
    "endless error": (sends(b"HTTP/1.1 404 No\r\n\r\n", BLOCK), "answers 404"),
    "endless demand for a name": (sends(b"HTTP/1.1 401 No\r\n\r\n", BLOCK), "answers 401"),
    "error of nines": (
        sends(b"HTTP/1.1 500 No\r\nContent-Length: " + NINES + b"\r\n\r\n"),
        "answers 500",
    ),
    "long reason": (sends(b"HTTP/1.1 500 " + b"no " * 9000 + b"\r\n\r\n"), "answers 500"),
    "endless status": (sends(b"HTTP/1.1 200 ", BLOCK), "LineTooLong|begins with over"),
    "endless header": (sends(MJPEG + b"X: ", BLOCK), "LineTooLong|begins with over"),
    "endless headers": (sends(MJPEG, b"X: " + b"y" * 9000 + b"\r\n"), "begins with over"),
    "endless short headers": (sends(MJPEG, b"X: y\r\n"), "more than 100 headers"),
    "endless continuations": (sends(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "begins with over"),
    "dripping status": (sends(b"HTTP/1.1 ", b"2", 0.1), "no answer in time"),
    "dripping header": (sends(MJPEG + b"X: ", b"y", 0.1), "no answer in time"),
    "dripping headers": (sends(MJPEG, b"X: y\r\n", 0.1), "no answer in time"),
    "silence": (lambda connection: connection.hold(), "no answer in time"),
    "nothing": (sends(b""), "cannot be reached"),
    "no HTTP": (sends(b"220 ftp ready\r\n"), "cannot be reached"),
    "status of letters": (sends(b"HTTP/1.1 abc OK\r\n\r\n"), "cannot be reached"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_opening_ends_in_time_and_keeps_little(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    answer, said = REFUSED[name]
    with raw_server(answer) as server:
        with pytest.raises(CameraError, match=said) as caught:
            open_url(server.url, QUICK if "in time" in said else PATIENT)
        assert len(server.connections) <= 11
        # What the systems' buffers hold is all that an endless answer may send.
        assert all(connection.sent < 16 << 20 for connection in server.connections)
    assert len(str(caught.value)) < 300


PICTURE = BETWEEN + PICTURES[0]
CHUNK = b"%x\r\n" % len(PICTURE) + PICTURE + b"\r\n"

READ = {
    "silence": (sends(MJPEG + b"\r\n", b""), None),
    "no pictures": (sends(MJPEG + b"\r\n", b"\x01" * 5000, 0.01), "no picture for"),
    "one endless picture": (sends(MJPEG + b"\r\n" + PICTURE[:-2], b"\x01" * 5000, 0.01), "no pic"),
    "dripping picture": (sends(MJPEG + b"\r\n" + PICTURE[:-2], b"\x01", 0.1), "no picture for"),
    "dripping chunk size": (sends(CHUNKED, b"0", 0.1), "no answer in time|no picture for"),
    "endless chunk size": (sends(CHUNKED, b"f" * 9000), "stopped delivering"),
    "endless extension": (sends(CHUNKED + b"5;", b"x" * 9000), "stopped delivering"),
    "chunk of letters": (sends(CHUNKED + b"zz\r\n"), "stopped delivering"),
    "chunk of a negative size": (sends(CHUNKED + b"-5\r\nabc"), "stopped delivering|no picture"),
    "chunk of nines": (sends(CHUNKED + NINES + b"\r\n" + b"abc"), "stopped delivering"),
    "endless trailers": (sends(CHUNKED + b"0\r\n", b"X: y\r\n"), "stopped delivering|no picture"),
    "dripping trailers": (sends(CHUNKED + b"0\r\n", b"X: y\r\n", 0.1), "stopped|no picture"),
    "gzip": (
        sends(MJPEG + b"Content-Encoding: gzip\r\n\r\n", b"\x1f\x8b\x08" * 99, 0.01),
        "no pic",
    ),
    "endless part header": (sends(MJPEG + b"\r\n--frame\r\nX: ", b"y" * 5000, 0.01), "no picture"),
}


@pytest.mark.parametrize("name", READ)
def test_reading_ends_in_time(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    answer, said = READ[name]
    with raw_server(answer) as server, open_url(server.url, PATIENT) as camera:
        make_impatient(camera, QUICK_S)
        if said is None:
            assert camera.read() is None
        else:
            with pytest.raises(CameraError, match=said):
                camera.read()


LENGTHS = {
    "chunked": CHUNKED + CHUNK * 2,
    "nines": MJPEG + b"Content-Length: " + NINES + b"\r\n\r\n" + PICTURE * 2,
    "two lengths": MJPEG + b"Content-Length: 5\r\n" * 2 + b"\r\n" + PICTURE,
    "negative": MJPEG + b"Content-Length: -5\r\n\r\n" + PICTURE,
    "no number": MJPEG + b"Content-Length: \xb2\r\n\r\n" + PICTURE,
    "long number": MJPEG + b"Content-Length: " + b"9" * 9000 + b"\r\n\r\n" + PICTURE,
    "part of nines": MJPEG + b"\r\n--frame\r\nContent-Length: " + NINES + b"\r\n\r\n" + PICTURES[0],
    "part of a negative length": MJPEG + b"\r\n--frame\r\nContent-Length: -1\r\n\r\n" + PICTURES[0],
}


@pytest.mark.parametrize("name", LENGTHS)
def test_lengths_that_make_no_sense_do_no_harm(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with raw_server(sends(LENGTHS[name])) as server, open_url(server.url, PATIENT) as camera:
        frame = camera.read()
    assert frame is None if name == "two lengths" else frame is not None
    if frame is not None:
        assert frame.pixels.tobytes() == PICTURES[0]

"""HTTP cameras: a server on the loopback answers with the data and hangs up."""

from __future__ import annotations

import os
import socket
import threading
from functools import cache
from random import Random
from typing import Any

from edgeinfer.device.cameras.network.opencv import open_url
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.core.errors import EdgeinferError
from tests.fuzz.pictures import jpegs

_OPTIONS = CameraOptions(timeout_s=0.5)
_MOST_FRAMES = 3
_POLLS = 1e6
"""Single pictures a second: nothing is waited for."""
_MJPEG = b"Content-Type: multipart/x-mixed-replace; boundary=frame\r\n"
_OK = b"HTTP/1.1 200 OK\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_CHUNKED = b"Transfer-Encoding: chunked\r\n"
_NUMBERS = (b"0", b"5", b"-1", b"9" * 20, b"9" * 400, b"\xb2", b"0x5", b"+5", b"", b"1e9", b"5, 5")
_LOCATIONS = (
    b"/video",
    b"/other",
    b"http://127.0.0.1:1/",
    b"file:///etc/hostname",
    b"ftp://127.0.0.1/",
    b"data:,x",
    b"http://[::1",
    b"//127.0.0.1:99999999/",
    b"http://127.0.0.1:\xe9/",
    b"",
)


def seeds() -> list[bytes]:
    """Return whole answers: MJPEG in parts and chunks, redirections, refusals, other types."""
    part = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
    body = b"".join(part % len(picture) + picture + b"\r\n" for picture in jpegs()[:3])
    chunks = b"".join(
        b"%x\r\n" % len(piece) + piece + b"\r\n"
        for piece in (body[start : start + 700] for start in range(0, len(body), 700))
    )
    return [
        _OK + _MJPEG + b"\r\n" + body,
        _OK + _MJPEG + _CHUNKED + b"\r\n" + chunks + b"0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n" + _MJPEG + b"Content-Length: %d\r\n\r\n" % len(body) + body,
        b"HTTP/1.1 302 Found\r\nLocation: /video\r\nContent-Length: 0\r\n\r\n",
        b'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="x"\r\n\r\n',
        _OK + b"Content-Type: image/jpeg\r\n\r\n" + jpegs()[0],
    ]


def generate(random: Random) -> bytes:
    """Return an answer of headers that are right or wrong in a known way."""
    if random.random() < 0.2:
        code = random.choice((301, 302, 303, 307, 308))
        place = random.choice(_LOCATIONS)
        return b"HTTP/1.1 %d X\r\nLocation: %s\r\n" % (code, place) + _lengths(random) + b"\r\n"
    head = random.choice((_OK, _OK, _OK, _CONTINUE * 3 + _OK, b"ICY 200 OK\r\n"))
    headers = [_MJPEG, _lengths(random), b"X: " + b"y" * random.choice((1, 70_000)) + b"\r\n"]
    headers += [b"no header\r\n", b"X: y\r\n" * random.choice((1, 200))]
    chosen = random.sample(headers, random.randint(0, len(headers)))
    body = b"".join(_piece(random) for _ in range(random.randint(0, 6)))
    return head + _MJPEG + b"".join(chosen) + b"\r\n" + body


def attempt(data: bytes) -> None:
    """Open the camera and read some frames."""
    server = _server()
    server.answer = data
    try:
        with open_url(f"http://127.0.0.1:{server.port}/video", _OPTIONS, _POLLS) as camera:
            for _ in range(_MOST_FRAMES):
                frame = camera.read()
                if frame is None:
                    break
                frame.rgb()
    except EdgeinferError:
        return


class _Server:
    """Sends `answer` to each client that connects."""

    def __init__(self) -> None:
        self.answer = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                connection.settimeout(1)
                try:
                    connection.recv(4096)
                    connection.sendall(self.answer)
                    connection.shutdown(socket.SHUT_WR)
                    # Closed immediately, what is on its way would be lost.
                    while connection.recv(4096):
                        pass
                except OSError:
                    continue


@cache
def _server() -> _Server:
    """Return the server; from now on no other address is reached."""
    os.environ["no_proxy"] = "*"
    resolve = socket.getaddrinfo

    def only_here(host: Any, *arguments: Any, **options: Any) -> Any:
        if host != "127.0.0.1":
            raise socket.gaierror(socket.EAI_NONAME, "only this machine is asked")
        return resolve(host, *arguments, **options)

    socket.getaddrinfo = only_here
    return _Server()


def _lengths(random: Random) -> bytes:
    length = b"Content-Length: " + random.choice(_NUMBERS) + b"\r\n"
    return random.choice((b"", _CHUNKED, length, length * 2, length + _CHUNKED))


def _piece(random: Random) -> bytes:
    picture = random.choice(jpegs())
    number = random.choice(_NUMBERS)
    return random.choice(
        (
            picture,
            picture[: random.randrange(len(picture))],
            b"%x\r\n" % len(picture) + picture + b"\r\n",
            number + b"\r\n" + picture[:9],
            b"--frame\r\nContent-Length: " + number + b"\r\n\r\n" + picture,
            b"\r\n" * 99,
            b"--frame\r\nX: " + b"y" * 70_000,
        )
    )

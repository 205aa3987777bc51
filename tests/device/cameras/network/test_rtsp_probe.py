"""Why an RTSP camera cannot be opened, told apart against servers on this machine."""

from __future__ import annotations

import hashlib
import re
import socket

import pytest

from edgeinfer.device.cameras.network.opencv import open_url
from edgeinfer.device.cameras.network.rtsp_probe import explain_rtsp
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.core.errors import CameraError
from tests.device.cameras.network.cameras_over_http import parts_of
from tests.device.cameras.raw_server import Answer, Connection, raw_server
from tests.support.waiting import PATIENCE_S

SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\n{}"
AUDIO = "m=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
VIDEO = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 {}/90000\r\na=control:x\r\n"


def describes(media: str) -> bytes:
    body = SDP.format(media)
    return f"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def says(answer: bytes) -> Answer:
    def talk(connection: Connection) -> None:
        request = connection.request
        while request:
            connection.send(answer)
            request = connection.next_request()

    return talk


def closes(answer: bytes) -> Answer:
    return lambda connection: connection.send(answer)


REFUSED = {
    "not found": (says(b"RTSP/1.0 404 Not Found\r\nCSeq: 1\r\n\r\n"), "answers 404 (Not Found)"),
    "no session": (says(b"RTSP/1.0 503 Service Unavailable\r\n\r\n"), "answers 503"),
    "moved": (
        says(b"RTSP/1.0 302 Moved\r\nLocation: rtsp://a:secret@other/x\r\n\r\n"),
        "answers 302 (Moved) and leads to rtsp://***@other/x",
    ),
    "no name": (
        says(b'RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm="r"\r\n\r\n'),
        "answers 401 (Unauthorized); check name and password",
    ),
    "kind unknown": (says(b"RTSP/1.0 401 No\r\nWWW-Authenticate: NTLM\r\n\r\n"), "answers 401"),
    "HTTP": (closes(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "does not speak RTSP"),
    "greeting": (closes(b"220 ftp ready\r\n"), "does not speak RTSP"),
    "hang-up": (closes(b""), "does not speak RTSP"),
    "no status": (closes(b"RTSP/1.0 abc\r\n\r\n"), "does not speak RTSP"),
    "sound": (says(describes(AUDIO)), "has no video, only audio"),
    "nothing": (says(describes("")), "describes no video"),
    "unknown format": (
        says(describes(AUDIO + VIDEO.format("H266"))),
        "sends video as H266, which cannot be decoded",
    ),
    "unknown number": (
        says(describes("m=video 0 RTP/AVP 98\r\n")),
        "sends video as format 98, which cannot be decoded",
    ),
    "no pictures": (
        says(describes(VIDEO.format("H264") + AUDIO)),
        "offers video as H264, but no picture of it comes",
    ),
    "no pictures, old": (
        says(describes("m=video 0 RTP/AVP 26\r\n")),
        "offers video as JPEG, but no picture of it comes",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_cause(name: str) -> None:
    answer, said = REFUSED[name]
    with raw_server(answer) as server:
        url = f"rtsp://me:secret@127.0.0.1:{server.port}/x"
        with pytest.raises(CameraError, match=re.escape(said)) as caught:
            explain_rtsp(url, PATIENCE_S)
    assert "secret" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_the_way_from_opening_it() -> None:
    answer, said = REFUSED["not found"]
    with raw_server(answer) as server, pytest.raises(CameraError, match=re.escape(said)):
        open_url(f"rtsp://127.0.0.1:{server.port}/x", CameraOptions(timeout_s=PATIENCE_S))


def test_server_that_says_nothing() -> None:
    with (
        raw_server(lambda connection: connection.hold()) as server,
        pytest.raises(CameraError, match=r"cannot be reached \(no answer in time\)"),
    ):
        explain_rtsp(f"rtsp://127.0.0.1:{server.port}/x", 0.3)


@pytest.mark.parametrize("unit", [b"x", b"RTSP/1.0 200 OK\r\nX: y\r\n"])
def test_server_that_never_ends(unit: bytes) -> None:
    with (
        raw_server(lambda connection: connection.send_forever(unit * 1000)) as server,
        pytest.raises(CameraError, match="does not speak RTSP"),
    ):
        explain_rtsp(f"rtsp://127.0.0.1:{server.port}/x", PATIENCE_S)


def test_nobody_there_and_no_such_host() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        with pytest.raises(CameraError, match="connection refused"):
            explain_rtsp(f"rtsp://127.0.0.1:{deaf.getsockname()[1]}/x", PATIENCE_S)
    with pytest.raises(CameraError, match=r"cannot be reached \(no such host\)"):
        explain_rtsp(f"rtsp://{'a' * 70}.invalid/x", PATIENCE_S)


@pytest.mark.parametrize("algorithm", ["", ", algorithm=SHA-256, qop=auth"])
@pytest.mark.parametrize("right", [False, True])
def test_name_and_password_are_tried(algorithm: str, right: bool) -> None:
    hashes = hashlib.sha256 if algorithm else hashlib.md5

    def hashed(*parts: str) -> str:
        return hashes(":".join(parts).encode()).hexdigest()

    def talk(connection: Connection) -> None:
        request = connection.request.decode()
        while request:
            line, _, rest = request.partition("\r\n")
            said = parts_of(rest.partition("Authorization: ")[2].partition("\r\n")[0])
            method, target = line.split()[:2]
            middle = [said[key] for key in ("nc", "cnonce", "qop") if key in said]
            if said.get("response") == hashed(
                hashed("me", "r", "p@ss"), "n", *middle, hashed(method, target)
            ):
                assert said["uri"] == target
                connection.send(describes(AUDIO))
            else:
                challenge = f'Digest realm="r", nonce="n"{algorithm}'
                connection.send(
                    f"RTSP/1.0 401 No\r\nWWW-Authenticate: {challenge}\r\n\r\n".encode()
                )
            request = connection.next_request().decode()

    password = "p%40ss" if right else "wrong"
    said = "has no video, only audio" if right else "check name and password"
    with raw_server(talk) as server, pytest.raises(CameraError, match=said):
        explain_rtsp(f"rtsp://me:{password}@127.0.0.1:{server.port}/x?y=1", PATIENCE_S)

"""Why an RTSP camera cannot be opened: it is asked what it has, since FFmpeg does not tell.

Sources: RFC 2326, RFC 8866 (SDP).
"""

from __future__ import annotations

import re
import socket
import ssl
import urllib.parse
from typing import NamedTuple

from edgeinfer.device.cameras.network.protocol.authentication import (
    Authorization,
    choose_challenge,
    parse_challenges,
)
from edgeinfer.device.cameras.network.protocol.patience import MAX_HEADER_BYTES, Patience
from edgeinfer.device.cameras.network.protocol.reasons import SHOWN_CHARACTERS, find_reason
from edgeinfer.device.cameras.network.urls import url_credentials, without_secrets
from edgeinfer.device.core.errors import CameraError

DECODED = ("H264", "H265", "HEVC", "JPEG", "MP4V-ES", "MPV", "MP2T", "VP8", "VP9", "AV1", "H263")
"""Names of RTP's formats that FFmpeg parses."""
_PORTS = {"rtsp": 554, "rtsps": 322}
_STATUS = re.compile(r"RTSP/[0-9.]+ ([0-9]{3}) ?(.*)")
_MEDIA = re.compile(r"^m=(\w+) \d+(?:/\d+)? \S+ (\d+)(.*?)(?=^m=|\Z)", re.MULTILINE | re.DOTALL)
_FORMAT = r"^a=rtpmap:{} ([\w.+-]+)/"
_STATIC = {"26": "JPEG", "31": "H261", "32": "MPV", "33": "MP2T", "34": "H263"}
"""Formats with fixed numbers (RFC 3551)."""


class _Answer(NamedTuple):
    status: int
    reason: str
    headers: dict[str, list[str]]
    body: str


class _NoRtspError(Exception):
    """The server speaks something else."""


def explain_rtsp(url: str, timeout_s: float) -> None:
    """Ask a camera that FFmpeg could not open what it has, and raise what is wrong.

    Nothing is raised where nothing wrong is found.

    Args:
        url: of RTSP.
        timeout_s: how long that may take.

    Raises:
        CameraError: what is wrong.
    """
    shown = without_secrets(url)
    try:
        answer = _describe(url, Patience(timeout_s, timeout_s))
    except (OSError, ValueError) as error:
        reason = find_reason(error)
        raise CameraError(
            shown, got=f"cannot be reached ({reason.what})", next_step=reason.next_step
        ) from error
    except _NoRtspError as error:
        raise CameraError(
            shown,
            got="the server does not speak RTSP",
            expected="an RTSP camera",
            next_step="check the address and its port",
        ) from error
    if answer.status >= 300:
        place = "".join(answer.headers.get("location", [])[:1])
        leads = f" and leads to {without_secrets(place)[:SHOWN_CHARACTERS]}" if place else ""
        advice = {401: "check name and password", 403: "check name and password"}
        raise CameraError(
            shown,
            got=f"answers {answer.status} ({answer.reason[:SHOWN_CHARACTERS]}){leads}",
            next_step=advice.get(answer.status, "check the address"),
        )
    _judge(shown, answer.body)


def _judge(shown: str, description: str) -> None:
    """Look at what a camera says it sends."""
    media = [(kind, number, rest) for kind, number, rest in _MEDIA.findall(description)]
    formats = [
        found[1].upper() if found else _STATIC.get(number, f"format {number}")
        for kind, number, rest in media
        if kind == "video"
        for found in [re.search(_FORMAT.format(number), rest, re.MULTILINE)]
    ]
    if not formats:
        kinds = ", ".join(dict.fromkeys(kind for kind, _, _ in media))[:SHOWN_CHARACTERS]
        raise CameraError(
            shown,
            got=f"has no video, only {kinds}" if kinds else "describes no video",
            expected="a stream with video",
            next_step="check the address: cameras have separate ones for their streams",
        )
    names = ", ".join(dict.fromkeys(formats))[:SHOWN_CHARACTERS]
    if not set(formats) & set(DECODED):
        raise CameraError(
            shown,
            got=f"sends video as {names}, which cannot be decoded",
            expected="H264, H265 or JPEG",
            next_step="choose another format in the camera's settings",
        )
    raise CameraError(
        shown,
        got=f"offers video as {names}, but no picture of it comes",
        next_step="try another stream of the camera, and whether its network lets UDP through",
    )


def _describe(url: str, patience: Patience) -> _Answer:
    """Return a camera's answer to the question what it has.

    Raises:
        OSError: it cannot be reached, or does not answer in time.
        ValueError: the URL is none.
        _NoRtspError: it speaks something else.
    """
    parts = urllib.parse.urlsplit(url)
    credentials = url_credentials(url)
    host = parts.hostname
    if not host:
        raise ValueError("no host")
    secure = parts.scheme == "rtsps"
    name = f"[{host}]" if ":" in host else host
    place = f"{parts.scheme}://{name}" + (f":{parts.port}" if parts.port else "")
    target = place + (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not target.isascii() or not target.isprintable() or " " in target:
        raise ValueError("not a URL")
    address = host, parts.port or _PORTS[parts.scheme]
    with socket.create_connection(address, patience.left_s()) as plain:
        connection = plain
        if secure:
            # Nothing secret goes this way, as no password is sent in clear.
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            connection = context.wrap_socket(plain, server_hostname=host)
        with connection:
            answer = _ask(connection, target, 1, "", patience)
            challenge = choose_challenge(
                parse_challenges(answer.headers.get("www-authenticate", []))
            )
            if answer.status != 401 or credentials is None or challenge is None:
                return answer
            if secure and challenge.scheme == "basic":
                return answer
            header = Authorization(credentials, challenge).header("DESCRIBE", target)
            if not header.isprintable():
                return answer
            return _ask(connection, target, 2, f"Authorization: {header}\r\n", patience)


def _ask(
    connection: socket.socket, target: str, number: int, header: str, patience: Patience
) -> _Answer:
    request = (
        f"DESCRIBE {target} RTSP/1.0\r\nCSeq: {number}\r\nUser-Agent: edgeinfer\r\n"
        f"Accept: application/sdp\r\n{header}\r\n"
    )
    connection.sendall(request.encode("latin-1"))
    head, body = _read_head(connection, patience)
    lines = head.decode("latin-1").split("\r\n")
    status = _STATUS.fullmatch(lines[0])
    if status is None:
        raise _NoRtspError
    headers: dict[str, list[str]] = {}
    for line in lines[1:]:
        key, _, value = line.partition(":")
        headers.setdefault(key.strip().lower(), []).append(value.strip())
    stated = "".join(headers.get("content-length", [])[:1])
    length = int(stated) if re.fullmatch("[0-9]{1,5}", stated) else 0
    while len(body) < length and (more := _receive(connection, patience)):
        body += more
    text = body[:length].decode("utf-8", "replace").replace("\r\n", "\n")
    return _Answer(int(status[1]), status[2], headers, text)


def _read_head(connection: socket.socket, patience: Patience) -> tuple[bytes, bytes]:
    """Return an answer up to its empty line, and what came behind it."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = _receive(connection, patience)
        data += more
        # What speaks something else sends a word of greeting, or hangs up.
        if not more or not b"RTSP/".startswith(data[:5]) or len(data) > MAX_HEADER_BYTES:
            raise _NoRtspError
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def _receive(connection: socket.socket, patience: Patience) -> bytes:
    connection.settimeout(patience.left_s())
    return connection.recv(4096)

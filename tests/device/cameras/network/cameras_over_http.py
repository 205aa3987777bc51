"""Answers of HTTP cameras: one for each request, on one connection or several."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.device.cameras.raw_server import Answer, Connection

Respond = Callable[[str, dict[str, str]], bytes]
"""Gives the answer to a path and the headers of a request."""


def responds(respond: Respond, *, keep: bool = False) -> Answer:
    """Answer each request, and hang up unless the connection is kept."""

    def answer(connection: Connection) -> None:
        request = connection.request
        while request:
            lines = request.decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in lines[1:])
            }
            connection.send(respond(lines[0].split()[1], headers))
            request = connection.next_request() if keep else b""

    return answer


def whole(content: bytes, kind: str = "image/jpeg", *headers: str) -> bytes:
    """Return an answer with a body of a stated length."""
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(content)}", *headers]
    lines += [f"Content-Type: {kind}"] if kind else []
    return "\r\n".join([*lines, "", ""]).encode() + content


def refuses(*challenges: str, status: str = "401 Unauthorized") -> bytes:
    """Return an answer that asks for a name and password."""
    lines = [f"HTTP/1.1 {status}", "Content-Length: 0"]
    lines += [f"WWW-Authenticate: {challenge}" for challenge in challenges]
    return "\r\n".join([*lines, "", ""]).encode()


def redirects(place: str) -> bytes:
    """Return an answer that leads elsewhere."""
    return f"HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode()


def parts_of(header: str) -> dict[str, str]:
    """Return the values of an answer to Digest."""
    found = re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', header)
    return {name: quoted or plain for name, quoted, plain in found}

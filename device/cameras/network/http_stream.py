"""HTTP answers of untrusted cameras: bounded in time and in what is kept of them.

Each wait of a socket has a separate limit, so a server that sends a byte now and then could hold
its client forever. Here all waits together end at a deadline, which the reader moves on. The
bodies of redirections and errors are not read, and a redirection leads to HTTP only.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from email.message import Message
from typing import IO, Any

MAX_HEADER_BYTES = 1 << 16
"""Most bytes before an answer's body; cameras send some hundred."""
MAX_REDIRECTIONS = 5


class Patience:
    """How long an exchange with a server may still take.

    Args:
        timeout_s: the longest wait for a byte, and for all of them until `renew`.
        total_s: instead of that, how long all may take at first.
    """

    def __init__(self, timeout_s: float, total_s: float | None = None) -> None:
        self._timeout_s = timeout_s
        self._deadline = time.monotonic() + (timeout_s if total_s is None else total_s)

    def renew(self) -> None:
        """Begin to wait again."""
        self._deadline = time.monotonic() + self._timeout_s

    def left_s(self) -> float:
        """Return how long the next wait may take.

        Raises:
            TimeoutError: the time is over.
        """
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time is over")
        return min(left, self._timeout_s)


class HttpBody:
    """The body of an answer, read as it comes."""

    def __init__(self, answer: Any, patience: Patience) -> None:
        self._answer = answer
        self._patience = patience

    @property
    def content_type(self) -> str:
        """The type that the answer states, in lower case, such as "image/jpeg"."""
        return str(self._answer.headers.get_content_type())

    def read(self, size: int) -> bytes:
        """Return what has come, at most `size` bytes; none at the end.

        Raises:
            OSError: the connection broke, or nothing came in time.
            HTTPException: the answer is damaged.
            ValueError: the answer is damaged.
        """
        # One call to the socket: a whole chunk would be waited for otherwise.
        data: bytes = self._answer.read1(size)
        return data

    def begin_wait(self) -> None:
        """Let the next reads take as long as the camera may be without a picture."""
        self._patience.renew()

    def close(self) -> None:
        """Close the connection."""
        self._answer.close()


def open_http(request: urllib.request.Request, patience: Patience) -> HttpBody:
    """Ask a server; redirections are followed.

    Raises:
        HTTPError: it refuses.
        OSError: it cannot be reached, or does not answer in time.
        HTTPException: its answer is damaged, or begins with too much.
        ValueError: the URL, or one that it redirects to, is not a URL.
    """

    class Plain(http.client.HTTPConnection):
        response_class = _answers(patience)

        def connect(self) -> None:
            self.timeout = patience.left_s()
            super().connect()

    class Secure(http.client.HTTPSConnection):
        response_class = _answers(patience)

        def connect(self) -> None:
            self.timeout = patience.left_s()
            super().connect()

    class PlainHandler(urllib.request.HTTPHandler):
        def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(Plain, request)

    class SecureHandler(urllib.request.HTTPSHandler):
        def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(Secure, request)

    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        PlainHandler(),
        SecureHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirections(),
    ):
        opener.add_handler(handler)
    return HttpBody(opener.open(request, timeout=patience.left_s()), patience)


class _Redirections(urllib.request.HTTPRedirectHandler):
    """Follows redirections to HTTP, and reads nothing of their bodies."""

    max_redirections = MAX_REDIRECTIONS
    inf_msg = "too many redirections: "

    def http_error_302(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
    ) -> Any:
        """Follow one."""
        fp.close()
        place = headers.get("location")
        if place is not None:
            scheme = urllib.parse.urlsplit(urllib.parse.urljoin(req.full_url, place)).scheme
            if scheme not in ("http", "https"):
                raise urllib.error.URLError(f"it redirects to a URL of the kind '{scheme[:20]}'")
        return super().http_error_302(req, io.BytesIO(), code, msg, headers)  # type: ignore[arg-type]

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _answers(patience: Patience) -> type[http.client.HTTPResponse]:
    """Return a class of answers that are read within a patience."""

    class Answer(http.client.HTTPResponse):
        def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
            super().__init__(sock, *arguments, **options)
            self._bounded = _BoundedReader(self.fp.detach(), sock, patience)
            self.fp = io.BufferedReader(self._bounded)

        def begin(self) -> None:
            super().begin()
            self._bounded.bytes_left = None

    return Answer


class _BoundedReader(io.RawIOBase):
    """A socket's bytes, within a patience and, up to the body, a number of them."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, patience: Patience) -> None:
        self._raw = raw
        self._socket = sock
        self._patience = patience
        self.bytes_left: int | None = MAX_HEADER_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.bytes_left is not None and self.bytes_left <= 0:
            raise http.client.HTTPException(
                f"its answer begins with over {MAX_HEADER_BYTES:,} bytes"
            )
        self._socket.settimeout(self._patience.left_s())
        count = self._raw.readinto(buffer)
        if self.bytes_left is not None:
            self.bytes_left -= count or 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()

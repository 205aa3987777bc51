"""Exchanges with untrusted servers: bounded in time and in what is kept of them.

Each wait of a socket has a separate limit, so a server that sends a byte now and then could hold
its client forever. Here all waits together end at a deadline, which the reader moves on.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any

MAX_HEADER_BYTES = 1 << 16
"""Most bytes before an answer's body; cameras send some hundred."""


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


def answer_class(patience: Patience) -> type[http.client.HTTPResponse]:
    """Return a class of HTTP answers that are read within a patience."""

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

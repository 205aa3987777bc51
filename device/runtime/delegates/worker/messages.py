"""What a worker and its supervisor say to each other, one message at a time over a socket pair.

The first byte is the kind, the rest its content:

    supervisor to worker                          worker to supervisor
    JOB    what to load (JSON), with the      STAGE  what it is about to do (text)
           model as a descriptor              READY  what it loaded (JSON)
    MEMORY the shared memory's descriptor     REFUSED why it cannot load (text)
    RUN    the run's number                   DONE   the run's number
                                              FAILED the run's number and why (text)

The end of the stream is the end of the other process.
"""

from __future__ import annotations

import socket
import struct
from typing import Final

JOB: Final = b"J"
MEMORY: Final = b"M"
RUN: Final = b"I"
STAGE: Final = b"S"
READY: Final = b"R"
REFUSED: Final = b"X"
DONE: Final = b"O"
FAILED: Final = b"E"

MAX_MESSAGE: Final = 64 * 1024
"""Bytes; a socket pair takes messages of 200 kB by default."""

_NUMBER = struct.Struct("=Q")


def socket_pair() -> tuple[socket.socket, socket.socket]:
    """Return two ends that keep messages apart and notice each other's end."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def numbered(kind: bytes, number: int, text: str = "") -> bytes:
    """Return a message with a run's number; text that is too long is cut."""
    return (kind + _NUMBER.pack(number) + text.encode(errors="replace"))[:MAX_MESSAGE]


def number_of(message: bytes) -> int | None:
    """Return a message's number; None where it has none."""
    if len(message) < 1 + _NUMBER.size:
        return None
    return int(_NUMBER.unpack_from(message, 1)[0])


def text_of_numbered(message: bytes) -> str:
    """Return the text behind a message's number."""
    return message[1 + _NUMBER.size :].decode(errors="replace")

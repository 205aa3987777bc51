"""A target that fails in every way, one for each number of an attempt."""

from __future__ import annotations

import os
import signal
from random import Random

CPU_LIMIT_S = 0.3
MEMORY_LIMIT_MIB = 24
"""Little, as taking memory takes time: on a busy machine 400 MiB took more than 0.3 s."""
WAYS = (b"fine", b"raise", b"die", b"exit", b"slow", b"grow")


def seeds() -> list[bytes]:
    """Return nothing: all inputs are generated."""
    return []


def generate(random: Random) -> bytes:
    """Return a way to fail."""
    return random.choice(WAYS)


def attempt(data: bytes) -> None:
    """Fail in that way."""
    if data == b"raise":
        raise ValueError("a fault")
    if data == b"die":
        os.kill(os.getpid(), signal.SIGSEGV)
    if data == b"exit":
        os._exit(3)
    while data == b"slow":
        pass
    if data == b"grow":
        bytearray(b"x") * (32 << 20)

"""The splitter of JPEG streams, fed in pieces."""

from __future__ import annotations

from random import Random

from edgeinfer.device.cameras.network.jpeg_splitter import MAX_JPEG_BYTES, JpegSplitter
from tests.fuzz.pictures import jpegs

_PIECES = (
    b"\xff\xd8\xff",
    b"\xff\xd8",
    b"\xff\xd9",
    b"\xff\xda\x00\x02",
    b"\xff\xda\xff\xff",
    b"\xff\xe0\x00\x04",
    b"\xff\xe1\xff\xf0",
    b"\xff\xc0\x00\x01",
    b"\xff\x00",
    b"\xff\xd0",
    b"\xff",
    b"\x00",
    b"\r\n--frame\r\nContent-Length: 5\r\n\r\n",
)


def seeds() -> list[bytes]:
    """Return streams of pictures."""
    pictures = jpegs()
    return [b"".join(pictures), b"\r\n--frame\r\n\r\n".join(pictures), pictures[0]]


def generate(random: Random) -> bytes:
    """Return markers in any order, some of them many times, and pictures between."""
    chosen = []
    for _ in range(random.choice((3, 30))):
        if random.random() < 0.3:
            chosen.append(random.choice(jpegs()))
        else:
            chosen.append(random.choice(_PIECES) * random.choice((1, 1, 1, 10, 2000)))
    return b"".join(chosen)


def attempt(data: bytes) -> None:
    """Feed them in pieces of a size that the data decides."""
    splitter, size = JpegSplitter(), 1 + (len(data) * 7919) % 5000
    for start in range(0, len(data), size):
        for picture in splitter.feed(data[start : start + size]):
            assert picture[:2] == b"\xff\xd8"
            assert picture[-2:] == b"\xff\xd9"
        assert len(splitter._bytes) <= MAX_JPEG_BYTES

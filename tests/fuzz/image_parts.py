"""Images made of right and wrong parts, which mutations of bytes almost never make."""

from __future__ import annotations

import struct
from random import Random

from tests.fuzz.pictures import jpegs, others

_SIDES = (0, 1, 16, 17, 24, 25, 255, 4096, 5000, 12000, 16383, 16384, 65535)
_TAGS = (
    *(254, 256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284),
    *(317, 320, 322, 323, 324, 325, 330, 338, 339, 347),
)
_FIT = {256: 24, 257: 17, 258: 8, 259: 1, 262: 1, 273: 8, 274: 1, 277: 1, 278: 17, 279: 408}


def any_parts(random: Random) -> bytes:
    """Return an image of any of the kinds below."""
    return random.choice((tiff, webp, jpeg))(random)


def tiff(random: Random) -> bytes:
    """Return a grey TIFF of 24 x 17 pixels, its entries changed, repeated, left out, disordered."""
    order = random.choice("<>")
    entries = [(tag, random.choice((3, 4)), 1, value) for tag, value in _FIT.items()]
    for _ in range(random.choice((0, 1, 1, 2, 5))):
        tag = random.choice(_TAGS)
        if random.random() < 0.9:
            entries = [entry for entry in entries if entry[0] != tag]
        kind = random.choice((1, 3, 3, 3, 4, 4, random.randint(0, 18)))
        value = random.choice((*_SIDES, 2**31, 2**32 - 1, *[random.randrange(600)] * 9))
        entries.append((tag, kind, random.choice((1, 1, 1, 1, 1, 0, 2, 9)), value))
    if random.random() < 0.7:
        entries.sort()
    directory = b"".join(_entry(order, *entry) for entry in entries)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + 408)
    return head + random.randbytes(408) + struct.pack(order + "H", len(entries)) + directory


def _entry(order: str, tag: int, kind: int, count: int, value: int) -> bytes:
    head = struct.pack(order + "HHI", tag, kind, count)
    if kind == 3 and count == 1:
        return head + struct.pack(order + "HH", value & 0xFFFF, 0)
    return head + struct.pack(order + "I", value)


def webp(random: Random) -> bytes:
    """Return the chunks of several WebPs in any order, their sizes changed."""
    chunks: list[bytes] = []
    for data in others():
        if data[8:12] == b"WEBP":
            chunks += _chunks(data[12:])
    chosen = [bytearray(chunk) for chunk in random.sample(chunks, random.randint(1, 4))]
    if random.random() < 0.7:
        flags = random.choice((0, 2, 16))
        sides = b"".join(
            max(0, random.choice((24, 17, *_SIDES)) - 1).to_bytes(3, "little") for _ in "wh"
        )
        chosen.insert(0, bytearray(b"VP8X" + struct.pack("<II", 10, flags) + sides))
    for chunk in chosen:
        if random.random() < 0.3:
            place = random.randrange(8, min(len(chunk) - 1, 34))
            chunk[place] = random.randrange(256)
    body = b"WEBP" + b"".join(chosen)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunks(data: bytes) -> list[bytes]:
    found, position = [], 0
    while position + 8 <= len(data):
        (length,) = struct.unpack_from("<I", data, position + 4)
        end = position + 8 + length + length % 2
        found.append(data[position:end])
        position = end
    return found


def jpeg(random: Random) -> bytes:
    """Return the segments of several JPEGs in any order, with frames of other sizes between."""
    segments: list[bytes] = []
    for data in random.sample(jpegs(), random.choice((1, 1, 1, 2))):
        position = 2
        while data[position + 1] != 0xDA:
            (length,) = struct.unpack_from(">H", data, position + 2)
            segments.append(data[position : position + 2 + length])
            position += 2 + length
        scan = data[position:]
    if random.random() < 0.4:
        segments = [one for one in segments if one[1] not in (0xC0, 0xC2)]
        sides = struct.pack(">HH", random.choice(_SIDES), random.choice(_SIDES))
        segments.append(b"\xff\xc0\x00\x11\x08" + sides + b"\x03\x01\x11\0\x02\x11\0\x03\x11\0")
    for _ in range(random.randint(0, 3)):
        segments.append(random.choice((b"\xff", b"\xff\x00", b"\xff\xd0", b"\x00x", b"\xff\x01")))
    if random.random() < 0.5:
        random.shuffle(segments)
    kept = [segment for segment in segments if random.random() < 0.9]
    return b"\xff\xd8" + b"".join(kept) + scan * random.choice((1, 1, 2))

"""Videos made by hand, of JPEGs, so that each field of their containers is the test's own.

QuickTime (which MP4 is made of) and Matroska, with any times, rotation and codec's name.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from edgeinfer.device.pictures.pixel_formats import Pixels

UPRIGHT = (1, 0, 0, 1)
SIZE = (64, 48)
MILLISECONDS = 1000


def jpeg(picture: Pixels) -> bytes:
    """Return a picture, BGR, as a JPEG."""
    return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 95])[1])


def grey(level: int) -> bytes:
    """Return a JPEG of one brightness."""
    return jpeg(np.full((SIZE[1], SIZE[0], 3), level, np.uint8))


def corners() -> Pixels:
    """Return a picture that tells how it stands: white top left, mid-grey top right, else black."""
    picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    picture[: SIZE[1] // 2, : SIZE[0] // 2] = 255
    picture[: SIZE[1] // 2, SIZE[0] // 2 :] = 128
    return picture


def corners_of(picture: Pixels) -> str:
    """Return what is where in such a picture: top left, top right, bottom left, bottom right."""
    height, width = picture.shape[:2]
    places = [(y, x) for y in (height // 4, -height // 4) for x in (width // 4, -width // 4)]
    return "".join("-ow"[round(float(picture[place].mean()) / 127.5)] for place in places)


def box(kind: bytes, *contents: bytes) -> bytes:
    """Return a box of MP4."""
    content = b"".join(contents)
    return struct.pack(">I4s", 8 + len(content), kind) + content


def movie(
    path: Path,
    pictures: Sequence[bytes],
    lengths_ms: Sequence[int],
    *,
    turn: Sequence[float] = UPRIGHT,
    movie_turn: Sequence[float] = UPRIGHT,
    codec: bytes = b"jpeg",
    kind: bytes = b"vide",
    shown_ms: int | None = None,
    finished: bool = True,
) -> Path:
    """Write a QuickTime movie.

    Args:
        path: the file.
        pictures: the bytes of each frame.
        lengths_ms: how long each is shown, in milliseconds.
        turn: how the track is turned: a step right goes right and down, a step down too.
        movie_turn: how the whole movie is turned then.
        codec: the mark of what the frames are encoded with.
        kind: of the track: pictures or sound.
        shown_ms: the part of them that an edit list shows.
        finished: write the index.
    """
    head = box(b"ftyp", b"qt  \0\0\0\0qt  ") + box(b"mdat", *pictures)
    begin = len(head) - sum(map(len, pictures))
    offsets = [begin + sum(map(len, pictures[:number])) for number in range(len(pictures))]
    total_ms = sum(lengths_ms)
    width, height = SIZE
    entry = box(
        codec,
        struct.pack(">6xH16xHHIIIH32xHh", 1, width, height, 72 << 16, 72 << 16, 0, 1, 24, -1),
    )
    samples = box(
        b"stbl",
        box(b"stsd", struct.pack(">II", 0, 1), entry),
        box(b"stts", _table([struct.pack(">II", 1, length) for length in lengths_ms])),
        box(b"stsc", _table([struct.pack(">III", 1, 1, 1)])),
        box(b"stsz", _long(0), _table([_long(len(one)) for one in pictures])),
        box(b"stco", _table([_long(offset) for offset in offsets])),
    )
    data = box(b"dinf", box(b"dref", struct.pack(">II", 0, 1), box(b"url ", _long(1))))
    media = box(
        b"mdia",
        box(b"mdhd", struct.pack(">IIIIIHH", 0, 0, 0, MILLISECONDS, total_ms, 0x55C4, 0)),
        box(b"hdlr", struct.pack(">II4s12xx", 0, 0, kind)),
        box(b"minf", box(b"vmhd", struct.pack(">IHHHH", 1, 0, 0, 0, 0)), data, samples),
    )
    edits = b"" if shown_ms is None else struct.pack(">IIIIII", 0, 1, shown_ms, 0, 1 << 16, 0)[:-4]
    track = box(
        b"trak",
        box(
            b"tkhd",
            struct.pack(">IIIII", 7, 0, 0, 1, 0) + struct.pack(">I8xHHHH", total_ms, 0, 0, 0, 0),
            _matrix(turn),
            struct.pack(">II", width << 16, height << 16),
        ),
        box(b"edts", box(b"elst", edits)) if edits else b"",
        media,
    )
    header = struct.pack(">IIIII", 0, 0, 0, MILLISECONDS, total_ms)
    header += struct.pack(">IH10x", 1 << 16, 256) + _matrix(movie_turn) + bytes(24) + _long(2)
    path.write_bytes(head + (box(b"moov", box(b"mvhd", header), track) if finished else b""))
    return path


def index_first(whole: bytes) -> bytes:
    """Return a movie with its index first, as what cannot go back in it needs it."""
    index, table = whole.index(b"moov") - 4, whole.index(b"stco") + 8
    (count,) = struct.unpack_from(">I", whole, table)
    moved = len(whole) - index
    offsets = [at + moved for at in struct.unpack_from(f">{count}I", whole, table + 4)]
    end = table + 4 + 4 * count
    first = whole[index : table + 4] + struct.pack(f">{count}I", *offsets) + whole[end:]
    return whole[:20] + first + whole[20:index]


def _long(number: int) -> bytes:
    return struct.pack(">I", number)


def _table(entries: Sequence[bytes]) -> bytes:
    """Return entries after a version of 0 and their number."""
    return struct.pack(">II", 0, len(entries)) + b"".join(entries)


def _matrix(turn: Sequence[float]) -> bytes:
    a, b, c, d = (round(number * 65536) for number in turn)
    return struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)


def element(number: int, *contents: bytes) -> bytes:
    """Return an element of Matroska; its number has its length in its first bits."""
    content = b"".join(contents)
    name = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return name + (len(content) | 1 << 56).to_bytes(8, "big") + content


def matroska(
    path: Path,
    pictures: Sequence[bytes],
    times_ms: Sequence[int],
    *,
    codec: bytes = b"V_MJPEG",
    roll: float | None = None,
    yaw: float | None = None,
    kind: int = 1,
) -> Path:
    """Write a Matroska file.

    Args:
        path: the file.
        pictures: the bytes of each frame.
        times_ms: when each is shown, in milliseconds.
        codec: the name of what the frames are encoded with.
        roll: how far they are turned to the left, in degrees.
        yaw: 180 where they are mirrored.
        kind: of the track: 1 for pictures, 2 for sound.
    """
    angles = {0x7675: roll, 0x7673: yaw}
    pose = [element(number, struct.pack(">d", a)) for number, a in angles.items() if a is not None]
    size = element(0xB0, bytes([SIZE[0]])) + element(0xBA, bytes([SIZE[1]]))
    video = element(0xE0, size, element(0x7670, element(0x7671, b"\0"), *pose) if pose else b"")
    track = element(
        0xAE,
        element(0xD7, b"\1"),
        element(0x73C5, b"\1"),
        element(0x83, bytes([kind])),
        element(0x86, codec),
        video if kind == 1 else element(0xE1, element(0xB5, struct.pack(">d", 48000.0))),
    )
    clusters = [
        element(0x1F43B675, element(0xE7, _long(time)), element(0xA3, b"\x81\0\0\x80", picture))
        for time, picture in zip(times_ms, pictures, strict=True)
    ]
    length = struct.pack(">d", float(times_ms[-1]) if times_ms else 0.0)
    info = element(0x1549A966, element(0x2AD7B1, _long(1_000_000)), element(0x4489, length))
    head = element(0x1A45DFA3, element(0x4282, b"matroska"), element(0x4287, b"\4"))
    body = element(0x18538067, info, element(0x1654AE6B, track), *clusters)
    path.write_bytes(head + body)
    return path

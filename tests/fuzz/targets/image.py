"""Image files: their headers, and what becomes of them in decoders."""

from __future__ import annotations

import contextlib
import struct
import zlib
from random import Random

import numpy as np

from edgeinfer.device.core.errors import ImageError
from edgeinfer.device.pictures.decode import decode_image
from edgeinfer.device.pictures.headers import HeaderError, read_header
from edgeinfer.device.preprocess.jpeg_reduction import decode_for, reduction_rule
from edgeinfer.device.preprocess.spec import PreprocessSpec
from tests.fuzz.image_parts import any_parts
from tests.fuzz.mutate import mutate
from tests.fuzz.pictures import jpegs, others

_REDUCED = PreprocessSpec(size=(8, 8), jpeg_reduction=8)
_SIDES = (0, 1, 2, 17, 24, 25, 255, 4096, 5000, 12000, 16383, 16384, 65535)


def seeds() -> list[bytes]:
    """Return a picture of each kind."""
    return [*jpegs(), *others()]


def generate(random: Random) -> bytes:
    """Return a picture of parts, or with other sizes in its header, its checksums right."""
    if random.random() < 0.5:
        return any_parts(random)
    data = random.choice(seeds())
    changed = bytearray(data if random.random() < 0.3 else mutate(data, random))
    for old in (24, 17, 23, 16):
        for layout in ("<H", ">H", "<I", ">I"):
            place = changed.find(struct.pack(layout, old))
            if place >= 0 and random.random() < 0.3:
                struct.pack_into(layout, changed, place, random.choice(_SIDES))
    return _with_checksums(bytes(changed)) if data[:4] == b"\x89PNG" else bytes(changed)


def attempt(data: bytes) -> None:
    """Decode it as a file, whole and for a model, and as a camera's picture."""
    said = None
    with contextlib.suppress(HeaderError):
        said = read_header(data).size
    try:
        decoded = decode_image(data, subject="x")
        assert said is not None
        assert sorted(decoded.shape[:2]) == sorted(said)
    except ImageError:
        pass
    with contextlib.suppress(ImageError):
        decode_image(data, subject="x", reduction_rule=reduction_rule(_REDUCED))
    with contextlib.suppress(ImageError):
        decode_for(_REDUCED, np.frombuffer(data, np.uint8))


def _with_checksums(data: bytes) -> bytes:
    """Return a PNG whose chunks' checksums are right as far as they can be followed."""
    out, position = bytearray(data), 8
    while position + 12 <= len(out):
        (length,) = struct.unpack_from(">I", out, position)
        end = position + 8 + length
        if end + 4 > len(out):
            break
        struct.pack_into(">I", out, end, zlib.crc32(out[position + 4 : end]))
        position = end + 4
    return bytes(out)

"""Moves the weights of models outside of their FlatBuffer, to good places and to bad ones."""

from __future__ import annotations

import struct
from random import Random

from edgeinfer.device.tflite.flatbuffer import FlatBuffer
from tests.device.tflite.outside_examples import offset_places, outside


def moved_outside(model: bytes, random: Random, *, faults: float = 0.4) -> bytes:
    """Return a model with some of its buffers outside.

    Args:
        model: a good file.
        random: what decides.
        faults: the share of models of which a buffer then says another place or size.
    """
    count = len(FlatBuffer(model).root().tables(4))
    only = None if random.random() < 0.5 else [n for n in range(count) if random.random() < 0.5]
    misplaced = 0 if random.random() < 0.8 else random.randrange(16)
    behind = b"" if random.random() < 0.7 else random.randbytes(random.choice((1, 16, 5000)))
    moved = bytearray(outside(model, only=only, misplaced=misplaced, behind=behind))
    places = offset_places(bytes(moved))
    if not places or random.random() >= faults:
        return bytes(moved)
    for _ in range(random.choice((1, 1, 2))):
        place = random.choice(places)
        offset, size = struct.unpack_from("<2Q", moved, place)
        numbers = [0, 1, 2, 16, len(moved), len(moved) - size, 2**32, 2**63, 2**64 - offset]
        numbers += [offset + 1, offset - 1, size + 1, size - 1, 2 * size, 2**64 - 1]
        which = random.choice((0, 8))
        struct.pack_into("<Q", moved, place + which, random.choice(numbers) % 2**64)
    return bytes(moved)

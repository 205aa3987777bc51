"""Changes good inputs into bad ones, the same ones for the same seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_MOST_EDITS = 8

Mutation = Callable[[bytearray, Random], None]


def mutate(data: bytes, random: Random, others: Sequence[bytes] = ()) -> bytes:
    """Return `data` with one to eight edits.

    Args:
        data: a good input.
        random: what decides; the same state gives the same result.
        others: inputs of which pieces may be taken.
    """
    changed = bytearray(data)
    for _ in range(random.randint(1, _MOST_EDITS)):
        random.choice(_MUTATIONS)(changed, random)
    if others and random.random() < 0.1:
        _splice(changed, random.choice(others), random)
    return bytes(changed)


def _flip_bit(data: bytearray, random: Random) -> None:
    if data:
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _set_byte(data: bytearray, random: Random) -> None:
    if data:
        data[random.randrange(len(data))] = random.randrange(256)


def _set_number(data: bytearray, random: Random) -> None:
    """Write a number at the edge of its range, little- or big-endian, of 2 or 4 bytes."""
    size = random.choice((2, 4))
    if len(data) < size:
        return
    number = random.choice(_NUMBERS) & (1 << 8 * size) - 1
    start = random.randrange(len(data) - size + 1)
    data[start : start + size] = number.to_bytes(size, random.choice(("little", "big")))


def _delete(data: bytearray, random: Random) -> None:
    start, end = _slice(data, random)
    del data[start:end]


def _repeat(data: bytearray, random: Random) -> None:
    start, end = _slice(data, random)
    data[start:start] = data[start:end] * random.choice((1, 1, 2, 50))


def _insert(data: bytearray, random: Random) -> None:
    start = random.randrange(len(data) + 1)
    data[start:start] = random.randbytes(random.randint(1, 8))


def _cut(data: bytearray, random: Random) -> None:
    del data[random.randrange(len(data) + 1) :]


def _slice(data: bytearray, random: Random) -> tuple[int, int]:
    start = random.randrange(len(data) + 1)
    return start, min(len(data), start + random.choice((1, 4, 16, 64)))


def _splice(data: bytearray, other: bytes, random: Random) -> None:
    start = random.randrange(len(other) + 1)
    place = random.randrange(len(data) + 1)
    data[place:place] = other[start : start + random.choice((4, 16, 256))]


_MUTATIONS: tuple[Mutation, ...] = (
    _flip_bit,
    _set_byte,
    _set_byte,
    _set_number,
    _set_number,
    _delete,
    _repeat,
    _insert,
    _cut,
)

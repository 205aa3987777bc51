"""How V4L2's raw formats are laid out in memory: planes, rows, and padding that drivers announce.

Drivers announce the bytes of a row wrongly: 0, fewer than a row has, or any number. What they send
tells: a picture without padding has exactly as many bytes as its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SEPARATE = {"NM12": "NV12", "NM21": "NV21", "YM12": "YU12", "YM21": "YV12"}
"""Formats with each plane in a separate memory, and the format that they are like otherwise."""

TWO_PLANES = ("NV12", "NV21")
"""Y; then U and V in turn."""
THREE_PLANES = ("YU12", "YV12")
"""Y, U, V; or Y, V, U."""
PAIRED = ("YUYV", "UYVY")
"""Two pixels share their colour."""

GREY16_BITS = {"Y10": 10, "Y12": 12, "Y14": 14, "Y16": 16, "Y16-BE": 16}
"""Grey formats and their bits, the lowest ones of two bytes."""

_PIXEL_BYTES = {"RGB3": 3, "BGR3": 3} | dict.fromkeys((*PAIRED, *GREY16_BITS), 2)
"""Bytes of a pixel in a row; of formats with planes, those of the first one: 1."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A plane of a picture, as far as it is used.

    Attributes:
        memory: the number of the memory that it is in.
        offset: where it begins there, in bytes.
        rows: how many rows are used.
        row: how many bytes of each.
        stride: from one row to the next, in bytes.
    """

    memory: int
    offset: int
    rows: int
    row: int
    stride: int

    @property
    def end(self) -> int:
        """Where its last used row ends in its memory."""
        return self.offset + (self.rows - 1) * self.stride + self.row


def plain_name(fourcc: str) -> str:
    """Return the format with all planes in one memory that a format is like otherwise."""
    return SEPARATE.get(fourcc, fourcc)


def memory_planes(fourcc: str) -> int:
    """Return in how many separate memories a format's planes are."""
    if fourcc not in SEPARATE:
        return 1
    return 2 if SEPARATE[fourcc] in TWO_PLANES else 3


def used_size(fourcc: str, size: tuple[int, int]) -> tuple[int, int]:
    """Return what of a picture is used: where pixels share colours, an even number of them.

    The last column of an odd width, and the last row of an odd height, have no colour.
    """
    width, height = size
    like = plain_name(fourcc)
    if like in PAIRED:
        return width - width % 2, height
    if like in TWO_PLANES or like in THREE_PLANES:
        return width - width % 2, height - height % 2
    return size


def full_row(fourcc: str, width: int) -> int:
    """Return the bytes of a row of the first plane, without padding at its end."""
    return _PIXEL_BYTES.get(fourcc, 1) * width


def picture_bytes(fourcc: str, size: tuple[int, int], row_bytes: Sequence[int]) -> tuple[int, ...]:
    """Return how many bytes a whole raw picture has in each memory, its padding included.

    Args:
        fourcc: V4L2's name of its format.
        size: (width, height).
        row_bytes: from one row to the next, in each memory.
    """
    totals = [0] * memory_planes(fourcc)
    for memory, rows, stride in _planes(fourcc, size, row_bytes):
        totals[memory] += rows * stride
    return tuple(totals)


def picture_parts(fourcc: str, size: tuple[int, int], row_bytes: Sequence[int]) -> tuple[Part, ...]:
    """Return where the planes of a picture are; arguments as for `picture_bytes`."""
    width, height = used_size(fourcc, size)
    like = plain_name(fourcc)
    parts: list[Part] = []
    ends = [0] * memory_planes(fourcc)
    for number, (memory, rows, stride) in enumerate(_planes(fourcc, size, row_bytes)):
        used = (height, full_row(fourcc, width))
        if number:
            used = (height // 2, width if like in TWO_PLANES else width // 2)
        parts.append(
            Part(memory=memory, offset=ends[memory], rows=used[0], row=used[1], stride=stride)
        )
        ends[memory] += rows * stride
    return tuple(parts)


def fits(parts: Sequence[Part], lengths: Sequence[int]) -> bool:
    """Return whether memories of these lengths in bytes hold all that is used of a picture."""
    return all(
        part.stride >= part.row and part.memory < len(lengths) and part.end <= lengths[part.memory]
        for part in parts
    )


def settle_rows(
    fourcc: str, size: tuple[int, int], announced: Sequence[int], lengths: Sequence[int]
) -> tuple[int, ...] | None:
    """Return the bytes from one row to the next in each memory, where the picture shows them.

    Args:
        fourcc: V4L2's name of the format.
        size: (width, height) that the driver announced.
        announced: bytes of a row that the driver announced, for each memory.
        lengths: how many bytes it sent in each memory.

    Returns:
        What was announced, where that is possible; else the rows without padding, where the
        picture has exactly as many bytes. None where neither is so: bytes are missing.
    """
    tight = _tight(fourcc, size[0])
    exact = [
        rows
        for rows in (tight, _tight(fourcc, size[0] + size[0] % 2))
        if picture_bytes(fourcc, size, rows) == tuple(lengths)
    ]
    given = [*announced, *[0] * len(tight)][: len(tight)]
    least = _tight(fourcc, used_size(fourcc, size)[0])
    enough = [row >= short for row, short in zip(given, least, strict=True)]
    corrected = tuple(
        row if ok else full for row, ok, full in zip(given, enough, tight, strict=True)
    )
    for rows in [corrected, *exact] if all(enough) else [*exact, corrected]:
        if fits(picture_parts(fourcc, size, rows), lengths):
            return rows
    return None


def least_rows(fourcc: str, size: tuple[int, int]) -> tuple[int, ...]:
    """Return the bytes of a row in each memory, without padding."""
    return _tight(fourcc, size[0])


def _tight(fourcc: str, width: int) -> tuple[int, ...]:
    """Return the bytes of a row in each memory, without padding."""
    half = (width + 1) // 2
    colours = 2 * half if plain_name(fourcc) in TWO_PLANES else half
    return (full_row(fourcc, width), *[colours] * (memory_planes(fourcc) - 1))


def _planes(
    fourcc: str, size: tuple[int, int], row_bytes: Sequence[int]
) -> list[tuple[int, int, int]]:
    """Return (memory, rows, bytes from one row to the next) of each plane."""
    height, half = size[1], (size[1] + 1) // 2
    first, like = row_bytes[0], plain_name(fourcc)
    if fourcc in SEPARATE:
        return [
            (memory, half if memory else height, stride) for memory, stride in enumerate(row_bytes)
        ]
    if like in TWO_PLANES:
        return [(0, height, first), (0, half, first + first % 2)]
    if like in THREE_PLANES:
        return [(0, height, first), *[(0, half, (first + 1) // 2)] * 2]
    return [(0, height, first)]

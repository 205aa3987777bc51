"""A picture that shows a clock: 32 bits of milliseconds and 8 of a check sum, in large blocks.

Pure Python: the server runs under the system's Python, which has no numpy.
"""

from __future__ import annotations

COLUMNS, ROWS, BLOCK = 8, 5, 32
WIDTH, HEIGHT = COLUMNS * BLOCK, ROWS * BLOCK
_WHITE, _BLACK = 235, 16
_CLOCK_BITS = 32


def draw(clock_ms: int) -> bytes:
    """Return the picture of a clock: WIDTH x HEIGHT, I420."""
    clock_ms %= 1 << _CLOCK_BITS
    value = clock_ms << 8 | _check(clock_ms)
    rows = []
    for row in range(ROWS):
        bits = value >> (COLUMNS * (ROWS - 1 - row))
        line = b"".join(
            bytes([_WHITE if bits >> (COLUMNS - 1 - column) & 1 else _BLACK]) * BLOCK
            for column in range(COLUMNS)
        )
        rows.append(line * BLOCK)
    return b"".join(rows) + bytes([128]) * (WIDTH * HEIGHT // 2)


def value_of(bits: list[bool]) -> int | None:
    """Return the clock of a picture's blocks, from the top left; None for a damaged picture."""
    value = 0
    for bit in bits:
        value = value << 1 | bit
    clock_ms, check = value >> 8, value & 0xFF
    return clock_ms if _check(clock_ms) == check else None


def _check(clock_ms: int) -> int:
    return (clock_ms * 2_654_435_761 >> 13 ^ 0xA5) & 0xFF

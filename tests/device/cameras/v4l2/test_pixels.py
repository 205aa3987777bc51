"""From a driver's bytes to pixels, for any size, padding and announcement of rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.device.cameras.v4l2.grey16 import NEEDS_RANGE, grey_table, whole_range
from edgeinfer.device.cameras.v4l2.layout import (
    GREY16_BITS,
    PAIRED,
    SEPARATE,
    TWO_PLANES,
    memory_planes,
    picture_bytes,
    plain_name,
    settle_rows,
    used_size,
)
from edgeinfer.device.cameras.v4l2.pixels import FORMATS, unpack, value_range

Bytes = NDArray[np.uint8]

RAW = [name for name, kind in FORMATS.items() if kind != "jpeg"]
SUBSAMPLED = [name for name in RAW if FORMATS[name] in ("yuyv", "nv12")]
IDENTITY = grey_table((0, 65_535))


def take(shape: tuple[int, ...]) -> Bytes:
    return np.full(shape, 77, np.uint8)


def padded(rows: NDArray[np.uint8], stride: int) -> Bytes:
    """Return rows (H, bytes) one after the other, with 255 at the end of each."""
    data = np.full((rows.shape[0], stride), 255, np.uint8)
    data[:, : rows.shape[1]] = rows
    return data.reshape(-1)


class Sent:
    """A picture of random pixels as a driver sends it, written out the plain way.

    Attributes:
        planes: the bytes of each memory.
        rows: the true bytes from one row to the next in each.
        expected: the pixels that are to come out.
    """

    def __init__(self, fourcc: str, size: tuple[int, int], padding: int, seed: int) -> None:
        random = np.random.default_rng(seed)
        width, height = size
        used_width, used_height = used_size(fourcc, size)
        kind, like = FORMATS[fourcc], plain_name(fourcc)

        def noise(*shape: int) -> Bytes:
            return random.integers(0, 255, shape, np.uint8)

        luma = noise(height, width)
        u, v = noise(height, (width + 1) // 2), noise(height, (width + 1) // 2)
        self.expected: NDArray[np.uint8]
        if like in PAIRED:
            pixels = np.empty((height, width, 2), np.uint8)
            pixels[..., 0] = luma
            pixels[:, 0::2, 1], pixels[:, 1::2, 1] = u, v[:, : width // 2]
            self.expected = pixels[:, :used_width]
            packed = pixels[..., ::-1] if fourcc == "UYVY" else pixels
            self.rows: tuple[int, ...] = (2 * width + padding,)
            self.planes = [padded(packed.reshape(height, -1), self.rows[0])]
        elif kind == "nv12":
            half = (height + 1) // 2
            u, v = u[:half], v[:half]
            chroma = np.stack([u, v], axis=-1)[: used_height // 2, : used_width // 2]
            self.expected = np.vstack(
                [luma[:used_height, :used_width], chroma.reshape(used_height // 2, used_width)]
            )
            if like in TWO_PLANES:
                pair = (u, v) if like == "NV12" else (v, u)
                parts = [luma, np.stack(pair, axis=-1).reshape(half, -1)]
            else:
                parts = [luma, *((u, v) if like == "YU12" else (v, u))]
            if fourcc in SEPARATE:
                self.rows = tuple(part.shape[1] + padding for part in parts)
                self.planes = [
                    padded(part, row) for part, row in zip(parts, self.rows, strict=True)
                ]
            else:
                first = width + padding
                other = first + first % 2 if like in TWO_PLANES else (first + 1) // 2
                self.rows = (first,)
                all_rows = [padded(luma, first), *(padded(part, other) for part in parts[1:])]
                self.planes = [np.concatenate(all_rows)]
        elif fourcc in GREY16_BITS:
            values = random.integers(0, 1 << GREY16_BITS[fourcc], size[::-1], np.uint16)
            self.values = values
            self.expected = IDENTITY[values]
            order = ">u2" if fourcc == "Y16-BE" else "<u2"
            self.rows = (2 * width + padding,)
            rows = values.astype(order).view(np.uint8).reshape(height, -1)
            self.planes = [padded(rows, self.rows[0])]
        else:
            depth = 3 if kind in ("rgb", "bgr") else 1
            pixels = noise(height, width, depth)
            self.expected = pixels if depth == 3 else pixels[..., 0]
            self.rows = (depth * width + padding,)
            self.planes = [padded(pixels.reshape(height, -1), self.rows[0])]

    @property
    def lengths(self) -> tuple[int, ...]:
        return tuple(plane.size for plane in self.planes)


def unpacked(sent: Sent, fourcc: str, size: tuple[int, int], announced: Sequence[int]) -> Bytes:
    rows = settle_rows(fourcc, size, announced, sent.lengths)
    assert rows is not None
    picture = unpack(sent.planes, fourcc, size, rows, take, IDENTITY)
    assert picture is not None
    return picture


formats = st.sampled_from(RAW)
sizes = st.tuples(st.integers(2, 33), st.integers(2, 17))
paddings = st.integers(0, 40)
seeds = st.integers(0, 9)


@given(formats, sizes, paddings, seeds)
def test_pixels_of_any_size_and_padding(
    fourcc: str, size: tuple[int, int], padding: int, seed: int
) -> None:
    sent = Sent(fourcc, size, padding, seed)
    assert picture_bytes(fourcc, size, sent.rows) == sent.lengths
    picture = unpacked(sent, fourcc, size, sent.rows)
    np.testing.assert_array_equal(picture, sent.expected)


@given(
    formats,
    sizes,
    st.lists(st.sampled_from([0, 1, 7]) | st.integers(10_000, 2**32 - 1), min_size=1, max_size=3),
)
def test_rows_that_are_announced_wrongly(
    fourcc: str, size: tuple[int, int], announced: list[int]
) -> None:
    """Without padding the number of bytes tells what the rows are."""
    sent = Sent(fourcc, size, 0, 1)
    picture = unpacked(sent, fourcc, size, announced)
    if max(size) > 3:  # 7 bytes are a padded row of the narrowest
        np.testing.assert_array_equal(picture, sent.expected)


@given(formats, sizes, paddings, seeds, st.data())
def test_bytes_that_are_missing_are_noticed(
    fourcc: str, size: tuple[int, int], padding: int, seed: int, data: st.DataObject
) -> None:
    sent = Sent(fourcc, size, padding, seed)
    memory = data.draw(st.integers(0, memory_planes(fourcc) - 1))
    # As many bytes after the last pixel are padding, or of a row or column that is not used.
    spare = sum(sent.rows) + max(sent.rows) + 2
    kept = data.draw(st.integers(0, max(0, sent.planes[memory].size - spare)))
    planes = [plane[:kept] if n == memory else plane for n, plane in enumerate(sent.planes)]
    assert unpack(planes, fourcc, size, sent.rows, take, IDENTITY) is None
    assert unpack(planes[:memory], fourcc, size, sent.rows, take, IDENTITY) is None


@given(
    formats,
    st.tuples(st.integers(2, 2**16), st.integers(2, 2**16)),
    st.lists(st.integers(0, 2**32 - 1), max_size=8),
    st.lists(st.integers(0, 2**32 - 1), max_size=8),
)
def test_any_numbers_of_a_driver_are_rows_or_none(
    fourcc: str, size: tuple[int, int], announced: list[int], lengths: list[int]
) -> None:
    rows = settle_rows(fourcc, size, announced, lengths)
    assert rows is None or len(rows) == memory_planes(fourcc)


@pytest.mark.parametrize("fourcc", SUBSAMPLED)
def test_an_odd_width_loses_its_last_column(fourcc: str) -> None:
    sent = Sent(fourcc, (7, 5), 3, 1)
    picture = unpacked(sent, fourcc, (7, 5), sent.rows)
    assert picture.shape == ((5, 6, 2) if FORMATS[fourcc] == "yuyv" else (6, 6))


@pytest.mark.parametrize("fourcc", ["YUYV", "UYVY"])
def test_rows_of_whole_pairs_are_recognized_at_an_odd_width(fourcc: str) -> None:
    """Of 7 pixels some drivers send 14 bytes, some 16, and announce nothing."""
    for padding in (0, 2):
        sent = Sent(fourcc, (7, 5), padding, 1)
        np.testing.assert_array_equal(unpacked(sent, fourcc, (7, 5), [0]), sent.expected)


@pytest.mark.parametrize("fourcc", list(GREY16_BITS))
def test_raw_values_are_measured(fourcc: str) -> None:
    sent = Sent(fourcc, (9, 4), 5, 3)
    limits = value_range(sent.planes, fourcc, (9, 4), sent.rows)
    assert limits == (sent.values.min(), sent.values.max())
    assert value_range([sent.planes[0][:30]], fourcc, (9, 4), sent.rows) is None


@given(st.integers(0, 65_534), st.integers(1, 65_535))
def test_a_range_is_spread_over_all_greys(low: int, span: int) -> None:
    high = min(low + span, 65_535)
    table = grey_table((low, high))
    assert (table[: low + 1] == 0).all()
    assert (table[high:] == 255).all()
    assert (np.diff(table.astype(int)) >= 0).all()
    middle = (low + high) // 2
    assert abs(table[middle] - 255 * (middle - low) / (high - low)) <= 0.5


def test_ranges_that_formats_define() -> None:
    assert {name: whole_range(name) for name in GREY16_BITS if name not in NEEDS_RANGE} == {
        "Y10": (0, 1023),
        "Y12": (0, 4095),
        "Y14": (0, 16_383),
    }
    assert [whole_range(name) for name in NEEDS_RANGE] == [None, None]

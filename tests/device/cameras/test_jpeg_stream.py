"""Whole JPEGs out of streams of bytes, cut anywhere and damaged in every way."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from edgeinfer.device.cameras import jpeg_stream
from edgeinfer.device.cameras.jpeg_stream import JpegSplitter


def jpeg(brightness: int, *options: int) -> bytes:
    picture = np.random.default_rng(brightness).integers(0, 256, (24, 32, 3)).astype(np.uint8)
    return cv2.imencode(".jpg", picture, [*options])[1].tobytes()


def with_thumbnail(outer: bytes, inner: bytes) -> bytes:
    segment = b"Exif\x00\x00" + inner
    return outer[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + outer[2:]


PICTURES = [
    jpeg(1),
    jpeg(2, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    jpeg(3, cv2.IMWRITE_JPEG_RST_INTERVAL, 1),
    with_thumbnail(jpeg(4), jpeg(5)),
]
BETWEEN = b"\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n"


def split(data: bytes, cuts: list[int]) -> tuple[list[bytes], int]:
    splitter = JpegSplitter()
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    found = []
    for start, end in itertools.pairwise(edges):
        found += list(splitter.feed(data[start:end]))
    return found, splitter.torn


@given(
    st.lists(st.sampled_from(PICTURES), max_size=5),
    st.sampled_from([b"", b"\x00" * 7, BETWEEN]),
    st.lists(st.integers(0, 1 << 20), max_size=20),
)
def test_pictures_come_out_whole_however_the_stream_is_cut(
    pictures: list[bytes], between: bytes, cuts: list[int]
) -> None:
    data = b"".join(between + picture for picture in pictures) + between
    assert split(data, cuts) == (pictures, 0)


@example(PICTURES[0], 4, [])
@example(PICTURES[0], 87, [])
@given(st.sampled_from(PICTURES), st.integers(3, 10**6), st.lists(st.integers(0, 1 << 20)))
def test_picture_that_breaks_off_costs_no_other_one(
    picture: bytes, length: int, cuts: list[int]
) -> None:
    torn = picture[: min(length, len(picture) - 1)]
    # Where it ends within a segment, the announced length reaches into what follows, by 64 KiB at
    # most.
    whole = [PICTURES[0]] * (2 + (1 << 16) // len(PICTURES[0]))
    found, _ = split(torn + b"".join(whole), cuts)
    assert torn not in found
    assert found
    assert found[1:] == whole[len(whole) - len(found) + 1 :]


@given(st.binary(max_size=2000), st.lists(st.integers(0, 3000), max_size=8))
def test_anything_may_come(noise: bytes, cuts: list[int]) -> None:
    split(noise, cuts)
    split(b"\xff\xd8\xff" + noise, cuts)


def test_picture_without_an_end_is_given_up() -> None:
    splitter = JpegSplitter()
    endless = PICTURES[0][:-2]
    assert list(splitter.feed(endless)) == []
    filler = b"\x55" * (1 << 20)
    for _ in range(jpeg_stream.MAX_JPEG_BYTES // len(filler) + 1):
        assert list(splitter.feed(filler)) == []
    assert splitter.torn == 1
    assert list(splitter.feed(PICTURES[1])) == [PICTURES[1]]

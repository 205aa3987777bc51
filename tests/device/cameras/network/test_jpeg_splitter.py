"""Whole JPEGs out of streams of bytes, cut anywhere and damaged in every way."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edgeinfer.device.cameras.network import jpeg_splitter as jpeg_stream
from edgeinfer.device.cameras.network.jpeg_splitter import JpegSplitter
from tests.support.growth import assert_linear


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
    return found, splitter.damaged


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
    incomplete = picture[: min(length, len(picture) - 1)]
    # Where it ends within a segment, the announced length reaches into what follows, by 64 KiB at
    # most.
    whole = [PICTURES[0]] * (2 + (1 << 16) // len(PICTURES[0]))
    found, _ = split(incomplete + b"".join(whole), cuts)
    assert incomplete not in found
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
    assert splitter.damaged == 1
    assert list(splitter.feed(PICTURES[1])) == [PICTURES[1]]


def feed_all(data: bytes) -> None:
    splitter = JpegSplitter()
    for start in range(0, len(data), 1 << 16):
        list(splitter.feed(data[start : start + (1 << 16)]))
    assert len(splitter._bytes) <= jpeg_stream.MAX_JPEG_BYTES


START, SCAN = b"\xff\xd8", b"\xff\xda\x00\x02"


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda size: (START + b"\xff\xe0\x00\x04") * (size // 6), id="chained"),
        pytest.param(lambda size: b"\xff\xd8\xff\xe0\x00\x04" + START * (size // 2), id="starts"),
        pytest.param(
            lambda size: (START + b"\xff\xe1\xff\xf0") * 10_000 + b"\xff\xe1\x00\x02" * (size // 4),
            id="one chain behind many starts",
        ),
        pytest.param(
            lambda size: (
                b"".join(
                    START + b"\xff\xda" + (60_000 - 6 * index).to_bytes(2, "big")
                    for index in range(9_000)
                )
                + bytes(6_000)
                + b"\xff\x00" * (size // 2)
                + START
            ),
            id="one scan behind many starts",
        ),
        pytest.param(
            lambda size: (
                b"".join(
                    START + b"\xff\xe0" + (60_000 - 6 * index).to_bytes(2, "big")
                    for index in range(9_000)
                )
                + bytes(6_000)
                + b"\xff" * size
                + b"\x00"
            ),
            id="padding behind many starts",
        ),
        pytest.param(lambda size: (START + SCAN + b"\xff\xe1\xff\xf0") * (size // 10), id="scans"),
        pytest.param(lambda size: START + SCAN + b"\xff\xd0" * (size // 2), id="restarts"),
        pytest.param(lambda size: b"\xff\xd8\xff\xd9" * (size // 4), id="empty pictures"),
        pytest.param(lambda size: b"\xff\xd8\xff" * (size // 3), id="starts side by side"),
    ],
)
def test_time_grows_with_what_comes_not_with_its_square(make: Callable[[int], bytes]) -> None:
    assert_linear(feed_all, make, 1 << 20)


def test_broken_marker_behind_a_scan_costs_no_other_picture() -> None:
    broken = PICTURES[0][:-40] + b"\xff\xe1\xff\xf0"
    found, incomplete = split(broken + PICTURES[0] * 80, [])
    assert len(found) == 80
    assert incomplete == 1


def headed(picture: bytes, length: int | None) -> bytes:
    stated = b"" if length is None else b"Content-Length: %d\r\n" % length
    return b"\r\n--frame\r\n" + stated + b"Content-Type: image/jpeg\r\n\r\n" + picture


COLOUR = [jpeg(6), jpeg(7, cv2.IMWRITE_JPEG_PROGRESSIVE, 1), jpeg(8, cv2.IMWRITE_JPEG_OPTIMIZE, 1)]
NO_END = [
    "length",
    "no length",
    "wrong length",
    "long length",
    "nothing between",
    "zeros between",
    "half an end",
]


@given(st.sampled_from(NO_END), st.lists(st.sampled_from(COLOUR), min_size=1), st.data())
def test_pictures_without_the_marker_of_their_end(
    kind: str, pictures: list[bytes], data: st.DataObject
) -> None:
    cuts = data.draw(st.lists(st.integers(0, 1 << 20), max_size=20))
    lengths = {"length": -2, "wrong length": -300, "long length": 99_000}
    stream = b""
    for picture in pictures:
        rest = picture[:-2]
        if kind in lengths:
            stream += headed(rest, max(1, len(picture) + lengths[kind]))
        elif kind == "no length":
            stream += headed(rest, None)
        else:
            between = {"half an end": b"\xff", "zeros between": bytes(64)}.get(kind, b"")
            stream += rest + between
    splitter = JpegSplitter()
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    found = [
        each
        for start, end in itertools.pairwise(edges)
        for each in splitter.feed(stream[start:end])
    ]
    found += splitter.end()
    decoded = [cv2.imdecode(np.frombuffer(each, np.uint8), cv2.IMREAD_COLOR) for each in found]
    wanted = [cv2.imdecode(np.frombuffer(each, np.uint8), cv2.IMREAD_COLOR) for each in pictures]
    assert splitter.damaged == 0
    np.testing.assert_array_equal(decoded, wanted)


def test_picture_whose_length_is_stated_need_not_wait_for_the_next() -> None:
    splitter = JpegSplitter()
    without = PICTURES[0][:-2]
    assert list(splitter.feed(headed(without, len(without)))) == [PICTURES[0]]


@pytest.mark.parametrize("picture", [COLOUR[0], PICTURES[2]])
@pytest.mark.parametrize("missing", [60, 500])
@pytest.mark.parametrize("stated", [False, True])
def test_picture_of_which_more_is_missing_is_damaged(
    picture: bytes, missing: int, stated: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    cut_off = picture[:-missing]
    part = headed(cut_off, len(cut_off) if stated else None)
    found, damaged = split(part * 3 + headed(picture, len(picture)), [])
    assert found == [picture]
    assert damaged == 3
    assert capfd.readouterr().err == ""


def test_large_pictures_without_an_end_take_only_the_time_that_their_bytes_allow() -> None:
    large = bytearray(PICTURES[0][:-2])
    size = large.index(b"\xff\xc0") + 5
    large[size : size + 4] = (8000).to_bytes(2, "big") * 2
    found, damaged = split(bytes(large) * 50, [])
    assert (found, damaged) == ([], 49)

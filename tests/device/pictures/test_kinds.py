"""Kinds of pictures that decoders leave out, read differently, or that are cut."""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.device.cameras.network.opencv import open_url
from edgeinfer.device.cameras.network.stdin import StdinCamera
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.core.errors import ImageError
from edgeinfer.device.models.model import Model
from edgeinfer.device.pictures.decode import decode_image
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.pictures.headers import image_format
from edgeinfer.device.pictures.jpeg import decode_reduced
from edgeinfer.device.pictures.pixel_formats import JpegReduction
from tests.device.cameras.network.test_http_stream import MJPEG
from tests.device.cameras.network.test_jpeg_splitter import BETWEEN
from tests.device.cameras.raw_server import Connection, raw_server
from tests.device.pictures.made.bmp_files import MASKS_565, MASKS_888, bmp, packed
from tests.device.pictures.made.every_file import every_file
from tests.device.pictures.made.other_files import GREY, PHOTO, heic, saved, turned
from tests.device.pictures.made.scene import SCENE
from tests.device.pictures.made.tiff_files import RGB, tiff
from tests.support.waiting import PATIENCE_S

# What is known and not read --------------------------------------------------------------------

FOREIGN = {
    "a camera raw file": (
        b"\0\0\0\x18ftypcrx \0\0\0\1",
        b"FUJIFILMCCD-RAW 0201",
        b"II*\0\x10\0\0\0CR\x02\0" + bytes(40),
        tiff(SCENE, RGB, 8, further=[(50706, (1, 4))]),
        tiff(SCENE, RGB, 8, further=[(254, (1,)), (330, (8,))]),
    ),
    "a video": (
        b"\0\0\0\x18ftypisom",
        b"\0\0\0\x14ftypqt  ",
        b"\x1aE\xdf\xa3\0",
        b"RIFF\0\0\0\0AVI ",
    ),
    "a BigTIFF file": (b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0"),
    "a JPEG XL file": (b"\xff\x0a\0", b"\0\0\0\x0cJXL \r\n\x87\n"),
    "a JPEG 2000 file": (b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  \r\n\x87\n"),
    "a JPEG XR file": (b"II\xbc\x01",),
    "a Photoshop file": (b"8BPS\0\1",),
    "an SVG file": (
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- drawn -->\n<svg/>",
    ),
    "a PDF file": (b"%PDF-1.7",),
    "an icon or cursor file": (b"\0\0\1\0\1\0", b"\0\0\2\0\1\0"),
    "a Targa file": tuple(
        kind + bytes(13) + bits + bytes(9)
        for kind in (b"\0\0\2", b"\0\1\1", b"\0\0\3", b"\0\0\n", b"\0\1\t")
        for bits in (b"\x08", b"\x18")
    ),
    "a PCX file": (b"\n\5\1\x08" + bytes(128),),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_what_is_not_read_is_named_with_the_next_step(what: str) -> None:
    for data in FOREIGN[what]:
        with pytest.raises(ImageError, match=f"x: is {what}.*; save it as JPEG or PNG"):
            decode_image(data, subject="x")


def test_xml_that_is_not_a_picture_is_not_one() -> None:
    with pytest.raises(ImageError, match="is not an image"):
        decode_image(b"<?xml version='1.0'?><note/>", subject="x")


# What an extra reads ---------------------------------------------------------------------------

NEEDS = {
    "gif-palette": ("PIL.GifImagePlugin", "is a GIF picture, which needs Pillow"),
    "gif-animated": ("PIL.GifImagePlugin", "is a GIF picture, which needs Pillow"),
    "avif-rgb": ("PIL.AvifImagePlugin", r"is an AVIF picture, which needs Pillow 11\.3 or newer"),
    "avif-animated": (
        "PIL.AvifImagePlugin",
        r"is an AVIF picture, which needs Pillow 11\.3 or newer",
    ),
    "heic-rgb": ("pillow_heif", "is a HEIC picture, which needs pillow-heif"),
    "heic-orientation-6": ("pillow_heif", "is a HEIC picture, which needs pillow-heif"),
    "tiff-grey-4": ("PIL.TiffImagePlugin", "is a TIFF of a kind that needs Pillow"),
    "tiff-rgb-16-planar": ("PIL.TiffImagePlugin", "is a TIFF of a kind that needs Pillow"),
}


@pytest.mark.parametrize("name", NEEDS)
def test_what_needs_an_extra_says_which(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    package, said = NEEDS[name]
    assert decode_image(every_file()[name], subject=name).ndim == 3
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImageError, match=rf"{said}; save it as JPEG, or .*\[pictures\]") as caught:
        decode_image(every_file()[name], subject=name)
    assert caught.value.code == "image.extra"


@pytest.mark.parametrize("name", ["gif-palette", "heic-rgb", "avif-rgb"])
def test_half_of_a_file_is_damaged_and_nothing_else(name: str) -> None:
    data = every_file()[name]
    for part in (2, 3, 5):
        with pytest.raises(ImageError, match=r"damaged|incomplete"):
            decode_image(data[: len(data) * (part - 1) // part], subject="x")


@pytest.mark.parametrize("kind", ["HEIC", "AVIF"])
@pytest.mark.parametrize("size", [(12000, 11000), (30000, 30000), (0, 10)])
def test_heic_and_avif_of_absurd_sizes_are_refused_before_decoding(
    kind: str, size: tuple[int, int]
) -> None:
    square = PHOTO.resize((128, 128))
    data = heic(square) if kind == "HEIC" else saved(kind, square)
    stored = struct.pack(">II", 128, 128)
    assert data.count(b"ispe" + bytes(4) + stored) == 1
    bomb = data.replace(stored, struct.pack(">II", *size))
    with pytest.raises(ImageError, match=r"MB to decode|pixels large|cannot be opened"):
        decode_image(bomb, subject="x")


def test_brands_tell_heic_avif_and_video_apart() -> None:
    def brands(major: bytes, *others: bytes) -> bytes:
        return (
            struct.pack(">I", 16 + 4 * len(others)) + b"ftyp" + major + bytes(4) + b"".join(others)
        )

    assert image_format(brands(b"mif1", b"heic")) == "HEIC"
    assert image_format(brands(b"mif1", b"miaf", b"avif")) == "AVIF"
    assert image_format(brands(b"avis", b"msf1")) == "AVIF"
    assert image_format(brands(b"heix")) == "HEIC"
    assert image_format(brands(b"mp42", b"avif")) is None
    assert image_format(b"\0\0\0\x18ftyp") is None


# BMP -------------------------------------------------------------------------------------------


def test_the_clipboards_bitmaps_without_room_for_masks_said() -> None:
    # Some programs count the header alone when they say where the rows begin.
    for depth, masks in ((32, MASKS_888), (16, MASKS_565)):
        data = bytearray(bmp(packed(masks, SCENE), depth, compression=3, masks=masks))
        said = struct.unpack_from("<I", data, 10)[0]
        struct.pack_into("<I", data, 10, said - 12)
        assert np.abs(decode_image(bytes(data), subject="x").astype(int) - SCENE).max() <= 8


@pytest.mark.parametrize(
    "masks",
    [(0, 0xFF00, 0xFF), (0xFF0000, 0xFF0000, 0xFF), (0xF0F000, 0xF00, 0xFF)],
    ids=["none", "twice", "in pieces"],
)
def test_masks_that_are_not_colours_are_damage(masks: tuple[int, int, int]) -> None:
    data = bmp(packed(MASKS_888, SCENE), 32, compression=3, masks=masks)
    with pytest.raises(ImageError, match="does not say which bits are its colours"):
        decode_image(data, subject="x")


def test_masks_beyond_the_depth_are_damage() -> None:
    data = bmp(packed(MASKS_565, SCENE), 16, compression=3, masks=(0xF80000, 0x7E0, 0x1F))
    with pytest.raises(ImageError, match="does not say which bits are its colours"):
        decode_image(data, subject="x")


def test_a_bitmap_that_ends_early_is_incomplete() -> None:
    data = bmp(packed(MASKS_888, SCENE), 32, compression=3, masks=MASKS_888)
    with pytest.raises(ImageError, match="is incomplete: the BMP is shorter"):
        decode_image(data[:-5], subject="x")


# JPEG ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_cut_anywhere_with_another_behind_is_incomplete(progressive: bool) -> None:
    first = saved("JPEG", quality=95, progressive=progressive, restart_marker_blocks=3)
    scan = first.index(b"\xff\xda")
    for other in (saved("JPEG", GREY), saved("JPEG", progressive=True)):
        for cut in range(scan + 14, len(first) - 2, 37):
            with pytest.raises(ImageError, match=r"incomplete|damaged"):
                decode_image(first[:cut] + other, subject="x")


def test_a_jpeg_within_another_is_incomplete_before_its_picture_too() -> None:
    first = saved("JPEG")
    with pytest.raises(ImageError, match="another JPEG begins before its picture"):
        decode_image(first[: first.index(b"\xff\xdb")] + first, subject="x")


# Rotation --------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_streams_jpeg_is_turned_as_a_file_is(orientation: int) -> None:
    data = saved("JPEG", quality=95, exif=turned(orientation))
    whole = decode_image(data, subject="file")
    pixels = np.frombuffer(data, np.uint8)
    frame = Frame(pixels=pixels, format="jpeg", sequence=0, captured_ns=0)
    assert frame.size == whole.shape[1::-1]
    assert (frame.rgb() == whole).all()
    sizes = []

    def half_of(size: tuple[int, int]) -> JpegReduction:
        sizes.append(size)
        return 2

    half = decode_reduced(pixels, half_of)
    assert sizes == [frame.size]
    assert half.shape[:2] == (-(-whole.shape[0] // 2), -(-whole.shape[1] // 2))
    assert half.flags.c_contiguous


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_stdin_and_http_turn_a_jpeg_as_a_file_is_turned(orientation: int) -> None:
    data = saved("JPEG", quality=95, exif=turned(orientation))
    upright = decode_image(data, subject="file")
    reader, writer = os.pipe()
    os.write(writer, data)
    os.close(writer)
    frames = [StdinCamera(reader).read()]
    os.close(reader)

    def answer(connection: Connection) -> None:
        connection.send(MJPEG + b"\r\n" + BETWEEN + data + BETWEEN)

    patient = CameraOptions(timeout_s=PATIENCE_S)
    with raw_server(answer) as server, open_url(server.url, patient) as camera:
        frames.append(camera.read())
    for frame in frames:
        assert frame is not None
        assert frame.size == upright.shape[1::-1]
        assert (frame.rgb() == upright).all()


def test_a_model_sees_a_streams_jpeg_as_a_file(sample_model: Model) -> None:
    data = saved("JPEG", quality=95, exif=turned(6))
    frame = Frame(pixels=np.frombuffer(data, np.uint8), format="jpeg", sequence=0, captured_ns=0)
    tensor = sample_model.prepare(frame)
    upright = Frame(pixels=decode_image(data, subject="x"), sequence=0, captured_ns=0)
    assert (tensor == sample_model.prepare(upright)).all()


@pytest.fixture
def sample_model(sample_bundle: Path) -> Iterator[Model]:
    with Model.open(sample_bundle) as model:
        yield model

"""Decoding, held against Pillow; damaged files, held to one clear error."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

from edgeinfer.device.core.errors import ImageError
from edgeinfer.device.pictures.decode import (
    MAX_PIXELS,
    decode_image,
    encode_png,
    read_image,
)
from edgeinfer.device.pictures.headers import image_format
from edgeinfer.device.pictures.pixel_formats import IMAGE_SUFFIXES

WIDTH, HEIGHT = 51, 38


def _photo() -> Image.Image:
    """A smooth picture without symmetries: JPEG keeps it well, and no rotation looks the same."""
    noise = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)


PHOTO = _photo()
GREY = PHOTO.convert("L")
RAMP = Image.fromarray(np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1)))
RGBA = Image.merge("RGBA", (*PHOTO.split(), RAMP))
GREY_ALPHA = Image.merge("LA", (GREY, RAMP))


def _save(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _pillow(data: bytes) -> NDArray[np.uint8]:
    """What Pillow makes of the bytes: upright, on white, RGB."""
    with Image.open(io.BytesIO(data)) as opened:
        image = ImageOps.exif_transpose(opened)
        if image.has_transparency_data:
            image = image.convert("RGBA")
            white = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(white, image)
        return np.asarray(image.convert("RGB"))


def _assert_close(data: bytes, tolerance: int) -> None:
    got, want = decode_image(data, subject="picture"), _pillow(data)
    assert got.shape == want.shape
    assert got.dtype == np.uint8
    assert got.flags.c_contiguous
    difference = np.abs(got.astype(int) - want).max()
    assert difference <= tolerance, f"differs from Pillow by {difference} levels"


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[274] = orientation
    return exif


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(_save(PHOTO, "PNG"), id="png"),
        pytest.param(_save(GREY, "PNG"), id="png-grey"),
        pytest.param(_save(PHOTO.convert("1"), "PNG"), id="png-1-bit"),
        pytest.param(_save(PHOTO.quantize(32), "PNG"), id="png-palette"),
        pytest.param(_save(PHOTO, "BMP"), id="bmp"),
        pytest.param(_save(GREY, "BMP"), id="bmp-grey"),
        pytest.param(_save(PHOTO.quantize(32), "BMP"), id="bmp-palette"),
        pytest.param(_save(PHOTO, "TIFF"), id="tiff"),
        pytest.param(_save(GREY, "TIFF"), id="tiff-grey"),
        pytest.param(_save(PHOTO.convert("1"), "TIFF"), id="tiff-1-bit"),
        pytest.param(_save(PHOTO, "TIFF", compression="tiff_lzw"), id="tiff-lzw"),
        pytest.param(_save(PHOTO, "WEBP", lossless=True), id="webp-lossless"),
        pytest.param(
            _save(PHOTO, "PNG", save_all=True, append_images=[RGBA.convert("RGB")]), id="apng"
        ),
    ],
)
def test_lossless_formats_equal_pillow(data: bytes) -> None:
    _assert_close(data, tolerance=0)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(_save(RGBA, "PNG"), id="rgba"),
        pytest.param(_save(GREY_ALPHA, "PNG"), id="grey-alpha"),
        pytest.param(_save(RGBA.quantize(32), "PNG"), id="palette-alpha"),
        pytest.param(_save(PHOTO.quantize(16), "PNG", transparency=0), id="palette-transparent"),
        pytest.param(_save(RGBA, "TIFF"), id="tiff-rgba"),
        pytest.param(_save(RGBA, "WEBP", lossless=True), id="webp-rgba"),
    ],
)
def test_transparent_pixels_become_white(data: bytes) -> None:
    # Pillow blends with another rounding: one level, two where libtiff has multiplied before.
    _assert_close(data, tolerance=2)


def test_fully_transparent_is_white_and_opaque_is_unchanged() -> None:
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[0] = (200, 100, 50, 0)
    pixels[1] = (200, 100, 50, 255)
    decoded = decode_image(_save(Image.fromarray(pixels), "PNG"), subject="picture")
    assert (decoded[0] == 255).all()
    assert (decoded[1] == (200, 100, 50)).all()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(_save(PHOTO, "JPEG", quality=95), id="jpeg"),
        pytest.param(_save(PHOTO, "JPEG", quality=95, progressive=True), id="progressive"),
        pytest.param(_save(PHOTO, "JPEG", quality=95, subsampling=0), id="4:4:4"),
        pytest.param(_save(GREY, "JPEG", quality=95), id="grey"),
        pytest.param(_save(PHOTO.convert("CMYK"), "JPEG", quality=95), id="cmyk"),
        pytest.param(_save(PHOTO, "WEBP", quality=90), id="webp"),
    ],
)
def test_lossy_formats_are_close_to_pillow(data: bytes) -> None:
    # Both use libjpeg-turbo or libwebp, of different versions and settings.
    _assert_close(data, tolerance=3)


def test_cmyk_with_black_and_ycck() -> None:
    channels = [*PHOTO.split(), GREY]
    cmyk = _save(Image.merge("CMYK", channels), "JPEG", quality=95)
    _assert_close(cmyk, tolerance=3)
    # The last byte of Adobe's APP14 segment tells YCCK (2) from CMYK (0).
    marker = cmyk.index(b"Adobe")
    assert cmyk[marker + 11] == 0
    _assert_close(cmyk[: marker + 11] + b"\x02" + cmyk[marker + 12 :], tolerance=3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("JPEG", {"quality": 95}, 3),
        ("PNG", {}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
    ],
)
def test_exif_rotation(
    kind: str, options: dict[str, Any], tolerance: int, orientation: int
) -> None:
    data = _save(PHOTO, kind, exif=_exif(orientation), **options)
    _assert_close(data, tolerance)
    assert decode_image(data, subject="x").shape[:2] == (
        (HEIGHT, WIDTH) if orientation < 5 else (WIDTH, HEIGHT)
    )


def test_big_endian_exif_and_impossible_orientations() -> None:
    big_endian = b"MM\0*\0\0\0\x08" + struct.pack(">HHHIHH", 1, 274, 3, 1, 6, 0)
    data = _save(PHOTO, "JPEG", exif=b"Exif\0\0" + big_endian)
    assert decode_image(data, subject="x").shape == (WIDTH, HEIGHT, 3)
    impossible = _exif(9).tobytes().removeprefix(b"Exif\0\0")
    for damaged in (b"II*\0\xff\xff\xff\xff", b"", b"junk", impossible):
        data = _save(PHOTO, "JPEG", exif=b"Exif\0\0" + damaged)
        assert decode_image(data, subject="x").shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_sixteen_bits_are_divided_by_257_and_rounded(suffix: str) -> None:
    wide = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    expected = np.rint(wide / 257).astype(np.uint8)
    for stored in (wide, np.dstack([wide, wide.T, wide])):
        done, encoded = cv2.imencode(suffix, stored)
        assert done
        decoded = decode_image(encoded.tobytes(), subject="x")
        assert (decoded[:, :, 0] == expected).all()
        assert (decoded[:, :, 1] == (expected if stored.ndim == 2 else expected.T)).all()


def test_sixteen_bits_with_alpha() -> None:
    wide = np.full((4, 4, 4), 65535, np.uint16)
    wide[:, :, :3] = 0
    wide[:2, :, 3] = 0
    decoded = decode_image(cv2.imencode(".png", wide)[1].tobytes(), subject="x")
    assert (decoded[:2] == 255).all()
    assert (decoded[2:] == 0).all()


def test_gif_gives_its_first_frame_or_one_error() -> None:
    data = _save(
        PHOTO.quantize(16), "GIF", save_all=True, append_images=[PHOTO.rotate(180).quantize(16)]
    )
    try:
        decoded = decode_image(data, subject="moving.gif")
    except ImageError as error:
        # OpenCV reads GIF from 4.11 on, and only where it was built so.
        assert "GIF" in error.got  # noqa: PT017
        return
    assert (decoded == _pillow(data)).all()


def test_floating_point_tiff_is_refused() -> None:
    data = _save(GREY.convert("F"), "TIFF")
    with pytest.raises(ImageError, match="float32 pixels, expected 8 or 16 bits"):
        decode_image(data, subject="depth.tif")


def test_png_round_trip_is_lossless() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (9, 14, 3), dtype=np.uint8)
    encoded = encode_png(pixels)
    assert (decode_image(encoded, subject="x") == pixels).all()
    assert (_pillow(encoded) == pixels).all()
    with pytest.raises(ValueError, match="uint8"):
        encode_png(pixels.astype(np.float32))


# What is not a complete image ------------------------------------------------------------------


def _with_thumbnail() -> bytes:
    thumbnail = _save(PHOTO.resize((16, 12)), "JPEG")
    exif = b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + thumbnail
    data = _save(PHOTO, "JPEG", exif=exif)
    assert data.count(b"\xff\xd9") == 2
    return data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"label,price\ncat,3\n", "is not an image", id="text"),
        pytest.param(b"\0\0\0\x1cftypheic" + bytes(40), "HEIC.*save it as JPEG", id="heic"),
        pytest.param(b"\xff\xd8\xff", "is incomplete", id="jpeg-marker-only"),
        pytest.param(b"\xff\xd8\xff\xd9", "holds no picture", id="jpeg-without-picture"),
        pytest.param(
            _save(PHOTO, "JPEG")[:-2], "is incomplete: the JPEG has no end", id="jpeg-no-end"
        ),
        pytest.param(_save(PHOTO, "JPEG")[:700], "is incomplete", id="jpeg-half"),
        pytest.param(
            _save(PHOTO, "JPEG", progressive=True)[:-40], "is incomplete", id="progressive"
        ),
        pytest.param(
            _with_thumbnail()[:-9], "is incomplete: the JPEG has no end", id="thumbnail-ends"
        ),
        pytest.param(
            _save(PHOTO, "PNG")[:-12], "is incomplete: the PNG has no end", id="png-no-end"
        ),
        pytest.param(_save(PHOTO, "PNG")[:900], "ends within a chunk", id="png-half"),
        pytest.param(_save(PHOTO, "PNG")[:8], "is incomplete", id="png-signature-only"),
        pytest.param(_save(PHOTO, "BMP")[:-50], "is incomplete: the BMP", id="bmp"),
        pytest.param(_save(PHOTO, "WEBP")[:-50], "is incomplete: the WebP", id="webp"),
        pytest.param(_save(PHOTO, "TIFF")[:6], "is incomplete: the TIFF", id="tiff-header"),
        pytest.param(b"II*\0\xff\xff\xff\x7f", "is incomplete: the TIFF", id="tiff-directory"),
        pytest.param(b"GIF89a\x01", "is incomplete: the GIF", id="gif"),
    ],
)
def test_damaged_files_give_one_quiet_line(
    data: bytes, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ImageError, match=message) as caught:
        decode_image(data, subject="photos/x.jpg")
    assert caught.value.subject == "photos/x.jpg"
    assert "\n" not in str(caught.value)
    assert caught.value.next_step
    assert capfd.readouterr() == ("", "")


def test_png_with_a_flipped_bit() -> None:
    data = bytearray(_save(PHOTO, "PNG"))
    data[len(data) // 2] ^= 0x10
    with pytest.raises(ImageError, match="checksum"):
        decode_image(bytes(data), subject="x")


def test_png_profiles_that_make_libpng_warn_stay_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    data = _save(PHOTO, "PNG", icc_profile=b"no profile at all" * 20)
    assert (decode_image(data, subject="x") == np.asarray(PHOTO)).all()
    assert capfd.readouterr().err == ""


def _bomb(side: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(_bomb(60000), id="png"),
        pytest.param(_bomb(0), id="png-no-pixels"),
        pytest.param(
            b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b"," + bytes(9) + b";",
            id="gif",
        ),
        pytest.param(
            b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<II", 10, 0) + b"\xff" * 6,
            id="webp",
        ),
        pytest.param(
            b"BM" + struct.pack("<IIIIiiHHI", 0, 0, 54, 40, 99999, 99999, 1, 8, 1) + bytes(20),
            id="bmp",
        ),
        pytest.param(
            b"II*\0\x08\0\0\0\x02\0"
            + struct.pack("<HHII", 256, 4, 1, 99999)
            + struct.pack("<HHII", 257, 4, 1, 99999),
            id="tiff",
        ),
    ],
)
def test_absurd_sizes_are_refused_before_decoding(data: bytes) -> None:
    with pytest.raises(ImageError, match=f"pixels large, expected 1 to {MAX_PIXELS:,}"):
        decode_image(data, subject="bomb")


JPEG = _with_thumbnail()
PNG = _save(RGBA, "PNG")
MAGIC = [b"\xff\xd8\xff", PNG[:8], b"BM", b"GIF89a", b"II*\0", b"MM\0*", b"RIFF\x20\0\0\0WEBPVP8X"]


def _must_decode_or_refuse(data: bytes) -> None:
    try:
        decoded = decode_image(data, subject="x")
    except ImageError as error:
        assert str(error).startswith("x: ")  # noqa: PT017
    else:
        assert decoded.ndim == 3
        assert decoded.shape[2] == 3


@settings(deadline=None)
@given(prefix=st.sampled_from([b"", *MAGIC]), rest=st.binary(max_size=400))
def test_random_bytes_give_image_errors_only(prefix: bytes, rest: bytes) -> None:
    _must_decode_or_refuse(prefix + rest)


@settings(deadline=None)
@given(length=st.integers(0, len(JPEG) - 1))
def test_every_truncated_jpeg_is_noticed(length: int) -> None:
    with pytest.raises(ImageError):
        decode_image(JPEG[:length], subject="x")


@settings(deadline=None)
@given(length=st.integers(0, len(PNG) - 1))
def test_every_truncated_png_is_noticed(length: int) -> None:
    with pytest.raises(ImageError):
        decode_image(PNG[:length], subject="x")


@settings(max_examples=200, deadline=None)
@given(
    data=st.sampled_from(
        [JPEG, PNG, _save(PHOTO, "TIFF"), _save(PHOTO, "BMP"), _save(PHOTO, "WEBP")]
    ),
    place=st.integers(0, 2000),
    value=st.binary(min_size=1, max_size=6),
)
def test_damage_anywhere_gives_image_errors_only(data: bytes, place: int, value: bytes) -> None:
    place %= len(data)
    _must_decode_or_refuse(data[:place] + value + data[place + len(value) :])


# Files --------------------------------------------------------------------------------------


def test_read_image(tmp_path: Path) -> None:
    path = tmp_path / "a b 'ü'.png"
    path.write_bytes(_save(PHOTO, "PNG"))
    assert (read_image(path) == np.asarray(PHOTO)).all()


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"gone\.png: does not exist; check the path"):
        read_image(tmp_path / "gone.png")
    with pytest.raises(ImageError, match=r"is a folder, expected an image.*; name its pictures"):
        read_image(tmp_path)
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match="is not a regular file"):
        read_image(tmp_path / "pipe.png")
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(ImageError, match="cannot be read"):
        read_image(tmp_path / "file" / "below.png")


def test_huge_files_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    with path.open("wb") as stream:
        stream.truncate(2**30)
    with pytest.raises(ImageError, match="holds 1,074 MB, expected at most 268 MB"):
        read_image(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_forbidden_files(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(_save(PHOTO, "PNG"))
    path.chmod(0)
    with pytest.raises(ImageError, match=r"permission denied.*check its permissions"):
        read_image(path)


def test_greyscale_photographs_of_real_life(shared_data: Path) -> None:
    paths = sorted((shared_data / "raccoon" / "images").iterdir())[:40]
    for path in paths:
        assert path.suffix in IMAGE_SUFFIXES
        data = path.read_bytes()
        assert image_format(data) is not None
        _assert_close(data, tolerance=4)

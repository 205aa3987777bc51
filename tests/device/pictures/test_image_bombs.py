"""Images that lie about their size, or are far larger than their files: refused before decoding."""

from __future__ import annotations

import contextlib
import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeinfer.device.core.errors import ImageError
from edgeinfer.device.pictures.decode import decode_image
from edgeinfer.device.pictures.headers import HeaderError, memory_limit, read_header
from edgeinfer.device.pictures.jpeg import decode_bgr
from tests.support.checkout import ROOT
from tests.support.growth import assert_linear

PHOTO = Image.effect_noise((32, 24), 80).convert("RGB")
SMALL, LARGE = (32, 24), (12000, 11000)


def saved(kind: str, image: Image.Image = PHOTO, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


# PNG ----------------------------------------------------------------------------------------


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


PNG_START = b"\x89PNG\r\n\x1a\n"


def ihdr(size: tuple[int, int], bits: int = 8, colour: int = 2, interlaced: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", *size, bits, colour, 0, 0, interlaced))


def png(*chunks: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + chunk(b"IEND", b"")


def zeros(count: int) -> bytes:
    packer = zlib.compressobj(9)
    piece = bytes(1 << 20)
    return b"".join(packer.compress(piece) for _ in range(count >> 20)) + packer.flush()


# JPEG ---------------------------------------------------------------------------------------


def sof(size: tuple[int, int], kind: int = 0xC0, components: int = 3, factors: int = 0x11) -> bytes:
    body = struct.pack(">BHHB", 8, size[1], size[0], components)
    body += b"".join(bytes((index + 1, factors, 0)) for index in range(components))
    return bytes((0xFF, kind)) + struct.pack(">H", len(body) + 2) + body


JPEG = saved("JPEG")
SOF_AT = JPEG.index(b"\xff\xc0")
SOF_END = SOF_AT + 2 + struct.unpack_from(">H", JPEG, SOF_AT + 2)[0]


GREY = saved("JPEG", PHOTO.convert("L"))


def jpeg(*frames: bytes, before_end: bytes = b"") -> bytes:
    return JPEG[:SOF_AT] + b"".join(frames) + JPEG[SOF_END:-2] + before_end + JPEG[-2:]


OWN_SOF = JPEG[SOF_AT:SOF_END]
SCAN = JPEG[JPEG.index(b"\xff\xda") : -2]

# TIFF ---------------------------------------------------------------------------------------

BYTE, SHORT, LONG, RATIONAL, SLONG, LONG8 = 1, 3, 4, 5, 9, 16


def tiff(
    *extra: tuple[int, int, int, int], left_out: tuple[int, ...] = (), strip: bytes = b"\x80" * 768
) -> bytes:
    """A grey picture of 32x24 in one strip, with entries (tag, type, count, value) behind."""
    entries = [
        *((256, SHORT, 1, 32), (257, SHORT, 1, 24), (258, SHORT, 1, 8), (259, SHORT, 1, 1)),
        *((262, SHORT, 1, 1), (273, LONG, 1, 8), (277, SHORT, 1, 1), (278, SHORT, 1, 24)),
        (279, LONG, 1, len(strip)),
    ]
    entries = [entry for entry in entries if entry[0] not in left_out] + list(extra)
    at = 8 + len(strip) + len(strip) % 2
    directory = struct.pack("<H", len(entries)) + b"".join(
        struct.pack("<HHII", *entry) for entry in entries
    )
    head = b"II*\0" + struct.pack("<I", at) + strip
    return head + bytes(at - len(head)) + directory + bytes(4)


# WebP and GIF -------------------------------------------------------------------------------


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def three(value: int) -> bytes:
    return value.to_bytes(3, "little")


def vp8x(size: tuple[int, int], flags: int = 0) -> tuple[bytes, bytes]:
    return b"VP8X", struct.pack("<I", flags) + three(size[0] - 1) + three(size[1] - 1)


def picture(size: tuple[int, int], **options: Any) -> tuple[bytes, bytes]:
    data = saved("WEBP", PHOTO.resize(size), **options)
    return data[12:16], data[20 : 20 + struct.unpack_from("<I", data, 16)[0]]


LOSSY, LOSSLESS = picture(SMALL), picture(SMALL, lossless=True)
FRAME = three(0) + three(0) + three(31) + three(23) + bytes(4)


def nested(frame: bytes, one: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    return b"ANMF", frame + one[0] + struct.pack("<I", len(one[1])) + one[1]


ANIM = (b"ANIM", bytes(6))


def gif(screen: tuple[int, int], place: tuple[int, int, int, int]) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + bytes(6)
    return head + b"," + struct.pack("<HHHHB", *place, 0) + b"\x02\x02\x4c\x01\x00;"


LIES = {
    "png-two-sizes": png(ihdr(SMALL), ihdr(LARGE), chunk(b"IDAT", zlib.compress(bytes(9000)))),
    "png-size-behind": png(ihdr(SMALL), chunk(b"IDAT", zlib.compress(bytes(9000))), ihdr(LARGE)),
    "png-size-late": png(chunk(b"IDAT", b""), ihdr(SMALL)),
    "png-size-short": png(chunk(b"IHDR", bytes(12)), ihdr(LARGE)),
    "jpeg-two-sizes": jpeg(OWN_SOF, sof(LARGE)),
    "jpeg-small-size-last": jpeg(sof(LARGE), OWN_SOF),
    "jpeg-factor-zero": jpeg(sof(SMALL, factors=0)),
    "jpeg-scans": jpeg(sof((2000, 2000), kind=0xC2), before_end=SCAN * 200),
    "tiff-two-widths": tiff((256, SHORT, 1, 12000)),
    "tiff-two-sizes": tiff((256, SHORT, 1, 12000), (257, SHORT, 1, 12000)),
    "tiff-two-strips": tiff((273, LONG, 1, 8)),
    "tiff-width-of-two": tiff((256, SHORT, 2, 32), left_out=(256,)),
    "tiff-width-is-signed": tiff((256, SLONG, 1, 32), left_out=(256,)),
    "tiff-width-is-long8": tiff((256, LONG8, 1, 8), left_out=(256,)),
    "tiff-rows-are-signed": tiff((278, SLONG, 1, 2**30), left_out=(278,)),
    "tiff-tile-is-signed": tiff((322, SLONG, 1, 16384), (323, SLONG, 1, 16384)),
    "tiff-tile-without-height": tiff((322, LONG, 1, 16)),
    # The number would be written into the width's own entry.
    "tiff-orientation-elsewhere": tiff((274, SHORT, 3, 776 + 12), left_out=()),
    "tiff-rare-compression": tiff((259, SHORT, 1, 34676), left_out=(259,)),
    "tiff-many-samples": tiff((277, SHORT, 1, 60000), left_out=(277,)),
    "bigtiff": b"II+\0\x08\0\0\0" + bytes(40),
    "webp-small-canvas": riff(vp8x((16, 16)), LOSSY),
    "webp-large-canvas": riff(vp8x((16000, 16000)), LOSSLESS),
    "webp-frame-outside": riff(vp8x((16, 16), 2), ANIM, nested(FRAME, LOSSY)),
    "webp-frame-two-sizes": riff(vp8x(SMALL, 2), ANIM, nested(FRAME, picture((64, 64)))),
    "webp-no-size": riff((b"ICCP", bytes(4)), LOSSY),
    "gif-picture-outside": gif((8, 8), (0, 0, 12000, 11000)),
    "gif-picture-partly-outside": gif((8, 8), (4, 0, 8, 8)),
    "pgm": b"P5 12000 11000 255\n" + bytes(100),
    "pam": b"P7\nWIDTH 12000\nHEIGHT 11000\nDEPTH 1\nMAXVAL 255\nENDHDR\n",
    "pfm": b"PF\n12000 11000\n-1.0\n",
    "hdr": b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 12000 +X 11000\n",
    "jpeg-2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(40),
    "sun-raster": b"\x59\xa6\x6a\x95" + struct.pack(">7I", 12000, 11000, 24, 0, 1, 0, 0),
    "exr": b"v/1\x01" + bytes(100),
}
"""What says two sizes, or says none that decoders agree on."""

BOMBS = {
    "png": png(ihdr((11000, 12000)), chunk(b"IDAT", zeros(400 << 20))),
    "png-16-bits": png(ihdr((6000, 6000), 16, 6), chunk(b"IDAT", zeros(280 << 20))),
    "png-interlaced": png(ihdr((9000, 9000), 8, 6, 1), chunk(b"IDAT", zeros(1 << 20))),
    "jpeg": jpeg(sof((12000, 11000))),
    "jpeg-progressive": jpeg(sof((6000, 6000), kind=0xC2)),
    "jpeg-scan-by-scan": GREY[: GREY.index(b"\xff\xc0")]
    + sof((6000, 6000))
    + GREY[GREY.index(b"\xff\xc4") :],
    "tiff": tiff((256, SHORT, 1, 12000), (257, SHORT, 1, 11000), left_out=(256, 257)),
    "tiff-float": tiff(
        *((256, SHORT, 1, 5000), (257, SHORT, 1, 5000), (258, SHORT, 1, 64), (339, SHORT, 1, 3)),
        left_out=(256, 257, 258),
    ),
    "tiff-tiles": tiff((322, LONG, 1, 16384), (323, LONG, 1, 16384), (324, LONG, 1, 8)),
    "webp-lossless": riff(
        (b"VP8L", b"\x2f" + struct.pack("<I", 10999 | (10999 << 14)) + bytes(20))
    ),
    "webp-animated": riff(vp8x((8000, 8000), 2), ANIM, nested(FRAME, LOSSY)),
    "gif": gif((9000, 9000), (0, 0, 9000, 9000)),
    "bmp-rle": b"BM" + struct.pack("<IIIIiiHHI", 0, 0, 54, 40, 11000, 11000, 1, 8, 1) + bytes(99),
}
"""What would take more memory than a file of that size may."""

HARMLESS = {
    "tiff": tiff(),
    "tiff-all-rows": tiff((278, LONG, 1, 2**32 - 1), left_out=(278,)),
    "tiff-turned": tiff((274, SHORT, 1, 6)),
    "png": saved("PNG"),
    "webp-canvas": riff(vp8x(SMALL), LOSSY),
    "webp-lossless": riff(vp8x(SMALL), LOSSLESS),
    "jpeg-thumbnail": saved("JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + JPEG),
}


@pytest.mark.parametrize("name", LIES)
def test_what_says_two_sizes_or_none_is_refused(name: str) -> None:
    with pytest.raises(ImageError, match=r"damaged|is an? |over 100 scans") as caught:
        decode_image(LIES[name], subject=name)
    assert "cannot be decoded" not in caught.value.got


@pytest.mark.parametrize("name", BOMBS)
def test_what_takes_much_memory_for_its_size_is_refused(name: str) -> None:
    with pytest.raises(ImageError, match=r"MB to decode, .* expected at most 201 MB"):
        decode_image(BOMBS[name], subject=name)


@pytest.mark.parametrize("name", HARMLESS)
def test_what_says_one_size_is_decoded(name: str) -> None:
    assert decode_image(HARMLESS[name], subject=name).shape in ((24, 32, 3), (32, 24, 3))


@pytest.mark.parametrize(
    "name", ["jpeg", "jpeg-progressive", "jpeg-two-sizes", "jpeg-scans", "tiff"]
)
def test_a_bomb_from_a_camera_is_refused(name: str) -> None:
    data = np.frombuffer((BOMBS | LIES)[name], np.uint8)
    with pytest.raises(ImageError, match=r"pixels large|damaged|not a JPEG"):
        decode_bgr(data)


def test_a_large_photograph_may_take_more() -> None:
    photo = 12_500_000  # bytes of 108 million pixels
    assert memory_limit(photo) >= 6 * 108_000_000
    assert memory_limit(10**9) == memory_limit(10**10)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda size: b"\xff\xd8" + b"\xff" * size, id="jpeg-padding"),
        pytest.param(lambda size: b"\xff\xd8\xff" + b"\xd0\xff" * (size // 2), id="jpeg-markers"),
        pytest.param(
            lambda size: b"\xff\xd8" + b"\xff\xe0\x00\x02" * (size // 4), id="jpeg-segments"
        ),
        pytest.param(
            lambda size: JPEG[:-2] + b"\xff\xda\x00\x02" * (size // 4) + JPEG[-2:], id="jpeg-scans"
        ),
        pytest.param(lambda size: PNG_START + bytes(size), id="png-empty-chunks"),
        pytest.param(lambda size: riff(*[(b"ANMF", bytes(16))] * (size // 24)), id="webp-frames"),
        pytest.param(lambda size: riff(vp8x(SMALL), *[(b"XXXX", b"")] * (size // 8)), id="webp"),
        pytest.param(lambda size: b"GIF89a" + bytes(7) + b"!\xf9\0" * (size // 3), id="gif"),
        pytest.param(
            lambda size: saved("PNG").replace(b"IDAT", b"xxxx") + bytes(size), id="png-checksum"
        ),
    ],
)
def test_reading_a_header_takes_time_that_grows_with_the_file(make: Callable[[int], bytes]) -> None:
    def read(data: bytes) -> None:
        with contextlib.suppress(HeaderError):
            read_header(data)

    assert_linear(read, make, 1 << 21)


def test_nothing_takes_memory_before_it_is_refused(tmp_path: Path) -> None:
    files = {
        f"{kind}-{name}": data
        for kind, all_of in (("lie", LIES), ("bomb", BOMBS))
        for name, data in all_of.items()
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from edgeinfer.device.core.errors import ImageError\n"
        "from edgeinfer.device.pictures.decode import read_image\n"
        "from tests.support.peak_memory import peak_mib\n"
        "for path in map(Path, sys.argv[1:]):\n"
        "    try:\n"
        "        print('read', path)\n"
        "        read_image(path)\n"
        "    except ImageError: pass\n"
        "print(peak_mib())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, tmp_path.iterdir())],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert int(done.stdout.splitlines()[-1]) < 150


def test_opencv_has_its_own_limit() -> None:
    program = (
        "import edgeinfer.device, cv2, numpy, sys\n"
        "from edgeinfer.device.pictures.quiet_opencv import quiet_opencv\n"
        "quiet_opencv()\n"
        "data = numpy.frombuffer(sys.stdin.buffer.read(), numpy.uint8)\n"
        "try:\n"
        "    picture = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)\n"
        "except cv2.error:\n"
        "    picture = None\n"
        "print(picture is None)\n"
    )
    for size, refused in ((LARGE, False), ((12000, 12000), True)):
        done = subprocess.run(
            [sys.executable, "-c", program], input=jpeg(sof(size)), capture_output=True, check=True
        )
        assert done.stdout.decode().strip() == str(refused)

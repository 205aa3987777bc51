"""Some 250 made files, each read as Pillow reads it; where not, the table says why.

Verdict, size and orientation are always Pillow's but for `PILLOW_CANNOT`. Pixels are equal where
the format keeps them, and within one level in JPEG, but for `EXPLAINED` and `RIGHT`.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from fnmatch import fnmatch

import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from edgeinfer.device.core.errors import ImageError
from edgeinfer.device.pictures.decode import decode_image
from tests.device.pictures.made.every_file import every_file
from tests.device.pictures.made.scene import SCENE, grey_levels, wide

LOW_BYTE = "Pillow keeps the high byte of 16 bits in colour; here they are rounded"
BLEND = "Pillow lays on white with another rounding, here and where a TIFF is multiplied by alpha"
EXPLAINED = {
    "bmp-16*": (1, "Pillow rounds 5 bits down when they become 8; here to the nearest"),
    "bmp-bit-fields-5*": (1, "the same for 5 and 6 bits"),
    "bmp-header-*-565": (1, "the same"),
    "jpeg-cmyk*": (2, "CMYK becomes RGB with another rounding, after one of JPEG"),
    "jpeg-ycck*": (2, "the same"),
    "tiff-cmyk-8": (1, "the same, without JPEG"),
    "png-rgb-16*": (1, LOW_BYTE),
    "tiff-rgb-16*": (1, LOW_BYTE),
    "tiff-rgb-extra-0-16*": (1, LOW_BYTE),
    "png-grey-alpha-16*": (2, f"{LOW_BYTE}; {BLEND}"),
    "png-rgba-16*": (2, f"{LOW_BYTE}; {BLEND}"),
    "tiff-rgb-extra-none-16": (2, f"{LOW_BYTE}; {BLEND}"),
    "tiff-rgb-extra-2-16*": (2, f"{LOW_BYTE}; {BLEND}"),
    "tiff-rgb-extra-1-8": (1, BLEND),
    "tiff-rgb-extra-1-16": (3, f"{LOW_BYTE}; {BLEND}"),
}
"""By how many levels pixels differ from Pillow's, and why."""

PILLOW_CANNOT = {
    "bmp-bit-fields-swapped*": "Pillow knows a list of bit fields",
    "bmp-bit-fields-10-bits": "the same",
    "bmp-bit-fields-444": "the same",
    "bmp-alpha-bit-fields": "Pillow does not know this compression",
    "tiff-rgb-extra-0-8-planar": "Pillow does not read four bands in planes",
}
"""What is read here and not by Pillow, and why; each has its pixels in `RIGHT`."""

BOTH_REFUSE = {
    "tiff-grey-bands-4-*": "no tag says which of the bands are red, green and blue",
    "tiff-grey-extra-*-16": "a second band of 16 bits",
    "tiff-rgb-extra-0-0-16": "a fifth band of 16 bits",
    "tiff-rgb-extra-0-16-planar": "four bands of 16 bits in planes",
}
"""What neither reads, and what is rare in it."""


def _on_white(alpha: NDArray[np.uint16]) -> NDArray[np.float64]:
    share = alpha / 255
    return np.asarray(SCENE * share + 255 * (1 - share))


def _without_key(samples: NDArray[np.uint16], most: int) -> NDArray[np.float64]:
    """Return samples as levels, white where they are the colour at row 3, column 5."""
    levels = np.rint(samples * (255 / most))
    levels[(samples == samples[3, 5]).all(axis=2)] = 255
    return np.broadcast_to(levels, SCENE.shape)


CLEAR = grey_levels(8)[:, ::-1]
RIGHT: dict[str, tuple[int, Callable[[], NDArray[np.float64] | NDArray[np.uint8]], str]] = {
    **{
        f"png-grey-key-{bits}*": (
            0,
            lambda bits=bits: _without_key(grey_levels(bits), (1 << bits) - 1),  # type: ignore[misc]
            "Pillow compares a level of few bits with the key as stored, and of 16 bits none",
        )
        for bits in (2, 4, 16)
    },
    "png-rgb-key-16*": (
        0,
        lambda: _without_key(wide(SCENE.astype(np.uint16)), 65535),
        "Pillow compares the high byte with the key as stored",
    ),
    "bmp-alpha-of-zeros": (0, lambda: SCENE, "Pillow takes an alpha of zeros for transparent"),
    "bmp-alpha-bit-fields": (1, lambda: _on_white(CLEAR), PILLOW_CANNOT["bmp-alpha-bit-fields"]),
    "bmp-bit-fields-swapped*": (0, lambda: SCENE, PILLOW_CANNOT["bmp-bit-fields-swapped*"]),
    "bmp-bit-fields-10-bits": (0, lambda: SCENE, PILLOW_CANNOT["bmp-bit-fields-10-bits"]),
    "bmp-bit-fields-444": (
        0,
        lambda: np.rint(SCENE / 17) * 17,
        PILLOW_CANNOT["bmp-bit-fields-444"],
    ),
    "tiff-rgb-extra-0-8-planar": (0, lambda: SCENE, PILLOW_CANNOT["tiff-rgb-extra-0-8-planar"]),
}
"""By how many levels pixels may differ from what the file was made of, which Pillow does not give,
and why."""


def _found(table: dict[str, object], name: str) -> str | None:
    return next((pattern for pattern in table if fnmatch(name, pattern)), None)


def _pillow(data: bytes) -> NDArray[np.uint8] | None:
    """What Pillow makes of the bytes: upright, on white, RGB; None where it cannot."""
    try:
        with Image.open(io.BytesIO(data)) as opened:
            image = ImageOps.exif_transpose(opened)
    except (OSError, ValueError):
        return None
    if image.mode.startswith("I"):
        levels = (np.asarray(image).astype(np.uint32) + 128) // 257
        return np.repeat(levels.astype(np.uint8)[..., None], 3, axis=2)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.asarray(image.convert("RGB"))


def _edgeinfer(data: bytes) -> NDArray[np.uint8] | None:
    try:
        return decode_image(data, subject="picture")
    except ImageError:
        return None


def _levels(first: NDArray[np.uint8], other: NDArray[np.uint8] | NDArray[np.float64]) -> float:
    return float(np.abs(first.astype(float) - other).max())


def test_every_file_is_read_as_pillow_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # Pillow's list of formats is for the whole process.
    for table in ("ID", "OPEN", "EXTENSION", "MIME", "SAVE", "SAVE_ALL"):
        copied = getattr(Image, table).copy()
        monkeypatch.setattr(Image, table, copied)
    pillow_heif.register_heif_opener()
    wrong: list[str] = []
    used: set[str] = set()
    equal = 0
    for name, data in every_file().items():
        mine, other = _edgeinfer(data), _pillow(data)
        pattern = _found(dict(BOTH_REFUSE), name)
        if pattern or mine is None:
            used |= {pattern or ""}
            if not (pattern and mine is None and other is None):
                wrong.append(f"{name}: read by {'one' if mine is None else 'edgeinfer'}")
            continue
        if (other is None) != (_found(dict(PILLOW_CANNOT), name) is not None):
            wrong.append(f"{name}: Pillow reads it, or does not")
            continue
        if other is not None and mine.shape != other.shape:
            wrong.append(f"{name}: {mine.shape}, with Pillow {other.shape}")
            continue
        if pattern := _found(dict(RIGHT), name):
            most, right, _ = RIGHT[pattern]
            used |= {pattern}
            differs = _levels(mine, right())
        else:
            assert other is not None
            pattern = _found(dict(EXPLAINED), name)
            most = EXPLAINED[pattern][0] if pattern else int(name.startswith("jpeg"))
            differs = _levels(mine, other)
            if differs and pattern:
                used |= {pattern}
            equal += not differs
        if differs > most:
            wrong.append(f"{name}: differs by {differs} levels, at most {most} explained")
    assert wrong == []
    # What no longer differs needs no explanation.
    assert used - {""} == EXPLAINED.keys() | RIGHT.keys() | BOTH_REFUSE.keys()
    assert len(every_file()) > 200
    assert equal > 200

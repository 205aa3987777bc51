"""All the made files, one after the other."""

from __future__ import annotations

from functools import cache

from tests.device.pictures.made.bmp_files import bmps
from tests.device.pictures.made.other_files import avifs, gifs, heics, jpegs, webps
from tests.device.pictures.made.png_files import pngs
from tests.device.pictures.made.tiff_files import tiffs


@cache
def every_file() -> dict[str, bytes]:
    """Return some 250 files by name; the name begins with the format."""
    files: dict[str, bytes] = {}
    for kind in (pngs, bmps, tiffs, jpegs, webps, gifs, heics, avifs):
        for name, data in kind():
            assert name not in files
            files[name] = data
    return files

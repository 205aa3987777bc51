"""JPEGs without the marker of their end, which some cameras leave out.

Nothing in such a picture says whether more is missing. So it is decoded twice, with other bytes in
place of the end: a decoder that has the whole picture ignores them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_END = b"\xff\xd9"
_OTHER = bytes((0xB5, 0x6E, 0xD3, 0x9A)) * 64
"""No markers, and as coefficients of a picture never all zero."""


def with_end(data: bytes, most_pixels: int) -> tuple[bytes | None, int]:
    """Return a JPEG with its end, and how many pixels were decoded for that.

    Args:
        data: a JPEG up to where its end should be.
        most_pixels: how many may be decoded.

    Returns:
        None for one of which more is missing, or which is too large.
    """
    from edgeinfer.device.core.errors import ImageError
    from edgeinfer.device.core.silenced import silenced
    from edgeinfer.device.pictures.headers import HeaderError, read_jpeg_header
    from edgeinfer.device.pictures.jpeg import decode_bgr

    data = data.removesuffix(b"\xff")
    try:
        width, height = read_jpeg_header(data).size
    except HeaderError:
        return None, 0
    pixels = 2 * width * height
    if pixels > most_pixels:
        return None, 0
    decoded: list[NDArray[np.uint8]] = []

    def decode() -> None:
        # libjpeg complains about each on stderr.
        for filling in (b"", _OTHER):
            content = np.frombuffer(data + filling + _END, np.uint8)
            decoded.append(decode_bgr(content))

    try:
        silenced(decode)
    except ImageError:
        return None, pixels
    plain, filled = decoded
    return (data + _END if np.array_equal(plain, filled) else None), pixels

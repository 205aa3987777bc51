"""A bundle's golden frames, decoded."""

from __future__ import annotations

from edgeinfer.device.core.errors import BundleError
from edgeinfer.device.models.bundle.reader import ModelBundle
from edgeinfer.device.pictures.decode import decode_image
from edgeinfer.device.pictures.headers import HeaderError, read_header
from edgeinfer.device.pictures.pixel_formats import Pixels

MOST_PIXELS = 2**28
"""Of all golden frames together, three bytes each: they are held at the same time."""


def read_golden(bundle: ModelBundle) -> list[tuple[Pixels, str | None]]:
    """Return each golden frame, (H, W, 3) uint8 RGB, and its label.

    Raises:
        BundleError: together they announce more than `MOST_PIXELS`.
        ImageError: one is not a picture, or a damaged one.
    """
    pixels, frames = 0, []
    for frame in bundle.manifest.golden:
        content = bundle.member(frame.file)
        pixels += _announced(content)
        if pixels > MOST_PIXELS:
            raise BundleError(
                bundle.path,
                got=f"its golden frames up to '{frame.file}' have {pixels:,} pixels",
                expected=f"at most {MOST_PIXELS:,}",
                next_step="make it again with fewer of them: --golden-frames",
            )
        frames.append((decode_image(content, subject=f"{bundle.path}: {frame.file}"), frame.label))
    return frames


def _announced(content: bytes) -> int:
    """Return how many pixels a picture says it has; 0 where it is not one, which decoding
    reports."""
    try:
        width, height = read_header(content).size
    except HeaderError:
        return 0
    return width * height

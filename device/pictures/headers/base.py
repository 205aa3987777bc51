"""What the readers of all formats have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edgeinfer.device.pictures.pixel_formats import TURNED

MAX_PIXELS = 2**27
"""Most pixels an image may have, 134 million: a bomb of a few bytes can announce far more."""
SMALL_FILE_MEMORY = 192 << 20
"""Bytes of memory that decoding any file may take: 33 million pixels of three channels."""
MEMORY_PER_BYTE = 128
"""Bytes of memory for each byte of a larger file; a photograph takes some 10 to 60."""
LARGE_FILE_MEMORY = 768 << 20
"""Bytes of memory that decoding takes at most: 134 million pixels of three channels."""


Decoder = Literal["opencv", "pillow", "heif", "bitmap"]
"""What decodes a file, see `ImageHeader.decoder`."""


class HeaderError(ValueError):
    """The file is damaged; the text says how, to follow the file's name."""


class MissingDecoderError(HeaderError):
    """The file needs a package that is not installed; the text says which."""


@dataclass(frozen=True, kw_only=True)
class BitFields:
    """Where the colours of a BMP without palette are.

    Attributes:
        offset: of its first row in the file, in bytes.
        row_bytes: from a row to the next.
        depth: bits a pixel: 16, 24 or 32.
        masks: which bits of a pixel are red, green, blue and alpha; an alpha of 0 means none.
        top_down: whether the first row is the top one.
    """

    offset: int
    row_bytes: int
    depth: int
    masks: tuple[int, int, int, int]
    top_down: bool


@dataclass(frozen=True, kw_only=True)
class ImageHeader:
    """What is known of an image before decoding.

    Attributes:
        format: "JPEG", "PNG", "WebP", "BMP", "GIF", "TIFF", "HEIC" or "AVIF".
        size: (width, height) in pixels as stored, before the rotation; what the decoder will give.
        payload: the bytes to decode: without what decoders treat differently.
        pixel_bytes: how many the decoder gives for each pixel, at most.
        extra_bytes: more memory that the decoder takes for a time, at most.
        orientation: Exif's number, 1 to 8; 1 is upright.
        premultiplied: the decoder will hand over colours already multiplied by alpha.
        opaque: the decoder's fourth channel is not an alpha.
        colour_key: the colour that is transparent, as the decoder gives it: () for none, a grey, or
            red, green and blue.
        part: (left, top, width, height) of what the decoder gives, where the picture is larger and
            transparent around it.
        decoder: "opencv"; "pillow" and "heif", which an extra brings; or "bitmap", our own.
        bit_fields: what "bitmap" needs to know.
    """

    format: str
    size: tuple[int, int]
    payload: bytes
    pixel_bytes: int
    extra_bytes: int = 0
    orientation: int = 1
    premultiplied: bool = False
    opaque: bool = False
    colour_key: tuple[int, ...] = ()
    part: tuple[int, int, int, int] | None = None
    decoder: Decoder = "opencv"
    bit_fields: BitFields | None = None

    @property
    def upright_size(self) -> tuple[int, int]:
        """(width, height) of the picture once it is turned as `orientation` says."""
        return self.size[::-1] if self.orientation in TURNED else self.size

    @property
    def decoded_size(self) -> tuple[int, int]:
        """(width, height) of what the decoder gives without reduction."""
        return self.size if self.part is None else self.part[2:]

    def memory(self, reduction: int = 1) -> int:
        """Return the bytes that decoding and turning the picture takes, at most.

        Args:
            reduction: at which part of its size a JPEG is decoded.
        """
        width, height = (-(-side // reduction) for side in self.size)
        # OpenCV hands over a copy. RGB replaces that, if it has three bytes a pixel.
        grey = 0 if self.pixel_bytes >= 3 else 3
        turned = 0 if self.orientation == 1 else 3
        pixels = width * height
        later = max(self.pixel_bytes, grey + turned) * pixels
        return self.pixel_bytes * pixels + max(self.extra_bytes, later)


def memory_limit(file_bytes: int) -> int:
    """Return the bytes that decoding a file of that size may take.

    A file of a few bytes that announces a picture of gigabytes is made to take them.
    """
    return min(LARGE_FILE_MEMORY, max(SMALL_FILE_MEMORY, MEMORY_PER_BYTE * file_bytes))

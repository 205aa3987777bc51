"""Samples on disk: pictures, each with its target.

A sample is named by a path: a photograph, or one image of an IDX file (the MNIST family's format)
as `FILE#INDEX`. So a list of samples is small even if the data set is large.

IDX, as published with MNIST: two zero bytes, a byte for the type (8: unsigned bytes), a byte for
the number of axes, each axis as a big-endian 32-bit number, then the values, the last axis fastest.
"""

from __future__ import annotations

import gzip
import math
import os
import re
import struct
import threading
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.errors import DataError, ImageError
from edgeinfer.device.pictures.decode import read_image, read_image_size
from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.device.pictures.region import of_picture
from edgeinfer.device.preprocess import PreprocessSpec, place
from edgeinfer.device.preprocess.jpeg_reduction import reduction_rule

MAX_IDX_BYTES = 2**30
"""Largest number of values in an IDX file; the largest of the MNIST family has 550 million."""

ReadStream: TypeAlias = BinaryIO | gzip.GzipFile

_IDX_SOURCE = re.compile(r"(.+)#(\d{1,9})", re.DOTALL)
_UNSIGNED_BYTES = 8
_IDX_LOCK = threading.Lock()


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One picture and its target.

    Attributes:
        source: the path of a photograph, or `FILE#INDEX` into an IDX file.
        target: the task's target: for a class its index.
    """

    source: str
    target: Any = None


def file_of(source: str) -> str:
    """Return the file that a source is in: a photograph itself, or the IDX file."""
    match = _IDX_SOURCE.fullmatch(source)
    return source if match is None else match[1]


def read_sample(source: str, spec: PreprocessSpec | None = None) -> Pixels:
    """Read the image that `source` names: (H, W, 3) uint8 RGB; grey is repeated three times.

    Args:
        source: see `Sample`.
        spec: decode a JPEG at the reduced size of this model's preprocessing; None for the full
            size.

    Raises:
        ImageError: the photograph cannot be read or is not a complete image, or is too small for
            the region or the tiles of `spec`.
        DataError: the IDX file cannot be read, or has no such image.
    """
    pixels = _read(source, spec)
    for part in () if spec is None else spec.parts:
        try:
            place(part, (pixels.shape[1], pixels.shape[0]))
        except ImageError as error:
            raise of_picture(error, source) from error
    return pixels


def _read(source: str, spec: PreprocessSpec | None) -> Pixels:
    match = _IDX_SOURCE.fullmatch(source)
    if match is None:
        return read_image(Path(source), reduction_rule(spec))
    images, index = read_idx(Path(match[1])), int(match[2])
    if images.ndim != 3:
        raise DataError(match[1], got=f"holds values of shape {images.shape}", expected="images")
    if index >= len(images):
        raise DataError(source, got=f"is not there: the file holds {len(images)} images")
    return np.repeat(images[index][:, :, None], 3, axis=2)


def sample_size(source: str) -> tuple[int, int]:
    """Return (width, height) of the image that `source` names, without decoding a photograph.

    Raises:
        ImageError: the photograph cannot be read.
        DataError: the IDX file cannot be read, or holds no images.
    """
    if _IDX_SOURCE.fullmatch(source) is None:
        return read_image_size(source)
    height, width = read_sample(source).shape[:2]
    return width, height


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read a whole IDX file of unsigned bytes, gzip-compressed where its name ends in `.gz`.

    The last few files stay in memory, so that reading sample after sample is fast; a file that
    changes is read again. The array is read-only.

    Raises:
        DataError: it cannot be read, is not such a file, is incomplete or far too large.
    """
    try:
        status = os.stat(path)
        # One thread reads; the others wait for its result.
        with _IDX_LOCK:
            return _read_idx(path, status.st_mtime_ns, status.st_size)
    except FileNotFoundError as error:
        raise DataError(path, got="does not exist", next_step="check the path") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            path, got="is incomplete or not a gzip file", next_step="download it again"
        ) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(path, got=f"cannot be read ({reason})") from error


@lru_cache(maxsize=4)
def _read_idx(path: Path, _modified_ns: int, _size: int) -> NDArray[np.uint8]:
    """Read the file; time and size distinguish a changed file from the cached one."""
    with open(path, "rb") as packed:
        stream: ReadStream = gzip.GzipFile(fileobj=packed) if path.suffix == ".gz" else packed
        shape = _read_shape(stream, path)
        count = math.prod(shape)
        content = stream.read(count + 1)
    if len(content) != count:
        raise DataError(
            path,
            got="holds more than its header says" if len(content) > count else "is incomplete",
            expected=f"{count:,} values",
            next_step="download it again",
        )
    return np.frombuffer(content, np.uint8).reshape(shape)


def _read_shape(stream: ReadStream, path: Path) -> tuple[int, ...]:
    """Read an IDX header and refuse what cannot be usable data."""
    head = stream.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or not 1 <= head[3] <= 4:
        raise DataError(path, got="is not an IDX file")
    if head[2] != _UNSIGNED_BYTES:
        raise DataError(path, got=f"holds values of type {head[2]:#04x}", expected="bytes (0x08)")
    axes = stream.read(4 * head[3])
    if len(axes) < 4 * head[3]:
        raise DataError(
            path, got="is incomplete", expected="a complete header", next_step="download it again"
        )
    shape = struct.unpack(f">{head[3]}I", axes)
    if not 0 < math.prod(shape) <= MAX_IDX_BYTES:
        raise DataError(
            path,
            got=f"its header gives the shape {shape}",
            expected=f"1 to {MAX_IDX_BYTES:,} values",
        )
    return shape

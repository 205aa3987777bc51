"""The native kernels: a plain shared library behind a C interface, loaded with ctypes.

One library serves every Python version on an architecture. Where it was not built, or where
`EDGEINFER_NATIVE=0` asks so, the numpy twins take over; the bits are the same.
"""

from __future__ import annotations

import ctypes
import os
from functools import lru_cache
from pathlib import Path

import numpy as np

import edgeinfer.device as device_package
from edgeinfer.device.preprocess.taps import Taps
from edgeinfer.device.types import Pixels

LIBRARY_NAME = "libedgeinfer_kernels.so"
INTERFACE_VERSION = 1


class Kernels:
    """The functions of the shared library; calls release Python's global lock.

    Args:
        path: the shared library.

    Raises:
        OSError: the library cannot be loaded, or has another interface version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        library = ctypes.CDLL(str(path))
        version = int(library.edgeinfer_interface_version())
        if version != INTERFACE_VERSION:
            raise OSError(f"{path} has interface {version}, expected {INTERFACE_VERSION}")
        self._resample = library.edgeinfer_resample_u8
        self._resample.restype = ctypes.c_int
        pointer, size, number = ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int32
        self._resample.argtypes = [
            *(pointer, size, number, number, number),  # source, its row stride, size and depth
            *(pointer, pointer, pointer, number),  # rows: start, offset, weights, count
            *(pointer, pointer, pointer, number),  # columns: likewise
            *(pointer, pointer),  # one row of scratch, the output
        ]

    def resample(self, pixels: Pixels, rows: Taps, columns: Taps) -> Pixels:
        """Resample as `resample_numpy` does, bit for bit.

        Args:
            pixels: (H, W, 3) uint8.
            rows: weights of the vertical axis, for H source pixels.
            columns: weights of the horizontal axis, for W source pixels.

        Returns:
            (rows.output_size, columns.output_size, 3) uint8.
        """
        height, width, depth = pixels.shape
        if pixels.strides[1:] != (depth, 1) or pixels.strides[0] < width * depth:
            pixels = np.ascontiguousarray(pixels)
        if (height, width) != (rows.source_size, columns.source_size):
            raise ValueError("the weights belong to an image of another size")
        scratch = np.empty(width * depth, np.int16)
        output = np.empty((rows.output_size, columns.output_size, depth), np.uint8)
        status = self._resample(
            *(pixels.ctypes.data, pixels.strides[0], width, height, depth),
            *(rows.start.ctypes.data, rows.offset.ctypes.data, rows.weights.ctypes.data),
            rows.output_size,
            *(columns.start.ctypes.data, columns.offset.ctypes.data, columns.weights.ctypes.data),
            columns.output_size,
            *(scratch.ctypes.data, output.ctypes.data),
        )
        if status != 0:
            raise ValueError(f"native resample refused its arguments (status {status})")
        return output


def library_path() -> Path | None:
    """Return where the installation put the shared library, or None where it was not built.

    An editable install keeps built files away from the sources, so the package's whole search
    path is looked through, never the folder of this file alone.
    """
    for folder in device_package.__path__:
        candidate = Path(folder) / LIBRARY_NAME
        if candidate.is_file():
            return candidate
    return None


@lru_cache(maxsize=1)
def load_kernels() -> Kernels | None:
    """Return the native kernels, or None where they are absent or turned off."""
    if os.environ.get("EDGEINFER_NATIVE", "1") == "0":
        return None
    path = library_path()
    return Kernels(path) if path is not None else None

"""The native preprocessor: a shared library behind a plain C interface, loaded with ctypes.

One library serves every Python version on an architecture. Where it was not built, or where
`EDGEINFER_NATIVE=0` asks so, numpy takes over; the bits are the same. The interface is documented
in native/include/edgeinfer/preprocess.h. Calls release Python's global lock.
"""

from __future__ import annotations

import ctypes
import os
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.pictures.pixel_formats import PixelFormat, picture_size
from edgeinfer.device.pictures.region import millionths
from edgeinfer.device.preprocess.spec import (
    CropPolicy,
    InputChannels,
    Layout,
    PreprocessSpec,
    ResizeKernel,
)

_HOME = "edgeinfer.device"
LIBRARY_NAME = "libedgeinfer_preprocess.so"
INTERFACE_VERSION = 4


_LAYOUT_NUMBERS: dict[Layout, int] = {"hwc": 0, "chw": 1, "hw": 0}
"""Without an axis of channels, memory is as with one of 1."""
_FORMAT_NUMBERS = {name: number for number, name in enumerate(get_args(PixelFormat))}


class _Spec(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_int32)
        for name in (
            *("width", "height", "channels", "crop", "resize", "pad_value", "layout"),
            *("region_x", "region_y", "region_width", "region_height"),
        )
    )


class _Frame(ctypes.Structure):
    _fields_ = (
        ("format", ctypes.c_int32),
        ("width", ctypes.c_int32),
        ("height", ctypes.c_int32),
        ("data", ctypes.c_void_p),
        ("stride", ctypes.c_ssize_t),
        ("chroma", ctypes.c_void_p),
        ("chroma_stride", ctypes.c_ssize_t),
    )


class Kernels:
    """The shared library.

    Args:
        path: the file.

    Raises:
        OSError: it cannot be loaded, or has another interface version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        library = ctypes.CDLL(str(path))
        version = int(library.edgeinfer_preprocess_version())
        if version != INTERFACE_VERSION:
            raise OSError(f"{path} has interface {version}, expected {INTERFACE_VERSION}")
        pointer = ctypes.c_void_p
        self.create = library.edgeinfer_preprocessor_create
        self.create.argtypes = [pointer, pointer, ctypes.c_int32, pointer]
        self.run = library.edgeinfer_preprocessor_run
        self.run.argtypes = [pointer, pointer, pointer]
        self.destroy = library.edgeinfer_preprocessor_destroy
        self.destroy.argtypes = [pointer]
        self.destroy.restype = None
        self._instruction_set = library.edgeinfer_instruction_set
        self._instruction_set.restype = ctypes.c_char_p
        self._use_instruction_set = library.edgeinfer_use_instruction_set
        self._use_instruction_set.argtypes = [ctypes.c_char_p]

    @property
    def instruction_set(self) -> str:
        """What new preprocessors use: `avx2`, `neon` or `portable`."""
        name: bytes = self._instruction_set()
        return name.decode()

    def use_instruction_set(self, name: str) -> None:
        """Choose what new preprocessors use, for tests and comparisons.

        Raises:
            ValueError: this processor or this build lacks it.
        """
        if self._use_instruction_set(name.encode()) != 0:
            raise ValueError(f"instruction set {name!r} is not available here")


class _Handle:
    """The library's own object and the frame that it is asked for."""

    def __init__(self, kernels: Kernels, request: _Spec, table: NDArray[np.generic]) -> None:
        self._destroy = kernels.destroy
        self.pointer = ctypes.c_void_p()
        self.frame = _Frame()
        self.frame_pointer = ctypes.byref(self.frame)
        status = kernels.create(
            ctypes.byref(request), table.ctypes.data, table.itemsize, ctypes.byref(self.pointer)
        )
        _check(status, "a preprocessor")

    def __del__(self) -> None:
        """Free the library's part."""
        if self.pointer:
            self._destroy(self.pointer)


class NativePreprocessor:
    """PreprocessSpec carried out by the library. Threads may share it.

    The library's own object serves one thread at a time, so there are as many as calls overlap.

    Args:
        kernels: the library.
        spec: what to do.
        table: (depth, 256) of 1, 2 or 4 bytes each: what each pixel value becomes.
        shape: the shape of the tensors, one that fits `spec`; None is `spec.tensor_shape`.
    """

    def __init__(
        self,
        kernels: Kernels,
        spec: PreprocessSpec,
        table: NDArray[np.generic],
        *,
        shape: tuple[int, ...] | None = None,
    ) -> None:
        table = np.ascontiguousarray(table)
        if table.shape != (spec.depth, 256):
            raise ValueError(f"table is {table.shape}, expected {(spec.depth, 256)}")
        self._kernels = kernels
        self._table = table
        self._shape, self._dtype = shape or spec.tensor_shape, table.dtype
        self._request = _Spec(
            *spec.size,
            get_args(InputChannels).index(spec.channels),
            get_args(CropPolicy).index(spec.crop),
            get_args(ResizeKernel).index(spec.resize),
            spec.pad_value,
            _LAYOUT_NUMBERS[spec.layout],
            *((0, 0, 0, 0) if spec.region is None else millionths(spec.region)),
        )
        # append and pop are atomic: no lock is needed.
        self._idle = [_Handle(kernels, self._request, table)]

    def run(
        self, pixels: NDArray[np.uint8], pixel_format: PixelFormat, tensor: NDArray[np.generic]
    ) -> None:
        """Prepare a frame.

        Args:
            pixels: as `pixel_format` says, see `pixel_formats`.
            pixel_format: how they are laid out.
            tensor: of the shape and the table's dtype, contiguous; filled.

        Raises:
            ValueError: pixels or tensor have another shape or dtype.
        """
        width, height = picture_size(pixels, pixel_format)
        if tensor.shape != self._shape or tensor.dtype != self._dtype:
            raise ValueError(
                f"tensor is {tensor.shape} {tensor.dtype}, expected {self._shape} {self._dtype}"
            )
        if not tensor.flags.c_contiguous:
            raise ValueError("the tensor's memory has gaps, expected a contiguous array")
        row_bytes = pixels[0].size
        # The stride of a single row may be anything.
        stride = pixels.strides[0] if len(pixels) > 1 else row_bytes
        if stride < row_bytes or not pixels[0].flags.c_contiguous:
            pixels, stride = np.ascontiguousarray(pixels), row_bytes
        try:
            handle = self._idle.pop()
        except IndexError:
            handle = _Handle(self._kernels, self._request, self._table)
        frame = handle.frame
        frame.format = _FORMAT_NUMBERS[pixel_format]
        frame.width, frame.height = width, height
        frame.data = pixels.ctypes.data
        frame.stride = frame.chroma_stride = stride
        if pixel_format == "nv12":
            frame.chroma = frame.data + height * stride
        status = self._kernels.run(handle.pointer, handle.frame_pointer, tensor.ctypes.data)
        self._idle.append(handle)
        _check(status, "a frame")


def _check(status: int, what: str) -> None:
    if status == 2:
        raise MemoryError
    if status != 0:
        raise ValueError(f"the native library refused {what} (status {status})")


def library_path() -> Path | None:
    """Return where the installation put the shared library, or None where it was not built.

    An editable install keeps built files away from the sources, so the package's whole search
    path is looked through, never the folder of this file alone.
    """
    package = find_spec(_HOME)
    for folder in (package.submodule_search_locations or ()) if package else ():
        candidate = Path(folder) / LIBRARY_NAME
        if candidate.is_file():
            return candidate
    return None


@lru_cache(maxsize=1)
def load_kernels() -> Kernels | None:
    """Return the native library, or None where it is absent or turned off."""
    if os.environ.get("EDGEINFER_NATIVE", "1") == "0":
        return None
    path = library_path()
    return Kernels(path) if path is not None else None

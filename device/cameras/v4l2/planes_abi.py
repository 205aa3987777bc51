"""The kernel's interface to devices whose pictures have several planes of memory.

Such are the cameras of many systems on a chip (Rockchip, i.MX, MediaTek). Formats and buffers have
their own types, and a buffer points to one structure for each plane.
"""

from __future__ import annotations

import ctypes
from ctypes import c_uint8, c_uint16, c_uint32, c_ulong

from edgeinfer.device.cameras.v4l2 import abi

CAP_VIDEO_CAPTURE_MPLANE = 0x00001000
CAP_OUTPUTS = 0x00000002 | 0x00002000 | 0x00004000 | 0x00008000
"""Devices that take pictures too: codecs and scalers."""
BUF_TYPE_VIDEO_CAPTURE_MPLANE = 9
MAX_PLANES = 8


class PlaneFormat(ctypes.Structure):
    """struct v4l2_plane_pix_format."""

    _pack_ = 1
    _fields_ = (("sizeimage", c_uint32), ("bytesperline", c_uint32), ("reserved", c_uint16 * 6))


class PlanesFormat(ctypes.Structure):
    """struct v4l2_pix_format_mplane."""

    _pack_ = 1
    _fields_ = (
        ("width", c_uint32),
        ("height", c_uint32),
        ("pixelformat", c_uint32),
        ("field", c_uint32),
        ("colorspace", c_uint32),
        ("plane_fmt", PlaneFormat * MAX_PLANES),
        ("num_planes", c_uint8),
        ("flags", c_uint8),
        ("ycbcr_enc", c_uint8),
        ("quantization", c_uint8),
        ("xfer_func", c_uint8),
        ("reserved", c_uint8 * 7),
    )


class _PlanePlace(ctypes.Union):
    _fields_ = (("mem_offset", c_uint32), ("userptr", c_ulong))


class Plane(ctypes.Structure):
    """struct v4l2_plane."""

    _fields_ = (
        ("bytesused", c_uint32),
        ("length", c_uint32),
        ("m", _PlanePlace),
        ("data_offset", c_uint32),
        ("reserved", c_uint32 * 11),
    )


def planes_format(answer: abi.Format) -> PlanesFormat:
    """Return the part of a format that describes planes; it shares the memory."""
    return PlanesFormat.from_buffer(answer, abi.Format.fmt.offset)


def buffer_planes(buffer: abi.Buffer) -> list[Plane]:
    """Give a buffer room for its planes and return it; keep one as long as the buffer is used."""
    planes = (Plane * MAX_PLANES)()
    buffer.m.userptr = ctypes.addressof(planes)
    buffer.length = MAX_PLANES
    return list(planes)

"""The kernel's interface to video devices: structures, numbers and the call itself.

ctypes lays the structures out as the machine's own C compiler does, so that they fit 32-bit and
64-bit systems. Source of names and numbers: the kernel's include/uapi/linux/videodev2.h.
"""

from __future__ import annotations

import ctypes
import fcntl
from ctypes import c_char, c_int32, c_int64, c_long, c_uint8, c_uint32, c_ulong

CAP_VIDEO_CAPTURE = 0x00000001
CAP_STREAMING = 0x04000000
CAP_DEVICE_CAPS = 0x80000000
BUF_TYPE_VIDEO_CAPTURE = 1
MEMORY_MMAP = 1
FIELD_NONE = 1
FRAME_DISCRETE = 1
BUF_FLAG_ERROR = 0x00000040
BUF_FLAG_TIMESTAMP_MASK = 0x0000E000
BUF_FLAG_TIMESTAMP_MONOTONIC = 0x00002000
CTRL_TYPE_INTEGER, CTRL_TYPE_BOOLEAN, CTRL_TYPE_MENU = 1, 2, 3
CTRL_TYPE_INTEGER_MENU = 9
CTRL_FLAG_DISABLED, CTRL_FLAG_READ_ONLY, CTRL_FLAG_INACTIVE = 0x0001, 0x0004, 0x0010
CTRL_FLAG_NEXT = 0x80000000
_BIG_ENDIAN = 1 << 31
"""The bit in a format's number."""


class Capability(ctypes.Structure):
    """struct v4l2_capability."""

    _fields_ = (
        ("driver", c_char * 16),
        ("card", c_char * 32),
        ("bus_info", c_char * 32),
        ("version", c_uint32),
        ("capabilities", c_uint32),
        ("device_caps", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class FormatDescription(ctypes.Structure):
    """struct v4l2_fmtdesc."""

    _fields_ = (
        ("index", c_uint32),
        ("type", c_uint32),
        ("flags", c_uint32),
        ("description", c_char * 32),
        ("pixelformat", c_uint32),
        ("mbus_code", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class Fraction(ctypes.Structure):
    """struct v4l2_fract."""

    _fields_ = (("numerator", c_uint32), ("denominator", c_uint32))


class FrameSize(ctypes.Structure):
    """struct v4l2_frmsizeenum; `sides` is (width, height), or from, to, step of each."""

    _fields_ = (
        ("index", c_uint32),
        ("pixel_format", c_uint32),
        ("type", c_uint32),
        ("sides", c_uint32 * 6),
        ("reserved", c_uint32 * 2),
    )


class FrameInterval(ctypes.Structure):
    """struct v4l2_frmivalenum; `times` holds one interval, or shortest, longest, step."""

    _fields_ = (
        ("index", c_uint32),
        ("pixel_format", c_uint32),
        ("width", c_uint32),
        ("height", c_uint32),
        ("type", c_uint32),
        ("times", Fraction * 3),
        ("reserved", c_uint32 * 2),
    )


class PixelFormat(ctypes.Structure):
    """struct v4l2_pix_format."""

    _fields_ = (
        ("width", c_uint32),
        ("height", c_uint32),
        ("pixelformat", c_uint32),
        ("field", c_uint32),
        ("bytesperline", c_uint32),
        ("sizeimage", c_uint32),
        ("colorspace", c_uint32),
        ("priv", c_uint32),
        ("flags", c_uint32),
        ("ycbcr_enc", c_uint32),
        ("quantization", c_uint32),
        ("xfer_func", c_uint32),
    )


class _FormatUnion(ctypes.Union):
    # Other members hold pointers; one here gives the union their alignment.
    _fields_ = (("pix", PixelFormat), ("raw", c_uint8 * 200), ("aligned", ctypes.c_void_p))


class Format(ctypes.Structure):
    """struct v4l2_format."""

    _fields_ = (("type", c_uint32), ("fmt", _FormatUnion))


class _CaptureParameters(ctypes.Structure):
    _fields_ = (
        ("capability", c_uint32),
        ("capturemode", c_uint32),
        ("timeperframe", Fraction),
        ("extendedmode", c_uint32),
        ("readbuffers", c_uint32),
        ("reserved", c_uint32 * 4),
    )


class _ParametersUnion(ctypes.Union):
    _fields_ = (("capture", _CaptureParameters), ("raw", c_uint8 * 200))


class StreamParameters(ctypes.Structure):
    """struct v4l2_streamparm."""

    _fields_ = (("type", c_uint32), ("parm", _ParametersUnion))


class RequestBuffers(ctypes.Structure):
    """struct v4l2_requestbuffers."""

    _fields_ = (
        ("count", c_uint32),
        ("type", c_uint32),
        ("memory", c_uint32),
        ("capabilities", c_uint32),
        ("flags", c_uint8),
        ("reserved", c_uint8 * 3),
    )


class _Timeval(ctypes.Structure):
    _fields_ = (("tv_sec", c_long), ("tv_usec", c_long))


class _BufferPlace(ctypes.Union):
    _fields_ = (("offset", c_uint32), ("userptr", c_ulong))


class Buffer(ctypes.Structure):
    """struct v4l2_buffer."""

    _fields_ = (
        ("index", c_uint32),
        ("type", c_uint32),
        ("bytesused", c_uint32),
        ("flags", c_uint32),
        ("field", c_uint32),
        ("timestamp", _Timeval),
        ("timecode", c_uint8 * 16),
        ("sequence", c_uint32),
        ("memory", c_uint32),
        ("m", _BufferPlace),
        ("length", c_uint32),
        ("reserved2", c_uint32),
        ("request_fd", c_int32),
    )


class QueryControl(ctypes.Structure):
    """struct v4l2_queryctrl."""

    _fields_ = (
        ("id", c_uint32),
        ("type", c_uint32),
        ("name", c_char * 32),
        ("minimum", c_int32),
        ("maximum", c_int32),
        ("step", c_int32),
        ("default_value", c_int32),
        ("flags", c_uint32),
        ("reserved", c_uint32 * 2),
    )


class _MenuUnion(ctypes.Union):
    _pack_ = 1
    _fields_ = (("name", c_char * 32), ("value", c_int64))


class QueryMenu(ctypes.Structure):
    """struct v4l2_querymenu."""

    _pack_ = 1
    _fields_ = (
        ("id", c_uint32),
        ("index", c_uint32),
        ("item", _MenuUnion),
        ("reserved", c_uint32),
    )


class ControlValue(ctypes.Structure):
    """struct v4l2_control."""

    _fields_ = (("id", c_uint32), ("value", c_int32))


_WRITE, _READ = 1, 2
_STRUCT = type[ctypes.Structure] | type[c_int32]


def _request(direction: int, number: int, argument: _STRUCT) -> int:
    """Return an ioctl's number, as the macros of asm-generic/ioctl.h compose it."""
    return direction << 30 | ctypes.sizeof(argument) << 16 | ord("V") << 8 | number


VIDIOC_QUERYCAP = _request(_READ, 0, Capability)
VIDIOC_ENUM_FMT = _request(_READ | _WRITE, 2, FormatDescription)
VIDIOC_G_FMT = _request(_READ | _WRITE, 4, Format)
VIDIOC_S_FMT = _request(_READ | _WRITE, 5, Format)
VIDIOC_REQBUFS = _request(_READ | _WRITE, 8, RequestBuffers)
VIDIOC_QUERYBUF = _request(_READ | _WRITE, 9, Buffer)
VIDIOC_QBUF = _request(_READ | _WRITE, 15, Buffer)
VIDIOC_DQBUF = _request(_READ | _WRITE, 17, Buffer)
VIDIOC_STREAMON = _request(_WRITE, 18, c_int32)
VIDIOC_STREAMOFF = _request(_WRITE, 19, c_int32)
VIDIOC_G_PARM = _request(_READ | _WRITE, 21, StreamParameters)
VIDIOC_S_PARM = _request(_READ | _WRITE, 22, StreamParameters)
VIDIOC_G_CTRL = _request(_READ | _WRITE, 27, ControlValue)
VIDIOC_S_CTRL = _request(_READ | _WRITE, 28, ControlValue)
VIDIOC_QUERYCTRL = _request(_READ | _WRITE, 36, QueryControl)
VIDIOC_QUERYMENU = _request(_READ | _WRITE, 37, QueryMenu)
VIDIOC_ENUM_FRAMESIZES = _request(_READ | _WRITE, 74, FrameSize)
VIDIOC_ENUM_FRAMEINTERVALS = _request(_READ | _WRITE, 75, FrameInterval)


def call(descriptor: int, request: int, argument: ctypes.Structure | c_int32) -> None:
    """Ask the driver; it answers in `argument`.

    Raises:
        OSError: it refused.
    """
    while True:
        try:
            fcntl.ioctl(descriptor, request, argument, True)  # type: ignore[arg-type, unused-ignore]
            return
        except InterruptedError:
            continue


def fourcc_name(code: int) -> str:
    """Return a format's four characters, without the blanks at their end; "-BE" for big-endian."""
    name = (code & ~_BIG_ENDIAN if code & _BIG_ENDIAN else code).to_bytes(4, "little")
    return name.decode("latin-1").rstrip(" ") + ("-BE" if code & _BIG_ENDIAN else "")


def fourcc_code(name: str) -> int:
    """Return the number of a format that `fourcc_name` names."""
    plain = name.removesuffix("-BE")
    code = int.from_bytes(plain.ljust(4).encode("latin-1"), "little")
    return code | _BIG_ENDIAN if plain != name else code


def text(field: bytes) -> str:
    """Return what a fixed field of characters holds."""
    return field.split(b"\0")[0].decode(errors="replace")

"""Which V4L2 devices there are, and why one cannot be used.

Devices are asked by ioctl before OpenCV opens them: OpenCV only says that it could not, not whether
the camera is absent, denied or in use. Numbers and structures: the kernel's
include/uapi/linux/videodev2.h.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.device.errors import CameraError

VIDIOC_QUERYCAP = 0x80685600
VIDIOC_REQBUFS = 0xC0145608
CAPABILITY = struct.Struct("=16s32s32sIII12x")
"""struct v4l2_capability: driver, card, bus, version, capabilities, device_caps."""
REQUEST_BUFFERS = struct.Struct("=IIIIB3x")
"""struct v4l2_requestbuffers: count, type, memory, capabilities, flags."""
CAP_VIDEO_CAPTURE = 0x00000001
CAP_DEVICE_CAPS = 0x80000000
BUF_TYPE_VIDEO_CAPTURE = 1
MEMORY_MMAP = 1

MAX_DEVICES = 64


@dataclass(frozen=True, kw_only=True)
class FoundCamera:
    """A device that captures video.

    Attributes:
        path: such as /dev/video0.
        name: what the driver calls it.
    """

    path: Path
    name: str

    def __str__(self) -> str:
        """Return path and name."""
        return f"{self.path} ({self.name})"


def find_cameras() -> list[FoundCamera]:
    """Return the cameras that this user may open, by number."""
    return _probe_all()[0]


def first_camera() -> FoundCamera:
    """Return the camera with the lowest number.

    Raises:
        CameraError: none is connected, or none may be opened.
    """
    cameras, denied = _probe_all()
    if cameras:
        return cameras[0]
    if denied:
        raise denied[0]
    raise CameraError(
        "camera",
        got="none found",
        expected="a device among /dev/video0 to /dev/video63",
        next_step="connect one, or try --camera simulated",
    )


def _probe_all() -> tuple[list[FoundCamera], list[CameraError]]:
    """Look at every device: the cameras, and why others cannot be opened."""
    cameras, denied = [], []
    for number in range(MAX_DEVICES):
        path = Path(f"/dev/video{number}")
        try:
            with _device(path) as descriptor:
                name = _camera_name(descriptor)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM):
                denied.append(_open_error(path, error))
            continue
        if name is not None:
            cameras.append(FoundCamera(path=path, name=name))
    return cameras, denied


@contextmanager
def _device(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _camera_name(descriptor: int) -> str | None:
    """Return the driver's name of a device, None if it is no device that captures video."""
    buffer = bytearray(CAPABILITY.size)
    try:
        fcntl.ioctl(descriptor, VIDIOC_QUERYCAP, buffer)
    except OSError as error:
        if error.errno in (errno.ENOTTY, errno.EINVAL):
            return None
        raise
    _, card, _, _, whole, own = CAPABILITY.unpack(buffer)
    # A webcam has further nodes, for metadata; only `own` tells them from the picture's node.
    if not (own if whole & CAP_DEVICE_CAPS else whole) & CAP_VIDEO_CAPTURE:
        return None
    return bytes(card).split(b"\0")[0].decode(errors="replace") or "unnamed camera"


def _check_free(descriptor: int) -> None:
    """Ask for a buffer and give it back: the one request that a camera in use always refuses."""
    for count in (1, 0):
        request = REQUEST_BUFFERS.pack(count, BUF_TYPE_VIDEO_CAPTURE, MEMORY_MMAP, 0, 0)
        fcntl.ioctl(descriptor, VIDIOC_REQBUFS, bytearray(request))


def examine(path: Path) -> str:
    """Return the name of the camera at `path`, which is there, allowed and free.

    Raises:
        CameraError: it is not.
    """
    try:
        with _device(path) as descriptor:
            name = _camera_name(descriptor)
            if name is None:
                raise CameraError(
                    path,
                    got="does not capture video",
                    expected="a camera",
                    next_step=connected(),
                )
            _check_free(descriptor)
    except OSError as error:
        raise _open_error(path, error) from error
    return name


def _open_error(path: Path, error: OSError) -> CameraError:
    """Say why a device cannot be opened, and what to do."""
    if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTDIR):
        return CameraError(path, got="no such camera", next_step=connected())
    if error.errno in (errno.EACCES, errno.EPERM):
        return CameraError(
            path,
            got="permission denied",
            expected="a user in the group 'video'",
            next_step="run `sudo usermod -aG video $USER`, then log in again",
        )
    if error.errno == errno.EBUSY:
        return CameraError(
            path,
            got="is in use by another program",
            next_step=f"close that program; `fuser -v {path}` names it",
        )
    reason = (error.strerror or str(error)).lower()
    return CameraError(path, got=f"cannot be opened ({reason})", next_step="reconnect the camera")


def connected() -> str:
    """Name the cameras that could be used instead."""
    found = find_cameras()
    if not found:
        return "no camera is connected; --camera simulated needs none"
    return "connected: " + ", ".join(map(str, found))

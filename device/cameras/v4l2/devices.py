"""Which V4L2 devices there are, and why one cannot be used.

A camera that was unplugged may come back under another number; what it says of itself and the links
that udev makes below /dev/v4l identify it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.device.cameras.v4l2 import abi, planes_abi
from edgeinfer.device.core.errors import CameraError

MAX_DEVICES = 64
BUSY = "busy"
NO_CAPTURE = "no-capture"
"""The more exact codes of a `CameraError`."""
LINKS = Path("/dev/v4l/by-id")
"""Where udev names cameras by maker, model and serial number."""


@dataclass(frozen=True, kw_only=True)
class FoundCamera:
    """A device that captures video.

    Attributes:
        path: such as /dev/video0.
        name: what the driver calls it.
        bus: where it is connected, such as "usb-0000:01:00.0-1.2"; may be empty.
        link: udev's name for it, which stays when the number changes; None where there is none.
        buffer_type: which of the kernel's two interfaces it has: one memory for a picture, or one
            for each plane.
    """

    path: Path
    name: str
    bus: str = ""
    link: Path | None = None
    buffer_type: int = abi.BUF_TYPE_VIDEO_CAPTURE

    def __str__(self) -> str:
        """Return path and name."""
        return f"{self.path} ({self.name})"


def find_cameras() -> list[FoundCamera]:
    """Return the cameras that this user may open, by number."""
    return probe_cameras()[0]


def first_camera() -> FoundCamera:
    """Return the camera with the lowest number.

    Raises:
        CameraError: none is connected, or none may be opened.
    """
    cameras, denied = probe_cameras()
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


def probe_cameras() -> tuple[list[FoundCamera], list[CameraError]]:
    """Look at every device: the cameras, and why others cannot be opened."""
    cameras, denied = [], []
    for number in range(MAX_DEVICES):
        path = Path(f"/dev/video{number}")
        try:
            with open_device(path) as descriptor:
                camera = _identify(path, descriptor)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM):
                denied.append(open_error(path, error))
            continue
        if camera is not None:
            cameras.append(camera)
    return cameras, denied


@contextmanager
def open_device(path: Path) -> Iterator[int]:
    """Open a device for a moment and give its descriptor.

    Raises:
        OSError: it cannot be opened; `open_error` says what that means.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _identify(path: Path, descriptor: int) -> FoundCamera | None:
    """Return what a device says of itself, None if it captures no video."""
    answer = abi.Capability()
    try:
        abi.call(descriptor, abi.VIDIOC_QUERYCAP, answer)
    except OSError as error:
        if error.errno in (errno.ENOTTY, errno.EINVAL):
            return None
        raise
    # A webcam has further nodes, for metadata; only `device_caps` tells them from the picture's.
    own = answer.device_caps if answer.capabilities & abi.CAP_DEVICE_CAPS else answer.capabilities
    if own & abi.CAP_VIDEO_CAPTURE:
        buffer_type = abi.BUF_TYPE_VIDEO_CAPTURE
    elif own & planes_abi.CAP_VIDEO_CAPTURE_MPLANE and not (
        # Codecs and scalers capture what another of their nodes was given.
        (own | answer.capabilities) & planes_abi.CAP_OUTPUTS
    ):
        buffer_type = planes_abi.BUF_TYPE_VIDEO_CAPTURE_MPLANE
    else:
        return None
    return FoundCamera(
        path=path,
        name=abi.text(answer.card) or "unnamed camera",
        bus=abi.text(answer.bus_info),
        link=_link_to(path),
        buffer_type=buffer_type,
    )


def _link_to(path: Path) -> Path | None:
    """Return udev's link to a device; the device may be given by that link itself."""
    try:
        links = sorted(LINKS.iterdir())
    except OSError:
        return None
    return next((link for link in links if link.resolve() == path.resolve()), None)


def _check_free(descriptor: int, buffer_type: int) -> None:
    """Ask for a buffer and give it back: the one request that a camera in use always refuses."""
    for count in (1, 0):
        request = abi.RequestBuffers(count=count, type=buffer_type, memory=abi.MEMORY_MMAP)
        abi.call(descriptor, abi.VIDIOC_REQBUFS, request)


def find_again(camera: FoundCamera) -> Path:
    """Return where a camera that was there before is now; it may have got another number.

    By udev's link; else by name and connection; else by name alone, where just one camera has it:
    it may be plugged into another socket. Another model never replaces it.

    Raises:
        CameraError: it is not there.
    """
    if camera.link is not None and camera.link.exists():
        return camera.link
    found, denied = probe_cameras()
    same_name = [other for other in found if other.name == camera.name]
    same = [other for other in same_name if other.bus == camera.bus]
    for candidates in ([other for other in same if other.path == camera.path], same):
        if candidates:
            return candidates[0].path
    if len(same_name) == 1:
        return same_name[0].path
    if denied and not same_name:
        raise denied[0]
    raise CameraError(camera, got="is not connected", next_step=connected(found))


def examine(path: Path) -> FoundCamera:
    """Return the camera at `path`, which is there, allowed and free.

    Raises:
        CameraError: it is not.
    """
    try:
        with open_device(path) as descriptor:
            camera = _identify(path, descriptor)
            if camera is None:
                raise CameraError(
                    path,
                    detail=NO_CAPTURE,
                    got="does not capture video",
                    expected="a camera",
                    next_step=connected(),
                )
            _check_free(descriptor, camera.buffer_type)
    except OSError as error:
        raise open_error(path, error) from error
    return camera


def open_error(path: Path, error: OSError) -> CameraError:
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
            detail=BUSY,
            got="is in use by another program",
            next_step=f"close that program; `fuser -v {path}` names it",
        )
    reason = (error.strerror or str(error)).lower()
    return CameraError(path, got=f"cannot be opened ({reason})", next_step="reconnect the camera")


def connected(found: list[FoundCamera] | None = None) -> str:
    """Name the cameras that could be used instead."""
    found = find_cameras() if found is None else found
    if not found:
        return "no camera is connected; --camera simulated needs none"
    return "connected: " + ", ".join(map(str, found))

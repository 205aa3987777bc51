"""Cameras that Linux shows as /dev/videoN (V4L2): USB webcams and capture cards.

Pictures are handed on as the camera sends them (YUYV, NV12, MJPG, grey), in the smallest mode that
covers the model's input. A picture is handed on once and only if it is whole: the driver's error
flag, the number of bytes, the buffer's number and time, and of a JPEG its size and end are checked.
"""

from __future__ import annotations

import errno
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.cameras.base import MAX_DAMAGED, Camera, too_many_damaged
from edgeinfer.device.cameras.frame_pool import FramePool
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.cameras.v4l2.controls import set_controls
from edgeinfer.device.cameras.v4l2.devices import FoundCamera, examine, open_device, open_error
from edgeinfer.device.cameras.v4l2.modes import (
    READABLE,
    USUAL_SIZE,
    Mode,
    ModeWish,
    list_formats,
    list_modes,
    rank_modes,
)
from edgeinfer.device.cameras.v4l2.pixels import FORMATS, full_row, unpack
from edgeinfer.device.cameras.v4l2.stream import RawPicture, V4l2Stream
from edgeinfer.device.core.errors import CameraError, UsageError, printable
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.pictures.headers import HeaderError, read_header

MAX_TRIED = 4
"""Modes that are tried before a camera is given up: drivers offer some that do not work."""
STALE_NS = 10**9
"""A picture that waited longer than this in the driver says nothing about now."""


class V4l2Camera(Camera):
    """A camera that Linux shows as /dev/videoN.

    Args:
        path: the device, or a link to it.
        options: mode, controls and how long it may be silent.

    Attributes:
        found: what the camera says of itself.
        mode: the format, size and rate that it sends.

    Raises:
        CameraError: it is absent, denied, busy, not a camera, or gives no usable picture.
        UsageError: it has no such mode or control.
    """

    live = True

    def __init__(self, path: Path, options: CameraOptions | None = None) -> None:
        self._path = path
        self._options = options if options is not None else CameraOptions()
        self._sequence = 0
        self._pool = FramePool()
        self._last: RawPicture | None = None
        self.found = examine(path)
        try:
            self._stream = self._start()
        except OSError as error:
            raise open_error(path, error) from error
        self.mode = self._stream.mode
        rate = self.mode.rate()
        self.description = f"{path} ({self.found.name}), {replace(self.mode, rates=())}" + (
            f", {rate:.4g} frames/s" if rate else ""
        )

    def read(self) -> Frame | None:
        """Wait for the next whole picture; None only after `interrupt`.

        Raises:
            CameraError: the camera was unplugged, is silent, or sends pictures of another shape.
        """
        return self._next(self._stream)

    def skip(self) -> bool:
        """Skip a picture."""
        if self._wait(self._stream) is None:
            return False
        self._sequence += 1
        return True

    def interrupt(self) -> None:
        """Have a waiting `read` return None; the camera can only be closed then."""
        self._stream.interrupt()

    def close(self) -> None:
        """Release the device."""
        self._stream.close()

    def _start(self) -> V4l2Stream:
        """Start the best mode that gives a picture of the kind that it announces."""
        failure: CameraError | None = None
        for mode in self._modes()[:MAX_TRIED]:
            stream = V4l2Stream(self._path, mode, mode.rate(self._options.fps))
            try:
                self._check_mode(stream, mode)
                set_controls(stream.descriptor, self._options.controls, subject=self._path)
                self._next(stream)
                return stream
            except CameraError as error:
                stream.close()
                failure = failure or error
            except BaseException:
                stream.close()
                raise
        assert failure is not None
        try:
            raise failure
        finally:
            failure = None  # its traceback leads here: together they would stay, see `take_error`

    def _modes(self) -> list[Mode]:
        options = self._options
        with open_device(self._path) as descriptor:
            modes, formats = list_modes(descriptor), list_formats(descriptor)
        if not set(formats) & set(READABLE):
            raise CameraError(
                self._path,
                got=f"sends {', '.join(map(printable, formats)) or 'no format at all'}",
                expected=f"one of {', '.join(READABLE)}",
                next_step="use another camera, or a program that converts its pictures",
            )
        covers = options.covers or USUAL_SIZE
        if not modes:
            # Some drivers list no sizes; they take the nearest that they have.
            modes = [Mode(fourcc=name, size=options.size or covers) for name in formats]
        wish = ModeWish(
            covers=covers, size=options.size, fps=options.fps, fourcc=options.pixel_format
        )
        ranked = rank_modes(modes, wish)
        if not ranked:
            offered = sorted(
                {(mode.size, mode.fourcc) for mode in modes if mode.fourcc in READABLE}
            )
            raise UsageError(
                self._path,
                got="has no mode "
                + " ".join(
                    [f"{size[0]}x{size[1]}" for size in [options.size] if size]
                    + [name for name in [options.pixel_format] if name]
                ),
                expected=", ".join(f"{size[0]}x{size[1]} {name}" for size, name in offered),
            )
        return ranked

    def _check_mode(self, stream: V4l2Stream, asked: Mode) -> None:
        """Refuse what the driver made of the mode that it had offered."""
        got = stream.mode
        readable = got.fourcc in FORMATS and 0 not in got.size
        if not readable or (self._options.pixel_format and got.fourcc != asked.fourcc):
            raise CameraError(
                self._path,
                got=f"sends {printable(str(replace(got, rates=())))}",
                expected=f"{replace(asked, rates=())}, which it offers",
                next_step="choose another mode with --camera-size and --camera-format",
            )

    def _next(self, stream: V4l2Stream) -> Frame | None:
        """Return the next picture that is whole, of the announced size and not known yet."""
        damaged = stale = 0
        while damaged < MAX_DAMAGED:
            raw = self._wait(stream)
            if raw is None:
                return None
            now_ns = time.monotonic_ns()
            captured_ns = now_ns if raw.stamp_ns is None else raw.stamp_ns
            # At most as many pictures can be late as there are buffers; with more, the clock is
            # wrong.
            if now_ns - captured_ns > STALE_NS and stale < stream.buffers:
                stale += 1
                continue
            if not 0 <= now_ns - captured_ns <= STALE_NS:
                captured_ns = now_ns
            sequence, self._sequence = self._sequence, self._sequence + 1
            pixels = None if raw.damaged else self._pixels(stream, raw, sequence)
            if pixels is not None:
                return Frame(
                    pixels=pixels,
                    format=FORMATS[stream.mode.fourcc],
                    sequence=sequence,
                    captured_ns=captured_ns,
                )
            damaged += 1
            self.skipped_files += 1
        raise too_many_damaged(self._path)

    def _wait(self, stream: V4l2Stream) -> RawPicture | None:
        """Return the next buffer that was not given before; None when interrupted."""
        deadline = time.monotonic() + self._options.timeout_s
        repeated = False
        while True:
            try:
                raw = stream.next(deadline - time.monotonic())
            except OSError as error:
                raise self._stopped(error) from error
            if raw is None:
                if stream.interrupted:
                    return None
                got = "repeats one picture" if repeated else "stopped delivering pictures"
                raise CameraError(
                    self._path,
                    got=f"{got} for {self._options.timeout_s:.3g} s",
                    next_step="check its cable and power",
                )
            if _is_new(raw, self._last):
                self._last = raw
                return raw
            repeated = True

    def _stopped(self, error: OSError) -> CameraError:
        reasons = {
            errno.ENODEV: "was unplugged",
            errno.EIO: "failed to transfer a picture",
        }
        reason = reasons.get(error.errno or 0, (error.strerror or str(error)).lower())
        return CameraError(
            self._path,
            got=f"stopped delivering pictures ({reason})",
            next_step="check its cable and power",
        )

    def _pixels(
        self, stream: V4l2Stream, raw: RawPicture, sequence: int
    ) -> NDArray[np.uint8] | None:
        """Return a buffer's picture; None for a damaged one."""
        mode = stream.mode
        if FORMATS[mode.fourcc] != "jpeg":
            row_bytes = max(stream.row_bytes, full_row(mode.fourcc, mode.size[0]))
            return unpack(stream.bytes_of(raw), mode.fourcc, mode.size, row_bytes, self._pool.take)
        data = stream.bytes_of(raw).tobytes()
        try:
            header = read_header(data)
        except HeaderError:
            return None
        if header.format != "JPEG":
            return None
        if header.size != mode.size:
            raise CameraError(
                self._path,
                got=f"picture {sequence} is {header.size[0]}x{header.size[1]}",
                expected=f"{mode.size[0]}x{mode.size[1]}, as the camera announced",
                next_step="reconnect the camera",
            )
        return np.frombuffer(data, np.uint8)


def _is_new(raw: RawPicture, last: RawPicture | None) -> bool:
    """Tell a new picture from one that the driver hands over again, by its time.

    Without a time, the number decides; without both, all pictures are new.
    """
    if last is None:
        return True
    if raw.stamp_ns is not None and last.stamp_ns is not None:
        return raw.stamp_ns > last.stamp_ns or raw.stamp == (0, 0)
    if raw.stamp != (0, 0):
        return raw.stamp != last.stamp
    return raw.number != last.number or raw.number == 0


class V4l2Opener:
    """Opens a camera, and the same one again after it was unplugged, under whatever number.

    Args:
        path: the device that the user named; None for the first that is found.
        options: as for `V4l2Camera`.
    """

    def __init__(self, path: Path | None, options: CameraOptions) -> None:
        self._path = path
        self._options = options
        self._known: FoundCamera | None = None

    def __call__(self) -> V4l2Camera:
        """Open it; raises as `V4l2Camera` does."""
        from edgeinfer.device.cameras.v4l2.devices import find_again, first_camera

        if self._known is not None:
            path = find_again(self._known)
        else:
            path = self._path if self._path is not None else first_camera().path
        camera = V4l2Camera(path, self._options)
        self._known = camera.found
        return camera

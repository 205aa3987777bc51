"""Cameras that Linux shows as /dev/videoN (V4L2): USB webcams and capture cards.

Pictures are handed on as the camera sends them (YUYV, NV12, MJPG, grey; grey of more than 8 bits is
scaled to 8), in the smallest mode that covers the model's input. A picture is handed on once and
only if it is whole: the driver's error flag, the number of bytes, the buffer's number and time, and
of a JPEG its size and end are checked.
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
from edgeinfer.device.cameras.options import MAX_RAW, CameraOptions
from edgeinfer.device.cameras.v4l2.choice import check_mode, choose_modes, sound_data
from edgeinfer.device.cameras.v4l2.controls import set_controls
from edgeinfer.device.cameras.v4l2.devices import examine, open_error
from edgeinfer.device.cameras.v4l2.grey16 import grey_table, whole_range
from edgeinfer.device.cameras.v4l2.layout import (
    GREY16_BITS,
    least_rows,
    picture_bytes,
    settle_rows,
)
from edgeinfer.device.cameras.v4l2.pixels import FORMATS, unpack, value_range
from edgeinfer.device.cameras.v4l2.stream import RawPicture, V4l2Stream
from edgeinfer.device.core.errors import CameraError, UsageError
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
        UsageError: it has no such mode or control, or sends raw values without a range.
    """

    live = True

    def __init__(self, path: Path, options: CameraOptions | None = None) -> None:
        self._path = path
        self._options = options if options is not None else CameraOptions()
        self._sequence = 0
        self._pool = FramePool()
        self._last: RawPicture | None = None
        self._rows: tuple[int, ...] | None = None
        self._table: NDArray[np.uint8] | None = None
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
        with sound_data(self._path):
            return self._next(self._stream)

    def skip(self) -> bool:
        """Skip a picture."""
        with sound_data(self._path):
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
        options, buffer_type = self._options, self.found.buffer_type
        for mode in choose_modes(self._path, buffer_type, options)[:MAX_TRIED]:
            try:
                with sound_data(self._path):
                    stream = V4l2Stream(self._path, mode, mode.rate(options.fps), buffer_type)
            except CameraError as error:
                failure = failure or error
                continue
            try:
                with sound_data(self._path):
                    check_mode(self._path, stream, mode, options)
                    set_controls(stream.descriptor, options.controls, subject=self._path)
                    self._rows = None
                    self._prepare_grey(stream)
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

    def _prepare_grey(self, stream: V4l2Stream) -> None:
        """Find out which grey each raw value is, of a format with more than 8 bits."""
        fourcc = stream.mode.fourcc
        if fourcc not in GREY16_BITS:
            return
        raw_range = self._options.raw_range or whole_range(fourcc)
        if raw_range is None:
            self._ask_for_range(stream)
        else:
            self._table = grey_table(raw_range)

    def _ask_for_range(self, stream: V4l2Stream) -> None:
        """Refuse raw values that nobody gave a range for, and say what they are here.

        Raises:
            UsageError: always, but when interrupted.
            CameraError: no picture is whole.
        """
        fourcc, limits = stream.mode.fourcc, None
        for _ in range(MAX_DAMAGED):
            raw = self._wait(stream)
            if raw is None:
                return
            rows = None if raw.damaged else self._settled(stream, raw)
            if rows is not None:
                limits = value_range(stream.bytes_of(raw), fourcc, stream.mode.size, rows)
                break
        if limits is None:
            raise self._damaged(stream)
        low, high = limits
        bright = min(max(high, low + 1), MAX_RAW)
        raise UsageError(
            self._path,
            got=f"sends {fourcc}: raw values, from {low} to {high} in the first picture",
            expected="--camera-range LOW,HIGH, the values that become black and white",
            next_step=f"give for example --camera-range {min(low, bright - 1)},{bright}",
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
        raise self._damaged(stream)

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
            if raw.is_new(self._last):
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

    def _settled(self, stream: V4l2Stream, raw: RawPicture) -> tuple[int, ...] | None:
        """Return the bytes from one row to the next: the first whole picture tells them."""
        if self._rows is None:
            lengths = [max(0, end - begin) for begin, end in raw.places]
            mode = stream.mode
            self._rows = settle_rows(mode.fourcc, mode.size, stream.row_bytes, lengths)
        return self._rows

    def _damaged(self, stream: V4l2Stream) -> CameraError:
        """Return the error for pictures that are all incomplete, with what is known of them."""
        mode, last = stream.mode, self._last
        if last is None or FORMATS[mode.fourcc] == "jpeg":
            return too_many_damaged(self._path)
        rows = self._rows or least_rows(mode.fourcc, mode.size)
        needed = sum(picture_bytes(mode.fourcc, mode.size, rows))
        sent = sum(max(0, end - begin) for begin, end in last.places)
        announced = " and ".join(f"{row:,}" for row in stream.row_bytes)
        flagged = ", which its driver flags" if last.damaged else ""
        return too_many_damaged(
            self._path,
            "check its cable and power, or choose another mode with --camera-size and "
            "--camera-format",
            last=f"of {sent:,} bytes{flagged}",
            expected=f"{needed:,} bytes of {mode} (the driver announces rows of {announced} bytes)",
        )

    def _pixels(
        self, stream: V4l2Stream, raw: RawPicture, sequence: int
    ) -> NDArray[np.uint8] | None:
        """Return a buffer's picture; None for a damaged one."""
        mode = stream.mode
        if FORMATS[mode.fourcc] != "jpeg":
            rows = self._settled(stream, raw)
            if rows is None:
                return None
            return unpack(
                stream.bytes_of(raw), mode.fourcc, mode.size, rows, self._pool.take, self._table
            )
        data = stream.bytes_of(raw)[0].tobytes()
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

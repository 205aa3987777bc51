"""A V4L2 device that sends pictures: its buffers, mapped into this process.

Why not OpenCV's: it hides what tells a real picture from another one (the driver's error flag, the
number of bytes, the buffer's time and number), gives the last picture again where one is damaged,
and waits for seconds without a way to stop it.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import mmap
import os
import select
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.cameras.v4l2 import abi, planes_abi
from edgeinfer.device.cameras.v4l2.modes import Mode
from edgeinfer.device.core.closing import Closing

BUFFERS = 4
"""How many pictures the driver may be ahead: one more than it fills while another is copied."""
POLL_S = 0.1
"""How often a wait for a picture looks whether it should end."""


@dataclass(frozen=True, kw_only=True)
class RawPicture:
    """A filled buffer, valid until the next one is asked for; `V4l2Stream.bytes_of` has its bytes.

    Attributes:
        index: the buffer's.
        places: of each memory, where the picture begins and ends there, in bytes.
        damaged: the driver says that it is not whole.
        stamp_ns: when it was taken, on `time.monotonic_ns()`'s clock; None where the driver's clock
            is another one.
        number: the driver's number of it.
        stamp: the driver's time stamp as it is, to tell one buffer from the next.
    """

    index: int
    places: tuple[tuple[int, int], ...]
    damaged: bool
    stamp_ns: int | None
    number: int
    stamp: tuple[int, int]

    def is_new(self, last: RawPicture | None) -> bool:
        """Tell a new picture from one that the driver hands over again, by its time.

        Without a time, the number decides; without both, all pictures are new.
        """
        if last is None:
            return True
        if self.stamp_ns is not None and last.stamp_ns is not None:
            return self.stamp_ns > last.stamp_ns or self.stamp == (0, 0)
        if self.stamp != (0, 0):
            return self.stamp != last.stamp
        return self.number != last.number or self.number == 0


class V4l2Stream(Closing):
    """An open device that streams in one mode. One thread takes; any may `interrupt`.

    Args:
        path: the device.
        mode: what to ask for.
        fps: the rate to ask for; None leaves the driver's.
        buffer_type: the device's; see `FoundCamera`.

    Attributes:
        mode: what the driver agreed to; it may differ from what was asked for.
        row_bytes: from one row to the next, in each memory, as the driver announces it.
        buffers: how many there are.

    Raises:
        OSError: the device refused.
    """

    def __init__(
        self,
        path: Path,
        mode: Mode,
        fps: float | None,
        buffer_type: int = abi.BUF_TYPE_VIDEO_CAPTURE,
    ) -> None:
        self._type = buffer_type
        self._planar = buffer_type == planes_abi.BUF_TYPE_VIDEO_CAPTURE_MPLANE
        self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._interrupted = threading.Event()
        self._maps: list[list[mmap.mmap]] = []
        self._held: int | None = None
        try:
            fourcc, size, self.row_bytes = self._agree(mode)
            self.mode = Mode(fourcc=fourcc, size=size, rates=self._set_rate(fps))
            self._map_buffers()
            abi.call(
                self._descriptor,
                abi.VIDIOC_STREAMON,
                ctypes.c_int32(self._type),
            )
        except BaseException:
            self.close()
            raise
        self.buffers = len(self._maps)
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLIN)

    @property
    def descriptor(self) -> int:
        """For asking the driver about controls."""
        return self._descriptor

    @property
    def interrupted(self) -> bool:
        """Whether `interrupt` was called."""
        return self._interrupted.is_set()

    def next(self, timeout_s: float) -> RawPicture | None:
        """Wait for the next buffer; None after `timeout_s`, or when interrupted.

        Raises:
            OSError: the device was unplugged, or failed.
        """
        self._give_back()
        deadline = time.monotonic() + timeout_s
        while not self._interrupted.is_set():
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            events = self._poll.poll(1000 * min(left, POLL_S))
            if not events:
                continue
            buffer, planes = self._buffer(0)
            try:
                abi.call(self._descriptor, abi.VIDIOC_DQBUF, buffer)
            except BlockingIOError as error:
                if events[0][1] & ~select.POLLIN:
                    # The kernel says that something is wrong and the driver that nothing is.
                    raise OSError(errno.EIO, os.strerror(errno.EIO)) from error
                continue
            return self._picture(buffer, planes)
        return None

    def bytes_of(self, picture: RawPicture) -> list[NDArray[np.uint8]]:
        """Return views of a buffer's bytes, (N,) uint8 of each memory, to be copied immediately.

        A view that is kept, even in a variable of a function that an error has left, keeps the
        buffer mapped; and with a buffer mapped the kernel keeps the device in use.
        """
        return [
            np.frombuffer(mapped, np.uint8)[begin:end]
            for mapped, (begin, end) in zip(self._maps[picture.index], picture.places, strict=True)
        ]

    def interrupt(self) -> None:
        """Have a waiting `next` return None, now and from now on."""
        self._interrupted.set()

    def close(self) -> None:
        """Stop and release the device."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor < 0:
            return
        with contextlib.suppress(OSError):  # it may be unplugged
            abi.call(descriptor, abi.VIDIOC_STREAMOFF, ctypes.c_int32(self._type))
        for maps in self._maps:
            for mapped in maps:
                mapped.close()
        os.close(descriptor)

    def _agree(self, mode: Mode) -> tuple[str, tuple[int, int], tuple[int, ...]]:
        wish = abi.Format(type=self._type)
        pix = planes_abi.planes_format(wish) if self._planar else wish.fmt.pix
        pix.width, pix.height = mode.size
        pix.pixelformat = abi.fourcc_code(mode.fourcc)
        pix.field = abi.FIELD_NONE
        abi.call(self._descriptor, abi.VIDIOC_S_FMT, wish)
        if isinstance(pix, planes_abi.PlanesFormat):
            count = min(pix.num_planes, planes_abi.MAX_PLANES)
            rows = tuple(plane.bytesperline for plane in pix.plane_fmt[:count])
        else:
            rows = (pix.bytesperline,)
        return abi.fourcc_name(pix.pixelformat), (pix.width, pix.height), rows

    def _set_rate(self, fps: float | None) -> tuple[float, ...]:
        """Return the rate that the driver agreed to; nothing where it has none."""
        parameters = abi.StreamParameters(type=self._type)
        try:
            abi.call(self._descriptor, abi.VIDIOC_G_PARM, parameters)
            if fps is not None:
                interval = parameters.parm.capture.timeperframe
                interval.numerator, interval.denominator = 1000, max(1, round(1000 * fps))
                abi.call(self._descriptor, abi.VIDIOC_S_PARM, parameters)
        except OSError:
            return ()  # drivers need not have this
        interval = parameters.parm.capture.timeperframe
        if not interval.numerator or not interval.denominator:
            return ()
        return (round(interval.denominator / interval.numerator, 3),)

    def _map_buffers(self) -> None:
        request = abi.RequestBuffers(count=BUFFERS, type=self._type, memory=abi.MEMORY_MMAP)
        abi.call(self._descriptor, abi.VIDIOC_REQBUFS, request)
        for index in range(request.count):
            buffer, planes = self._buffer(index)
            abi.call(self._descriptor, abi.VIDIOC_QUERYBUF, buffer)
            self._maps.append([])
            places = (
                [(plane.length, plane.m.mem_offset) for plane in planes[: buffer.length]]
                if self._planar
                else [(buffer.length, buffer.m.offset)]
            )
            for length, offset in places:
                if length == 0:  # which mmap() would take for the whole file
                    raise OSError(errno.EINVAL, "the driver's buffers have no bytes")
                self._maps[-1].append(
                    mmap.mmap(
                        self._descriptor,
                        length,
                        mmap.MAP_SHARED,
                        mmap.PROT_READ | mmap.PROT_WRITE,
                        offset=offset,
                    )
                )
            self._queue(index)

    def _buffer(self, index: int) -> tuple[abi.Buffer, list[planes_abi.Plane]]:
        """Return a buffer to ask the driver with; its planes last as long as they are kept."""
        buffer = abi.Buffer(index=index, type=self._type, memory=abi.MEMORY_MMAP)
        return buffer, planes_abi.buffer_planes(buffer) if self._planar else []

    def _queue(self, index: int) -> None:
        buffer, planes = self._buffer(index)
        if planes:
            buffer.length = len(self._maps[index])
        abi.call(self._descriptor, abi.VIDIOC_QBUF, buffer)

    def _give_back(self) -> None:
        if self._held is not None:
            index, self._held = self._held, None
            self._queue(index)

    def _picture(self, buffer: abi.Buffer, planes: list[planes_abi.Plane]) -> RawPicture:
        if buffer.index >= len(self._maps):
            raise OSError(errno.EIO, f"the driver fills buffer {buffer.index}, which is none")
        self._held = buffer.index
        seconds, microseconds = buffer.timestamp.tv_sec, buffer.timestamp.tv_usec
        ours = buffer.flags & abi.BUF_FLAG_TIMESTAMP_MASK == abi.BUF_FLAG_TIMESTAMP_MONOTONIC
        count = len(self._maps[buffer.index])
        places = tuple((plane.data_offset, plane.bytesused) for plane in planes[:count])
        return RawPicture(
            index=buffer.index,
            places=places if planes else ((0, buffer.bytesused),),
            damaged=bool(buffer.flags & abi.BUF_FLAG_ERROR),
            stamp_ns=(seconds * 1_000_000 + microseconds) * 1000 if ours else None,
            number=buffer.sequence,
            stamp=(seconds, microseconds),
        )

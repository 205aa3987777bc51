"""Feeds frames into a v4l2loopback device; runs on the virtual board, on Python alone.

    feeder.py DEVICE FOLDER

The folder has `feed.json`, {"fourcc", "width", "height", "fps", "seconds_each"}, and `*.raw`: each
the bytes of one frame in that format, a JPEG or width x height x 2 bytes of YUYV. They are sent in
the order of their names, each for that long, over and over; when a new one is first sent is a line
on stdout: seconds since 1970 and its name.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import struct
import sys
import time
from pathlib import Path

_VIDIOC_QUERYCAP = 0x80685600
_CAPABILITY_BYTES = 104
_VIDIOC_S_FMT = 0xC0D05605
_VIDIOC_STREAMON = 0x40045612
_FORMAT_BYTES = 208
"""sizeof(struct v4l2_format) on 64-bit systems (the kernel's videodev2.h)."""
_BUF_TYPE_VIDEO_OUTPUT = 2
_FIELD_NONE = 1
_COLORSPACE_SRGB = 8


def set_format(device: int, fourcc: str, width: int, height: int) -> None:
    """Tell the device what will be written, and who writes it.

    v4l2loopback announces what it is by what it was when last asked, and knows a writer, whose end
    makes it a device to write to again, by its STREAMON alone.

    Raises:
        OSError: it takes no such format, or it is not a video output.
    """
    code = int.from_bytes(fourcc.encode(), "little")
    fcntl.ioctl(device, _VIDIOC_QUERYCAP, bytearray(_CAPABILITY_BYTES))
    size = width * height * 2
    line = width * 2 if fourcc == "YUYV" else 0
    wanted = bytearray(_FORMAT_BYTES)
    struct.pack_into("<I", wanted, 0, _BUF_TYPE_VIDEO_OUTPUT)
    pixels = (width, height, code, _FIELD_NONE, line, size, _COLORSPACE_SRGB, 0)
    struct.pack_into("<8I", wanted, 8, *pixels)
    fcntl.ioctl(device, _VIDIOC_S_FMT, wanted)
    if struct.unpack_from("<3I", wanted, 8) != (width, height, code):
        raise OSError(f"the device does not take {width}x{height} {fourcc}")
    fcntl.ioctl(device, _VIDIOC_STREAMON, struct.pack("<i", _BUF_TYPE_VIDEO_OUTPUT))


def main() -> None:
    """Feed until killed."""
    folder = Path(sys.argv[2])
    feed = json.loads((folder / "feed.json").read_text())
    frames = {path.stem: path.read_bytes() for path in sorted(folder.glob("*.raw"))}
    device = os.open(sys.argv[1], os.O_RDWR)
    set_format(device, feed["fourcc"], feed["width"], feed["height"])
    for name in itertools.cycle(frames):
        print(f"{time.time():.3f} {name}", flush=True)
        for _ in range(max(1, round(feed["seconds_each"] * feed["fps"]))):
            os.write(device, frames[name])
            time.sleep(1 / feed["fps"])


if __name__ == "__main__":
    main()

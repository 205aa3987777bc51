"""Which cameras a board has and which programs use them; runs there, with the board's own Python.

Prints one JSON list; each camera has `node`, `name`, `state` (`free`, `busy`, `no`: it gives no
pictures, or the system's reason why it cannot be opened) and `holders`: the programs that have it
open, with `process`, `name` and `unit`. Only root sees those of other users. Python 3.7 is enough.

Nothing is changed. A request for no buffers is refused with EBUSY while another program owns them,
and else has no effect (Linux media documentation, `ioctl VIDIOC_REQBUFS`). v4l2loopback does not
refuse: it ends the other program's stream. So a camera that edgeinfer's own service uses is not
asked; the service would lose a second.
"""

import errno
import fcntl
import glob
import json
import os
import re
import struct
from typing import Any

_QUERYCAP = 0x80685600  # _IOR('V', 0, struct v4l2_capability), 104 bytes
_REQBUFS = 0xC0145608  # _IOWR('V', 8, struct v4l2_requestbuffers), 20 bytes
_CAPTURE = 0x1
_CAPABILITIES = struct.Struct("=16s32s32sIII12x")
_BUFFERS = struct.Struct("=IIIII")
_MMAP = 1
_SERVICE = "edgeinfer.service"


def state_of(node: str, *, asked: bool = True) -> str:
    """Return the device's state: `free`, `busy`, `no` for no camera, else why it does not open.

    One that is not asked for its buffers counts as busy.
    """
    try:
        descriptor = os.open(node, os.O_RDWR | os.O_NONBLOCK)
    except OSError as error:
        return "busy" if error.errno == errno.EBUSY else (error.strerror or str(error)).lower()
    try:
        answer = fcntl.ioctl(descriptor, _QUERYCAP, bytes(_CAPABILITIES.size))
        if not _CAPABILITIES.unpack(answer)[5] & _CAPTURE:
            return "no"
        if not asked:
            return "busy"
        fcntl.ioctl(descriptor, _REQBUFS, _BUFFERS.pack(0, _CAPTURE, _MMAP, 0, 0))
        return "free"
    except OSError as error:
        # Other devices that refuse this request are found when they are opened.
        return "busy" if error.errno == errno.EBUSY else "free"
    finally:
        os.close(descriptor)


def holders_of(node: str) -> "list[dict[str, Any]]":
    """Return the programs that have the device open."""
    found = []
    for folder in glob.glob("/proc/[0-9]*"):
        try:
            links = [os.readlink(link.path) for link in os.scandir(folder + "/fd")]
        except OSError:  # another user's, or it has ended
            continue
        if node in links and int(folder[6:]) != os.getpid():
            units = re.findall(r"[^/\n]+\.service", text_of(folder + "/cgroup"))
            found.append(
                {
                    "process": int(folder[6:]),
                    "name": text_of(folder + "/comm"),
                    "unit": units[-1] if units else "",
                }
            )
    return found


def text_of(path: str) -> str:
    """Return a small file's text; empty where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(4096).strip()
    except OSError:
        return ""


def cameras() -> "list[dict[str, Any]]":
    """Return all video devices, by number."""
    nodes = [node for node in glob.glob("/dev/video*") if node[10:].isdigit()]
    found = []
    for node in sorted(nodes, key=lambda node: int(node[10:])):
        name = text_of("/sys/class/video4linux/" + node[5:] + "/name")
        holders = holders_of(node)
        own = any(holder["unit"] == _SERVICE for holder in holders)
        state = state_of(node, asked=not own)
        found.append({"node": node, "name": name, "state": state, "holders": holders})
    return found


if __name__ == "__main__":
    print(json.dumps(cameras()))

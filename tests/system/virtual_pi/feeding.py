"""What the virtual board's camera sees: pictures chosen by the test."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from edgeinfer.device.diagnose.benchmark.frames import encode_frame
from edgeinfer.device.pictures.pixel_formats import Pixels
from tests.support.waiting import PATIENCE_S
from tests.system.virtual_pi.machine import BoardError, VirtualPi
from tests.system.virtual_pi.root import FEED

FourCC = Literal["MJPG", "YUYV"]
SIZE = (336, 252)
"""Width and height: small, for an emulated processor, and whole multiples of Fashion-MNIST's 28, so
that nothing of a picture is lost on the way to the model but what YUV and JPEG lose."""


def feed(
    board: VirtualPi,
    pictures: Mapping[str, Pixels],
    *,
    fourcc: FourCC = "YUYV",
    size: tuple[int, int] = SIZE,
    fps: float = 4,
    seconds_each: float = 2,
) -> None:
    """Let the board's camera see pictures, in the order of their names, over and over.

    It goes on after a restart of the board.

    Args:
        board: a running board.
        pictures: by name, (H, W, 3) uint8 RGB; scaled without smoothing.
        fourcc: the format that the camera sends.
        size: (width, height) in pixels.
        fps: frames a second.
        seconds_each: how long each picture stays.
    """
    form = {"fourcc": fourcc, "width": size[0], "height": size[1]}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        pace = {"fps": fps, "seconds_each": seconds_each}
        (folder / "feed.json").write_text(json.dumps({**form, **pace}))
        for name, picture in pictures.items():
            scaled = np.asarray(
                cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST), np.uint8
            )
            frame = encode_frame(scaled, "yuyv" if fourcc == "YUYV" else "jpeg")
            (folder / f"{name}.raw").write_bytes(frame.tobytes())
        board.ssh("sh", "-c", f"rm -f {FEED}/*", user="root")
        board.copy(*sorted(folder.iterdir()), to=f"{FEED}/", user="root")
    board.ssh("sync")
    unplug(board)
    plug(board)


def unplug(board: VirtualPi) -> None:
    """Let the camera's frames end: the device is there and no longer one to capture from."""
    board.ssh("systemctl", "stop", "camera-feeder", user="root")


def plug(board: VirtualPi) -> None:
    """Let the frames come again."""
    board.ssh("systemctl", "start", "camera-feeder", user="root")
    end = time.monotonic() + PATIENCE_S
    while not captures(board):
        if time.monotonic() > end:
            raise BoardError(board.ssh("journalctl", "-n20", "--unit=camera-feeder", user="root"))


def captures(board: VirtualPi) -> bool:
    """Return whether the device is one to capture from: whether frames are fed."""
    told = board.ssh("v4l2-ctl", "--device=/dev/video0", "--info")
    return "Video Capture" in told.partition("Device Caps")[2]

"""Builds the V4L2 camera without a kernel device; fakev4l2.c says what it does."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from edgeinfer.device.pictures.pixel_formats import Pixels

SOURCE = Path(__file__).with_name("fakev4l2.c")
SIZES = ((640, 480), (320, 240), (1280, 720))
"""Of the pictures that it sends as MJPG."""


def shim_environment(folder: Path, compiler: Sequence[str]) -> dict[str, str]:
    """Compile the camera into a folder; return the environment under which a process has it.

    Raises:
        CalledProcessError: it does not compile.
    """
    library = folder / "fakev4l2.so"
    build = [*compiler, "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([*build, "-o", str(library), str(SOURCE), "-ldl"], check=True)
    for width, height in SIZES:
        picture = red_and_blue(width, height)[..., ::-1]
        cv2.imwrite(str(folder / f"{width}x{height}.jpg"), picture)
    (folder / "smaller.jpg").symlink_to("320x240.jpg")
    return {
        "LD_PRELOAD": str(library),
        "FAKEV4L2_JPEG": str(folder / "{size}.jpg"),
        "FAKEV4L2_FOLDER": str(folder),
    }


def red_and_blue(width: int, height: int) -> Pixels:
    """Return what the camera sees: red on the left, blue on the right."""
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    picture[:, : width // 2, 0] = 254
    picture[:, width // 2 :, 2] = 254
    return picture

"""Faults of the shim's camera, from outside and while the program under test runs.

    steering = Steering(folder / "control")
    process = subprocess.Popen(..., env={**os.environ, **shim, **steering.environment})
    steering.fault("eio")       # until the next line; see fakev4l2.c for the faults
    steering.heal()
    steering.unplug()
    steering.plug("/dev/video2")

Pictures carry their numbers, so that a program's answers can be held against what the camera sent:
`picture_number` reads them. A picture that is given twice, out of turn or in pieces shows.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

NUMBER_BITS = 32
FAULTS = (
    *("eio", "unplug", "silent", "hang"),
    *("cut", "damaged", "short", "other", "size", "repeat"),
)


class Steering:
    """Writes the control file of `fakev4l2.c`.

    Args:
        path: the file, which need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._plug = 0
        self._device = "-"
        self._write("none")

    @property
    def environment(self) -> dict[str, str]:
        """What the process needs, as well as the shim's own variables."""
        return {"FAKEV4L2_CONTROL": str(self._path)}

    def fault(self, name: str) -> None:
        """Let a fault begin; it stays until `heal` or `plug`."""
        if name not in FAULTS:
            raise ValueError(f"fault is '{name}', expected one of {FAULTS}")
        self._write(name)

    def heal(self) -> None:
        """End a fault."""
        self._write("none")

    def unplug(self) -> None:
        """Take the camera away; a program that has it open loses it for good."""
        self._plug += 1
        self._write("unplug")

    def plug(self, device: str | None = None) -> None:
        """Plug the camera in, by default under the path that it had."""
        if device is not None:
            self._device = device
        self._write("none")

    def _write(self, fault: str) -> None:
        """Replace the file in one step: the camera must not read half of it."""
        fresh = self._path.with_suffix(".new")
        fresh.write_text(f"{self._plug} {fault} {self._device}\n")
        os.replace(fresh, self._path)


def picture_number(pixels: NDArray[np.uint8], pixel_format: str) -> int:
    """Return the number that a picture of the shim's camera carries.

    Args:
        pixels: (H, W, 2) YUYV, (H, W) grey, or the (N,) bytes of a JPEG.
        pixel_format: "yuyv", "grey" or "jpeg".

    Raises:
        ValueError: its beginning and its end are not of one picture.
    """
    if pixel_format == "jpeg":
        match = re.search(rb"\xff\xfe..picture ([0-9]+)", pixels.tobytes(), re.DOTALL)
        if match is None:
            raise ValueError("the JPEG carries no number")
        return int(match[1])
    luma = pixels if pixel_format == "grey" else pixels[..., 0]
    first, last = (_number(luma[0, :NUMBER_BITS]), _number(luma[-1, -NUMBER_BITS:]))
    if first != last:
        raise ValueError(f"the picture begins as number {first} and ends as number {last}")
    return first


def _number(luma: NDArray[np.uint8]) -> int:
    return int("".join("1" if value > 128 else "0" for value in luma), 2)

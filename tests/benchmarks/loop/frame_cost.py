"""Processor time a frame outside of invoke: frames in memory, through the real loop."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import numpy as np

from edgeinfer.device.cameras.base import Camera
from edgeinfer.device.loop.run_loop import run_loop
from edgeinfer.device.models.model import Model
from edgeinfer.device.pictures.frame import Frame
from tests.benchmarks.measure import MOBILENET_V1_SMALL, Row, cpu_seconds, ratio
from tests.benchmarks.peers import open_interpreter

SIZE = (640, 480)


class MemoryCamera(Camera):
    """Frames that are there already, as fast as they are taken."""

    description = "frames in memory"

    def __init__(self, count: int, *, size: tuple[int, int] = SIZE) -> None:
        random = np.random.default_rng(0)
        self._pictures = [
            random.integers(0, 256, (size[1], size[0], 3), np.uint8) for _ in range(8)
        ]
        self._left = count
        self._sequence = 0

    def read(self) -> Frame | None:
        """Return the next frame."""
        if self._sequence == self._left:
            return None
        picture = self._pictures[self._sequence % len(self._pictures)]
        self._sequence += 1
        return Frame(pixels=picture, sequence=self._sequence - 1, captured_ns=time.monotonic_ns())


def measure(path: Path, *, frames: int, repeats: int) -> Row:
    """Compare the loop's processor time outside of invoke with invoke's own."""
    outside, invoke = [], []
    with Model.open(path) as model:
        interpreter = open_interpreter(path.read_bytes())
        for _ in range(repeats):
            start = cpu_seconds()
            for _ in range(frames):
                interpreter.invoke()
            invoke.append((cpu_seconds() - start) / frames)
            start = cpu_seconds()
            run_loop(MemoryCamera(frames), model, [])
            outside.append((cpu_seconds() - start) / frames - invoke[-1])
    return Row(
        what=f"processor time a frame outside of invoke: {path.stem}, {SIZE[0]}x{SIZE[1]} RGB",
        figure=f"{1e6 * statistics.median(outside):.0f} us",
        compared_with=f"invoke {1e6 * statistics.median(invoke):.0f} us",
        ratio=ratio(outside, invoke),
        wanted="1 or less",
    )


def rows(repeats: int = 7) -> list[Row]:
    """Return this benchmark's part of the table."""
    if not MOBILENET_V1_SMALL.is_file():
        return []
    return [measure(MOBILENET_V1_SMALL, frames=4000, repeats=repeats)]

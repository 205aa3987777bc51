"""Files of gauges: pictures with a table of their readings, and a needle that moves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from edgeinfer.converters.common.ordered_map import ordered_map
from edgeinfer.converters.common.progress import Progress, shown_progress
from edgeinfer.device.core.files import write_atomically
from edgeinfer.host.demo.gauge.gauge import numbered_gauge
from edgeinfer.host.demo.write import write_file

TABLE = "readings.csv"
COLUMN = "reading"
UNIT = "%"
FPS = 30
"""Frames of a moving needle in a second."""
_SWING_S = (7.0, 2.9)
"""Periods of the two oscillations of which a moving needle makes the sum."""


def write_pictures(
    folder: Path, count: int, *, seed: int = 0, progress: Progress | None = None
) -> Path:
    """Write `folder/00000.jpg` and so on, each of another gauge, and the table of readings.

    Args:
        folder: where to; it is made.
        count: how many.
        seed: the same one gives the same files, and more of them begin with the same.
        progress: reports each picture.

    Returns:
        The table: columns `file` and `reading`, which is in percent of the scale.

    Raises:
        StorageError: a file cannot be written.
    """
    rows = [f"file,{COLUMN}"]
    with shown_progress(progress, keep=False) as shown:
        shown.start("drawing gauges", count)
        painted = ordered_map(partial(_numbered, seed), range(count))
        for number, (content, percent) in enumerate(painted):
            name = f"{number:05}.jpg"
            write_file(folder / name, content)
            rows.append(f"{name},{percent:.3f}")
            shown.advance()
    write_atomically(folder / TABLE, "\n".join(rows) + "\n")
    return folder / TABLE


def write_moving_needle(folder: Path, *, gauge: int = 0, frames: int = 300, seed: int = 1) -> Path:
    """Write the frames of one gauge whose needle moves, `folder/0000_50.0.jpg` and so on.

    The number behind the frame's is the reading in percent. Names sort by time, so that a camera
    of a folder shows them in order.

    Args:
        folder: where to; it is made.
        gauge: which gauge of the seed.
        frames: how many, `FPS` a second.
        seed: of the gauge; none of this seed is in the pictures for training of another.

    Returns:
        The folder.

    Raises:
        StorageError: a file cannot be written.
    """
    shown, _ = numbered_gauge(seed, gauge)
    for frame, percent in enumerate(swing(frames)):
        content = shown.jpeg(percent, grain=frame)
        write_file(folder / f"{frame:04}_{percent:.1f}.jpg", content)
    return folder


def swing(frames: int) -> Iterator[float]:
    """Yield the readings of a needle that moves over the whole scale, in percent."""
    slow, quick = _SWING_S
    for frame in range(frames):
        time_s = frame / FPS
        wave = 0.75 * math.sin(2 * math.pi * time_s / slow)
        wave += 0.25 * math.sin(2 * math.pi * time_s / quick)
        yield 50 + 50 * wave


def _numbered(seed: int, number: int) -> tuple[bytes, float]:
    gauge, percent = numbered_gauge(seed, number)
    percent = float(np.round(percent, 3))  # as the table says it
    return gauge.jpeg(percent), percent

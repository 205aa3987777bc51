"""What the benchmarks share: interleaved measuring, ratios with their spread, one table."""

from __future__ import annotations

import os
import platform
import resource
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.checkout import ROOT

SHARED_DATA = Path(os.environ.get("EDGEINFER_SHARED_DATA", ROOT.parent / "shared" / "data"))
SAMPLE_BUNDLE = ROOT / "tests" / "samples" / "fashion-mnist.edgebundle"
MOBILENET_V2 = SHARED_DATA / "coral" / "tf2_mobilenet_v2_1.0_224_ptq.tflite"
MOBILENET_V1_SMALL = SHARED_DATA / "coral" / "mobilenet_v1_0.25_128_quant.tflite"
CLIP = SHARED_DATA / "video" / "bottle-detection.mp4"

HEADER = ("what", "figure", "compared with", "ratio: median (smallest to largest)", "wanted")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        what: what was measured.
        figure: its value, with unit.
        compared_with: the other thing and its value.
        ratio: the comparison.
        wanted: what the project holds itself to; empty where a figure is for information.
    """

    what: str
    figure: str
    compared_with: str = ""
    ratio: str = ""
    wanted: str = ""

    def cells(self) -> tuple[str, ...]:
        """Return the row's texts in the order of `HEADER`."""
        return self.what, self.figure, self.compared_with, self.ratio, self.wanted


def interleaved(
    contenders: Mapping[str, Callable[[], float]], repeats: int
) -> dict[str, list[float]]:
    """Measure several things in turn and several times over, so that noise falls on all.

    Args:
        contenders: return a figure each time they are called.
        repeats: how often.
    """
    figures: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, measure in contenders.items():
            figures[name].append(measure())
    return figures


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Return the median of each repeat's own ratio, with the smallest and the largest."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def seconds_per_call(step: Callable[[], object], calls: int) -> float:
    """Return the median time of a call."""
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def cpu_seconds() -> float:
    """Return the processor time of this process, all threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def machine() -> str:
    """Name the machine and how busy it is."""
    lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return (
        f"{platform.machine()}, {names[0] if names else 'processor not named'}, "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {platform.platform(terse=True)}, "
        f"Python {platform.python_version()}"
    )


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table with aligned columns."""
    cells = [HEADER, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)

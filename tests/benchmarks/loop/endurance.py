"""Many frames: does memory grow, do answers age?"""

from __future__ import annotations

import re
import statistics
import time
from pathlib import Path

import numpy as np

from edgeinfer.device.cameras.base import Camera, Pacer
from edgeinfer.device.loop.results import Answer, LoopSummary
from edgeinfer.device.loop.run_loop import run_loop
from edgeinfer.device.models.model import Model
from edgeinfer.device.pictures.frame import Frame
from tests.benchmarks.loop.frame_cost import MemoryCamera
from tests.benchmarks.measure import MOBILENET_V1_SMALL, MOBILENET_V2, Row, seconds_per_call

SETTLED_AFTER = 1_000
PARTS = 10


def resident_mib() -> float:
    """Return this process's resident memory."""
    found = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


class Ages:
    """A sink that notes ages in memory taken beforehand, and the process's memory now and then."""

    def __init__(self, frames: int) -> None:
        self.ages_ms = np.zeros(frames)
        self.resident = np.zeros(frames // SETTLED_AFTER + 1)
        self._frames = 0

    def write(self, answer: Answer) -> None:
        """Take an answer."""
        self.ages_ms[self._frames] = answer.age_ms
        self._frames += 1
        if self._frames % SETTLED_AFTER == 0:
            self.resident[self._frames // SETTLED_AFTER] = resident_mib()

    def finish(self, summary: LoopSummary) -> None:
        """Take the summary."""


def steadiness(frames: int = 200_000) -> list[Row]:
    """Run many frames from memory: growth after the first 1,000, and p99 age by tenths."""
    sink = Ages(frames)
    with Model.open(MOBILENET_V1_SMALL) as model:
        run_loop(MemoryCamera(frames), model, [sink])
    p99s = [float(np.percentile(part, 99)) for part in np.array_split(sink.ages_ms, PARTS)]
    return [
        Row(
            what=f"{frames:,} frames: memory's growth after the first {SETTLED_AFTER:,}",
            figure=f"{sink.resident[1:].max() - sink.resident[1]:.2f} MiB",
            wanted="below 2 MiB",
        ),
        Row(
            what=f"{frames:,} frames: p99 age by tenths of the run",
            figure=" ".join(f"{p99:.2f}" for p99 in p99s) + " ms",
            ratio=f"last to median {p99s[-1] / statistics.median(p99s):.2f}",
            wanted="flat",
        ),
    ]


class FastCamera(MemoryCamera):
    """A live source at a fixed rate."""

    live = True

    def __init__(self, fps: float) -> None:
        super().__init__(1 << 60)
        self._pacer = Pacer(fps)

    def read(self) -> Frame | None:
        """Wait until a frame is due and return it."""
        self._pacer.wait()
        return super().read()


def lateness(frames: int = 10_000, *, faster: float = 1.5) -> Row:
    """Let a live source outrun the model: an answer's age stays below a bound.

    The bound is one preprocessing, one invocation and two intervals of the source, all measured
    alone in this run.
    """
    with Model.open(MOBILENET_V2) as model:
        camera: Camera = MemoryCamera(1)
        frame = camera.read()
        assert frame is not None
        tensor = model.prepare(frame)
        prepare_s = seconds_per_call(lambda: model.prepare(frame, out=tensor), 300)
        invoke_s = seconds_per_call(lambda: model.infer(tensor), 300)
        interval_s = invoke_s / faster
        sink = Ages(frames)
        start = time.monotonic()
        summary = run_loop(FastCamera(1 / interval_s), model, [sink], max_frames=frames)
        elapsed_s = time.monotonic() - start
    bound_ms = 1e3 * (prepare_s + invoke_s + 2 * interval_s)
    p99_ms = float(np.percentile(sink.ages_ms, 99))
    return Row(
        what=f"live source {faster:g} times as fast as the model, {frames:,} answers: p99 age",
        figure=f"{p99_ms:.2f} ms (p50 {np.percentile(sink.ages_ms, 50):.2f}), "
        f"{summary.dropped:,} dropped in {elapsed_s:.0f} s",
        compared_with=f"preprocessing {1e3 * prepare_s:.2f} + invoke {1e3 * invoke_s:.2f} + "
        f"2 intervals {2e3 * interval_s:.2f} = {bound_ms:.2f} ms",
        ratio=f"{p99_ms / bound_ms:.2f}",
        wanted="1 or less",
    )


def rows() -> list[Row]:
    """Return this benchmark's part of the table."""
    if not (MOBILENET_V1_SMALL.is_file() and MOBILENET_V2.is_file()):
        return []
    return [*steadiness(), lateness()]

"""What a benchmark found, as plain values; its JSON is the same fields by the same names.

Keys of the JSON; those that say "or absent" are left out where nothing was measured:

| key | |
|---|---|
| `model` | `name`, `file`, `size_bytes` of the bundle or `.tflite` |
| `machine` | `board` (the profile's name), `title`, `architecture`, `processor`, `cores`, `memory_mib`, `python`, `edgeinfer` |
| `runtime` | `name`, `version`, `kernels` (`xnnpack`, `builtin`), `threads`, `variant` with its reason, `delegate`: what the stages were timed with; the last two are empty where there was no choice, and without a delegate |
| `frame` | `width`, `height`, `format`, `pixels` (`golden`: the bundle's frames scaled, `made-up`: seeded noise); absent for a model that edgeinfer cannot feed with frames |
| `frames` | how many frames the stages were timed with |
| `stages` | list of `stage` (`decode`, `preprocess`, `invoke`, `postprocess`, `whole`), `p50_ms`, `p95_ms`, `p99_ms` |
| `cold_start` | `runs`, `median_ms`, `min_ms`, `max_ms` from process start to first prediction, `peak_rss_mib`; or absent |
| `rss_mib` | resident memory of the measuring process after the stages; or absent |
| `comparison` | `rounds`, `board_threads`, `candidates`: list of `runtime`, `threads`, and either `version`, `kernels`, `p50_ms`, `p95_ms` of an inference, or `reason` |
| `ops` | `rounds`, `runtime`, `threads`, `operators`: list of `index`, `op`, `shape`, `dtype`, `ms` (may be negative: a difference); or absent |
| `note` | what could not be measured and why; or absent |
| `host` | where it ran, for `--host`; or absent |
"""  # noqa: E501 - a table's row is one line

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from edgeinfer.device.models.bundle.strict import from_json, parse_json, to_json
from edgeinfer.device.pictures.frame import FrameFormat

StageName = Literal["decode", "preprocess", "invoke", "postprocess", "whole"]

AGREES_WITHIN = 0.05
"""Medians nearer than this part of the fastest count as equal: repeats differ by as much."""


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """The file that was measured."""

    name: str
    file: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where it was measured.

    Attributes:
        board: the name of its profile.
        title: the profile's title.
        architecture: as `platform.machine()` names it.
        processor: its name, empty where the system tells none.
        cores: as the system counts them.
        memory_mib: main memory, MiB; 0 where the system does not tell.
        python: the version.
        edgeinfer: the version.
    """

    board: str
    title: str
    architecture: str
    processor: str
    cores: int
    memory_mib: int
    python: str
    edgeinfer: str


@dataclass(frozen=True, kw_only=True)
class RuntimeUsed:
    """The runtime that the stages were timed with.

    Attributes:
        name: the runtime's.
        version: its version.
        kernels: what computes that no delegate takes.
        threads: interpreter threads.
        variant: which variant, and why; empty for a plain `.tflite` on the CPU.
        delegate: the library and its options; empty for the CPU.
    """

    name: str
    version: str
    kernels: str
    threads: int
    variant: str = ""
    delegate: str = ""


@dataclass(frozen=True, kw_only=True)
class FrameKind:
    """The frames that the stages were timed with; sizes in pixels."""

    width: int
    height: int
    format: FrameFormat
    pixels: Literal["golden", "made-up"]


@dataclass(frozen=True, kw_only=True)
class StageTimes:
    """How long a stage took: percentiles over the frames, milliseconds."""

    stage: StageName
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, kw_only=True)
class ColdStart:
    """From the start of a process to its first prediction.

    Attributes:
        runs: how many processes were started.
        median_ms: of their times, milliseconds; `min_ms` and `max_ms` of them, too.
        peak_rss_mib: the median of the most memory that each held, MiB.
    """

    runs: int
    median_ms: float
    min_ms: float
    max_ms: float
    peak_rss_mib: float


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A runtime with a number of threads: times of one inference, or why there are none."""

    runtime: str
    threads: int
    version: str | None = None
    kernels: str | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Runtimes and thread counts side by side.

    Attributes:
        rounds: how often each had its turn.
        board_threads: the board profile's thread count.
        candidates: in the order of runtime and threads.
    """

    rounds: int
    board_threads: int
    candidates: tuple[Candidate, ...]

    def fastest(self, runtime: str | None = None) -> Candidate | None:
        """Return the candidate, of one runtime or all, with the smallest median; None of none."""
        measured = [
            (candidate.p50_ms, number, candidate)
            for number, candidate in enumerate(self.candidates)
            if candidate.p50_ms is not None and runtime in (None, candidate.runtime)
        ]
        return min(measured)[2] if measured else None

    def slower_by(self, threads: int, runtime: str) -> float | None:
        """Return by which part of the fastest median of a runtime a thread count is slower.

        0.0 for the fastest itself; None where it was not measured.
        """
        best = self.fastest(runtime)
        for candidate in self.candidates:
            if (candidate.runtime, candidate.threads) == (runtime, threads):
                if best is None or not best.p50_ms or candidate.p50_ms is None:
                    return None
                return candidate.p50_ms / best.p50_ms - 1
        return None


@dataclass(frozen=True, kw_only=True)
class OpTime:
    """What one operator took.

    Attributes:
        index: its place in the order in which the operators run, from 0.
        op: its name.
        shape: of its first output.
        dtype: of its first output.
        ms: the difference of two medians, milliseconds; below 0 where noise was larger.
    """

    index: int
    op: str
    shape: tuple[int, ...]
    dtype: str
    ms: float


@dataclass(frozen=True, kw_only=True)
class OpProfile:
    """What each operator took; see `op_times.py` for the method and its limits."""

    rounds: int
    runtime: str
    threads: int
    operators: tuple[OpTime, ...]

    @property
    def total_ms(self) -> float:
        """The median of the whole model: what the differences add up to."""
        return sum(item.ms for item in self.operators)

    def by_type(self) -> tuple[tuple[str, int, float], ...]:
        """Return (operator, how many of them, milliseconds together), the most expensive first."""
        kinds: dict[str, list[float]] = {}
        for item in self.operators:
            kinds.setdefault(item.op, []).append(item.ms)
        rows = [(op, len(times), sum(times)) for op, times in kinds.items()]
        return tuple(sorted(rows, key=lambda row: (-row[2], row[0])))


@dataclass(frozen=True, kw_only=True)
class BenchmarkReport:
    """All that a benchmark found; see the module for the keys of its JSON."""

    model: ModelFile
    machine: Machine
    runtime: RuntimeUsed
    frames: int
    stages: tuple[StageTimes, ...]
    comparison: Comparison
    frame: FrameKind | None = None
    cold_start: ColdStart | None = None
    rss_mib: float | None = None
    ops: OpProfile | None = None
    note: str | None = None
    host: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what `json.dumps` takes; what was not measured is left out."""
        document: dict[str, Any] = to_json(self)
        return document


def parse_report(text: str) -> BenchmarkReport:
    """Read the JSON of a report.

    Raises:
        SchemaError: it is not JSON, or a report of another version.
    """
    return from_json(BenchmarkReport, parse_json(text.encode()))


def format_report(report: BenchmarkReport) -> str:
    """Return the report as one line of JSON."""
    return json.dumps(report.to_json())


def moved_to(report: BenchmarkReport, *, host: str, model: ModelFile) -> BenchmarkReport:
    """Return a board's report under the names that the user knows."""
    return dataclasses.replace(report, host=host, model=model)


def percentiles(stage: StageName, times_ns: Sequence[int]) -> StageTimes:
    """Return the percentiles, by the nearest rank, of durations in nanoseconds.

    Raises:
        ValueError: there are none.
    """
    if not times_ns:
        raise ValueError(f"{stage}: nothing was timed")
    p50, p95, p99 = nearest_ranks_ms(times_ns, (50, 95, 99))
    return StageTimes(stage=stage, p50_ms=p50, p95_ms=p95, p99_ms=p99)


def nearest_ranks_ms(times_ns: Sequence[int], percents: Sequence[float]) -> tuple[float, ...]:
    """Return percentiles of durations in nanoseconds, in milliseconds to the nanosecond."""
    ranks = np.percentile(np.asarray(times_ns, np.int64), percents, method="inverted_cdf")
    return tuple(round(float(rank) / 1e6, 6) for rank in ranks)

"""A report whose figures are made up: every part is there."""

from __future__ import annotations

from edgeinfer.device.diagnose.benchmark.report import (
    BenchmarkReport,
    Candidate,
    ColdStart,
    Comparison,
    FrameKind,
    Machine,
    ModelFile,
    OpProfile,
    OpTime,
    RuntimeUsed,
    StageTimes,
)

LITERT = {"runtime": "ai-edge-litert", "version": "2.3.0", "kernels": "xnnpack"}


def candidate(threads: int, p50_ms: float) -> Candidate:
    return Candidate(
        runtime="ai-edge-litert",
        version="2.3.0",
        kernels="xnnpack",
        threads=threads,
        p50_ms=p50_ms,
        p95_ms=p50_ms + 0.5,
    )


def comparison(*p50s_ms: float, board_threads: int = 3) -> Comparison:
    """1, 2, 3, ... threads."""
    return Comparison(
        rounds=6,
        board_threads=board_threads,
        candidates=tuple(candidate(n + 1, ms) for n, ms in enumerate(p50s_ms)),
    )


REFUSED = Candidate(runtime="tflite-runtime", threads=1, reason="cannot load it (too new)")

REPORT = BenchmarkReport(
    model=ModelFile(name="cats", file="cats.edgebundle", size_bytes=4_000_000),
    machine=Machine(
        board="rpi4",
        title="Raspberry Pi 4",
        architecture="aarch64",
        processor="",
        cores=4,
        memory_mib=3792,
        python="3.11.2",
        edgeinfer="0.1.0",
    ),
    runtime=RuntimeUsed(name="ai-edge-litert", version="2.3.0", kernels="xnnpack", threads=3),
    frame=FrameKind(width=640, height=480, format="jpeg", pixels="golden"),
    frames=1234,
    stages=(
        StageTimes(stage="decode", p50_ms=5.5, p95_ms=6.0, p99_ms=7.25),
        StageTimes(stage="preprocess", p50_ms=1.0, p95_ms=1.5, p99_ms=2.0),
        StageTimes(stage="invoke", p50_ms=17.0, p95_ms=18.0, p99_ms=1900.0),
        StageTimes(stage="postprocess", p50_ms=0.0123, p95_ms=0.02, p99_ms=0.03),
        StageTimes(stage="whole", p50_ms=23.5, p95_ms=25.5, p99_ms=1909.28),
    ),
    cold_start=ColdStart(runs=5, median_ms=612.0, min_ms=600.0, max_ms=650.0, peak_rss_mib=92.4),
    rss_mib=101.25,
    comparison=Comparison(
        rounds=6,
        board_threads=3,
        candidates=(*(candidate(n, 34.0 / n) for n in (1, 3, 4)), REFUSED),
    ),
    ops=OpProfile(
        rounds=4,
        runtime="ai-edge-litert 2.3.0 (xnnpack)",
        threads=3,
        operators=(
            OpTime(index=0, op="CONV_2D", shape=(1, 112, 112, 32), dtype="int8", ms=10.0),
            OpTime(index=1, op="RESHAPE", shape=(1, 10), dtype="int8", ms=-0.5),
            OpTime(index=2, op="CONV_2D", shape=(1, 7, 7, 8), dtype="int8", ms=7.5),
        ),
    ),
    host="pi@board",
)

"""Runtimes and thread counts side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import NDArray

from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.diagnose.benchmark.report import Candidate, Comparison, nearest_ranks_ms
from edgeinfer.device.runtime.first_opening import open_on_cpu
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.runtime.runner import Runner, RuntimeName

ROUNDS = 6

_MAX_RUNS = 20_000
"""Of one candidate in one round."""


def compare(
    model: bytes,
    *,
    subject: str,
    tensors: Sequence[NDArray[Any]],
    runtimes: Sequence[RuntimeName],
    threads: Sequence[int],
    board_threads: int,
    seconds: float,
    rounds: int = ROUNDS,
    trust: bool = False,
    progress: Callable[[str], None] = lambda text: None,
) -> Comparison:
    """Time one inference, copies in and out included, for each runtime with each thread count.

    They take turns, every other round in the opposite order, so that whatever else the machine
    does falls on all of them.

    Args:
        model: the `.tflite` file's bytes.
        subject: the file's name, for errors.
        tensors: one for each input, of its shape and dtype.
        runtimes: the runtimes; one that refuses the model, or does not work in this process,
            gets its reason instead of times.
        threads: the thread counts.
        board_threads: the board profile's, for the report.
        seconds: how long each candidate is timed, all rounds together.
        rounds: how often each has its turn.
        trust: whether operators may be used that edgeinfer cannot check.
        progress: gets what is being timed.
    """
    runners: dict[tuple[RuntimeName, int], Runner | str] = {}
    for runtime in runtimes:
        for count in threads:
            try:
                runners[runtime, count] = open_on_cpu(
                    model,
                    OpenOptions(threads=count, runtime=runtime, trust=trust),
                    subject=subject,
                )
            except EdgeinferError as error:
                runners[runtime, count] = error.got
    times_ns: dict[tuple[RuntimeName, int], list[int]] = {key: [] for key in runners}
    keys = list(runners)
    for turn in range(rounds):
        for key in keys if turn % 2 == 0 else reversed(keys):
            runner = runners[key]
            if isinstance(runner, str):
                continue
            progress(f"{key[0]}, threads: {key[1]}, round {turn + 1}/{rounds}")
            try:
                times_ns[key] += _time(runner, tensors, seconds / rounds)
            except EdgeinferError as error:
                runners[key] = error.got
    return Comparison(
        rounds=rounds,
        board_threads=board_threads,
        candidates=tuple(_candidate(key, runner, times_ns[key]) for key, runner in runners.items()),
    )


def _candidate(
    key: tuple[RuntimeName, int], runner: Runner | str, times_ns: list[int]
) -> Candidate:
    runtime, threads = key
    if isinstance(runner, str):
        return Candidate(runtime=runtime, threads=threads, reason=runner)
    p50_ms, p95_ms = nearest_ranks_ms(times_ns, (50, 95))
    return Candidate(
        runtime=runtime,
        threads=threads,
        version=runner.version,
        kernels=runner.kernels,
        p50_ms=p50_ms,
        p95_ms=p95_ms,
    )


def _time(runner: Runner, tensors: Sequence[NDArray[Any]], seconds: float) -> list[int]:
    """Return durations of inferences, nanoseconds; the first after another's turn is left out."""
    runner.invoke(tensors)
    times_ns: list[int] = []
    end_ns = time.perf_counter_ns() + round(seconds * 1e9)
    while len(times_ns) < _MAX_RUNS:
        begin_ns = time.perf_counter_ns()
        runner.invoke(tensors)
        finish_ns = time.perf_counter_ns()
        times_ns.append(finish_ns - begin_ns)
        if finish_ns >= end_ns:
            break
    return times_ns

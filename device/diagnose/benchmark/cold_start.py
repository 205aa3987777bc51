"""From the start of a process to its first prediction, and the memory that it takes."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.core.processes import python_command, run_to_end, safe_environment
from edgeinfer.device.diagnose.benchmark.report import ColdStart
from edgeinfer.device.runtime.open_options import OpenOptions

_CHILD = "edgeinfer.device.diagnose.benchmark.cold_start_process"


def time_cold_starts(
    path: Path,
    options: OpenOptions,
    *,
    runs: int,
    progress: Callable[[str], None] = lambda text: None,
) -> ColdStart:
    """Start fresh processes, one after another, and take medians.

    The files are in the system's cache, read by this process or by the first: a start right after
    booting takes longer.

    Args:
        path: the model.
        options: how it is opened.
        runs: how many processes, 1 or more.
        progress: gets which run begins.

    Raises:
        ModelError: a process failed.
    """
    times_ms: list[float] = []
    peaks_mib: list[float] = []
    for number in range(runs):
        progress(f"cold start {number + 1}/{runs}")
        time_ms, peak_mib = _one_start(path, options)
        times_ms.append(time_ms)
        peaks_mib.append(peak_mib)
    return ColdStart(
        runs=runs,
        median_ms=round(statistics.median(times_ms), 3),
        min_ms=round(min(times_ms), 3),
        max_ms=round(max(times_ms), 3),
        peak_rss_mib=round(statistics.median(peaks_mib), 2),
    )


def _one_start(path: Path, options: OpenOptions) -> tuple[float, float]:
    """Return (milliseconds, peak MiB; 0 where the system does not say)."""
    command = python_command("-m", _CHILD, str(path), options.to_json())
    environ = safe_environment()
    begin_ns = time.monotonic_ns()
    done = run_to_end(command, env=environ)
    try:
        answer = json.loads(done.stdout)
        end_ns, peak_mib = int(answer["monotonic_ns"]), float(answer["peak_rss_mib"] or 0)
    except (ValueError, TypeError, KeyError) as error:
        raise ModelError(
            path,
            got=f"a process that opens it {done.end.text}",
            next_step="try `edgeinfer predict`, or leave it out with --cold-starts 0",
        ) from error
    return (end_ns - begin_ns) / 1e6, peak_mib

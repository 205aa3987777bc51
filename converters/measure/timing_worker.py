"""Times models: `python -m edgeinfer.converters.measure.timing_worker JOB`.

It is a separate process so that the caller's other threads do not disturb it, and so that AMX can
be switched off, which no board has; see `no_amx.py`. JOB is a JSON file that `TimingJob` describes;
a `TimingResult` goes to its `result`.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.measure.no_amx import forbid_amx
from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.diagnose.benchmark.subject import made_up_inputs
from edgeinfer.device.models.bundle.strict import from_json, parse_json, to_json
from edgeinfer.device.runtime.runner import Runner

MAX_ROUNDS = 60
STEADY = 0.05
"""Where the quartiles of a ratio are further apart than this share, more rounds are measured."""

ROUND_S = 0.06
"""Short rounds: a short disturbance of the machine then affects all models."""


@dataclass(frozen=True, kw_only=True)
class TimingJob:
    """What to time.

    Attributes:
        models: files by name.
        reference: the name of the model that the others are compared with.
        threads: of the interpreter.
        rounds: turns of each model; up to MAX_ROUNDS where the machine is disturbed.
        result: the file to write.
    """

    models: dict[str, str]
    reference: str
    threads: int
    rounds: int
    result: str


@dataclass(frozen=True, kw_only=True)
class InvokeTime:
    """How long one model's inference takes, alone and compared with a reference.

    Attributes:
        ms: median over the rounds of each round's shortest time.
        ratio: median over the rounds of the reference's time divided by this model's time in the
            same round: how many times as fast it is.
        ratio_low: the first quartile of those ratios.
        ratio_high: the third.
    """

    ms: float
    ratio: float
    ratio_low: float
    ratio_high: float


@dataclass(frozen=True, kw_only=True)
class Refused:
    """Why a model cannot be loaded; the parts of a `ModelError`."""

    subject: str
    got: str
    expected: str = ""
    next_step: str = ""


@dataclass(frozen=True, kw_only=True)
class TimingResult:
    """The times by the models' names, or why there are none."""

    times: dict[str, InvokeTime] = field(default_factory=dict)
    refused: Refused | None = None


def run_job(job: TimingJob) -> TimingResult:
    """Time the interpreter's invoke of several models, in turns."""
    with ExitStack() as stack:
        prepared = {}
        for name, path in job.models.items():
            try:
                runner = Runner(Path(path).read_bytes(), subject=name, threads=job.threads)
            except ModelError as error:
                refused = Refused(
                    subject=error.subject,
                    got=error.got,
                    expected=error.expected,
                    next_step=error.next_step,
                )
                return TimingResult(refused=refused)
            stack.callback(runner.close)
            prepared[name] = runner, made_up_inputs(runner.inputs)
        for runner, inputs in prepared.values():
            _one_round_ms(runner, inputs)
        times: dict[str, list[float]] = {name: [] for name in prepared}
        while True:
            for name, (runner, inputs) in prepared.items():
                times[name].append(_one_round_ms(runner, inputs))
            measured = {name: _against(times[job.reference], own) for name, own in times.items()}
            done = len(times[job.reference])
            if done >= max(job.rounds, MAX_ROUNDS) or (done >= job.rounds and _steady(measured)):
                return TimingResult(times=measured)


def _steady(measured: Mapping[str, InvokeTime]) -> bool:
    return all(
        time.ratio_high - time.ratio_low <= STEADY * time.ratio for time in measured.values()
    )


def _one_round_ms(runner: Runner, inputs: list[NDArray[Any]]) -> float:
    """Return the shortest invocation of a round; the first, which warms the caches, is left out.

    Other programs that take the processor away in between can only lengthen an invocation.
    """
    runner.invoke(inputs)
    shortest_ns: float = math.inf
    end_ns = time.perf_counter_ns() + round(ROUND_S * 1e9)
    while math.isinf(shortest_ns) or time.perf_counter_ns() < end_ns:
        begin_ns = time.perf_counter_ns()
        runner.invoke(inputs)
        shortest_ns = min(shortest_ns, time.perf_counter_ns() - begin_ns)
    return shortest_ns / 1e6


def _against(reference: list[float], own: list[float]) -> InvokeTime:
    low, middle, high = np.percentile(np.divide(reference, own), (25, 50, 75))
    return InvokeTime(
        ms=float(np.median(own)),
        ratio=float(middle),
        ratio_low=float(low),
        ratio_high=float(high),
    )


def main() -> None:
    """Do the job that the command line names."""
    forbid_amx()
    job = from_json(TimingJob, parse_json(Path(sys.argv[1]).read_bytes()))
    Path(job.result).write_text(json.dumps(to_json(run_job(job))), encoding="utf-8")


if __name__ == "__main__":
    main()

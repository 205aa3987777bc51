"""What each operator costs, without a profiler: neither runtime's Python interface has one.

For each operator the model that ends right after it is made (see `op_prefixes.py`) and timed; an
operator's cost is the difference of its median and that of the model one operator shorter. So:

- The differences add up to the median of the whole model.
- The first operator includes what an inference costs by itself.
- Each difference has the noise of two medians: that of a tiny operator may come out below 0. It is
  kept as it is; only the table for people shows `~0` for it.
- Runtimes may compute an operator together with its neighbours, as XNNPACK does with padding and
  activations. Then its cost is that of the operator at which that happens.

It works with XNNPACK and with the builtin kernels, since whole models are timed.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import NDArray

from edgeinfer.device.diagnose.benchmark.op_prefixes import Prefixes
from edgeinfer.device.diagnose.benchmark.report import OpProfile, OpTime
from edgeinfer.device.runtime.runner import Runner, RuntimeName

ROUNDS = 4
"""Even, so that what drifts over the minutes affects all equally: every other round runs back."""

_WARM_UP = 2
_MIN_RUNS = 5
_MAX_RUNS = 200
_RUN_SECONDS = 0.02
"""How long a model is timed in a round, if `_MIN_RUNS` take less."""


def profile_operators(
    model: bytes,
    *,
    subject: str,
    tensors: Sequence[NDArray[Any]],
    threads: int,
    runtime: RuntimeName | None,
    rounds: int = ROUNDS,
    progress: Callable[[str], None] = lambda text: None,
) -> OpProfile:
    """Time the operators of a model's graph; only one interpreter is held at a time.

    Args:
        model: the `.tflite` file's bytes.
        subject: the file's name, for errors.
        tensors: one for each input, of its shape and dtype.
        threads: interpreter threads.
        runtime: which runtime; None takes the preferred one.
        rounds: how often each operator has its turn.
        progress: gets what is being timed.

    Raises:
        ModelError: the model has several graphs, or an operator without a result that a model can
            answer with; or the runtime refuses it.
    """
    prefixes = Prefixes(model, subject=subject)
    times_ns: list[list[int]] = [[] for _ in range(len(prefixes))]
    name = ""
    for turn in range(rounds):
        order = range(len(prefixes))
        for number in order if turn % 2 == 0 else reversed(order):
            progress(f"operator {number + 1}/{len(prefixes)}, round {turn + 1}/{rounds}")
            runner = Runner(
                prefixes.model(number + 1), subject=subject, threads=threads, runtime=runtime
            )
            name = runner.description
            times_ns[number] += _time(runner, tensors)
    medians_ms = [statistics.median(times) / 1e6 for times in times_ns]
    return OpProfile(
        rounds=rounds,
        runtime=name,
        threads=threads,
        operators=tuple(
            OpTime(
                index=number,
                op=step.op,
                shape=prefixes.result(number).shape,
                dtype=prefixes.result(number).dtype,
                ms=round(medians_ms[number] - (medians_ms[number - 1] if number else 0.0), 6),
            )
            for number, step in enumerate(prefixes.graph.operators)
        ),
    )


def _time(runner: Runner, tensors: Sequence[NDArray[Any]]) -> list[int]:
    """Return durations of inferences, nanoseconds, without copying tensors in or out."""
    runner.invoke(tensors)
    for _ in range(_WARM_UP):
        runner.invoke_again()
    times_ns: list[int] = []
    end_ns = time.perf_counter_ns() + round(_RUN_SECONDS * 1e9)
    while len(times_ns) < _MAX_RUNS:
        begin_ns = time.perf_counter_ns()
        runner.invoke_again()
        times_ns.append(time.perf_counter_ns() - begin_ns)
        if len(times_ns) >= _MIN_RUNS and begin_ns >= end_ns:
            break
    return times_ns

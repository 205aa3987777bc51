"""Invoke times of several models beside each other: in turns, so that all see the same machine."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.benchmark.subject import made_up_inputs
from edgeinfer.device.runtime import Runner

ROUNDS = 15
ROUND_S = 0.06
"""Short rounds: what disturbs the machine for a moment then strikes all models alike."""


@dataclass(frozen=True, kw_only=True)
class InvokeTime:
    """How long one model's inference takes, by itself and against a reference.

    Attributes:
        ms: median over the rounds of each round's median.
        ratio: median over the rounds of the reference's time divided by this one's in the same
            round: how many times as fast it is.
        ratio_low: the first quartile of those ratios.
        ratio_high: the third.
    """

    ms: float
    ratio: float
    ratio_low: float
    ratio_high: float


def time_models(
    models: Mapping[str, bytes], reference: str, *, threads: int = 1, rounds: int = ROUNDS
) -> dict[str, InvokeTime]:
    """Time the interpreter's invoke of several models, in turns.

    Args:
        models: `.tflite` contents by name.
        reference: the name of the model that the others are compared with.
        threads: of the interpreter.
        rounds: turns of each model.

    Raises:
        ModelError: a model cannot be loaded.
    """
    with ExitStack() as stack:
        prepared = {}
        for name, content in models.items():
            runner = Runner(content, subject=name, threads=threads)
            stack.callback(runner.close)
            prepared[name] = runner, made_up_inputs(runner.inputs)
        for runner, inputs in prepared.values():
            _one_round_ms(runner, inputs)
        times = {name: np.empty(rounds) for name in models}
        for number in range(rounds):
            for name, (runner, inputs) in prepared.items():
                times[name][number] = _one_round_ms(runner, inputs)
    return {name: _against(times[reference], own) for name, own in times.items()}


def _one_round_ms(runner: Runner, inputs: list[NDArray[Any]]) -> float:
    """Return the median of a round's invocations; the first warms the caches and is left out."""
    runner.invoke(inputs)
    taken_ns: list[int] = []
    end_ns = time.perf_counter_ns() + round(ROUND_S * 1e9)
    while not taken_ns or time.perf_counter_ns() < end_ns:
        begin_ns = time.perf_counter_ns()
        runner.invoke(inputs)
        taken_ns.append(time.perf_counter_ns() - begin_ns)
    return float(np.median(taken_ns)) / 1e6


def _against(reference: NDArray[np.float64], own: NDArray[np.float64]) -> InvokeTime:
    low, middle, high = np.percentile(reference / own, (25, 50, 75))
    return InvokeTime(
        ms=float(np.median(own)),
        ratio=float(middle),
        ratio_low=float(low),
        ratio_high=float(high),
    )

"""Invoke times of several models beside each other: in turns, so that all see the same machine."""

from __future__ import annotations

import math
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
MAX_ROUNDS = 60
STEADY = 0.05
"""Where the quartiles of a ratio are further apart than this share, more rounds are measured."""

ROUND_S = 0.06
"""Short rounds: what disturbs the machine for a moment then strikes all models alike."""


@dataclass(frozen=True, kw_only=True)
class InvokeTime:
    """How long one model's inference takes, by itself and against a reference.

    Attributes:
        ms: median over the rounds of each round's shortest time.
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
        rounds: turns of each model; up to MAX_ROUNDS where the machine is disturbed.

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
        times: dict[str, list[float]] = {name: [] for name in models}
        while True:
            for name, (runner, inputs) in prepared.items():
                times[name].append(_one_round_ms(runner, inputs))
            measured = {name: _against(times[reference], own) for name, own in times.items()}
            done = len(times[reference])
            if done >= max(rounds, MAX_ROUNDS) or (done >= rounds and _steady(measured)):
                return measured


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

"""How long a model takes compared with the baseline: here, or on a board over SSH.

The machine may be busy with other things, and the load may change. So a model is never timed alone:
it and the baseline take turns, and the result is the ratio of their medians in each round, which
both shared.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from edgeinfer.boards import detect_board
from edgeinfer.converters.measure.no_amx import has_amx
from edgeinfer.converters.measure.timing import ROUNDS, time_models
from edgeinfer.device.core.errors import RemoteError
from edgeinfer.device.core.ssh import NOT_FOUND, SshHost, remote_word
from edgeinfer.device.diagnose.benchmark.benchmark import BenchmarkOptions
from edgeinfer.device.diagnose.benchmark.machine import this_machine
from edgeinfer.device.diagnose.benchmark.remote import benchmark_on
from edgeinfer.device.runtime.runner import choose_runtime

BOARD_ROUNDS = 3
_BOARD_SECONDS = 0.6


@dataclass(frozen=True, kw_only=True)
class Timing:
    """A model's time compared with the baseline's.

    Attributes:
        ratio: of the model's time to the baseline's: the median over the rounds.
        ratio_low: the first quartile of the rounds' ratios.
        ratio_high: the third.
        baseline_ms: the baseline's time, the median over the rounds, milliseconds.
    """

    ratio: float
    ratio_low: float
    ratio_high: float
    baseline_ms: float


class Timer(Protocol):
    """Times models compared with the baseline."""

    @property
    def machine(self) -> str:
        """Where it measures, for people."""

    def check(self) -> None:
        """Raise an error if it cannot measure, before anything else is done."""

    def compare(self, baseline: Path, model: Path) -> Timing:
        """Time a `.tflite` file and the baseline's in turns."""


class LocalTimer:
    """Times the interpreter's invoke on this machine, with copies in and out.

    Args:
        threads: interpreter threads.
        rounds: turns of each model; more if the machine is disturbed.
    """

    def __init__(self, *, threads: int = 1, rounds: int = ROUNDS) -> None:
        self._threads, self._rounds = threads, rounds

    @property
    def machine(self) -> str:
        """The processor and the runtime."""
        here = this_machine(detect_board())
        name = here.processor or here.architecture
        without = ", without AMX" if has_amx() else ""
        return f"this machine ({name}, {choose_runtime()}, threads: {self._threads}{without})"

    def check(self) -> None:
        """Raise an error if no runtime is installed."""
        choose_runtime()

    def compare(self, baseline: Path, model: Path) -> Timing:
        """Time both in turns; see `time_models`.

        Raises:
            ModelError: the runtime refuses a file.
        """
        contents = {"baseline": baseline.read_bytes(), str(model): model.read_bytes()}
        times = time_models(contents, "baseline", threads=self._threads, rounds=self._rounds)
        time = times[str(model)]
        # There the ratio is a speedup, here it is a share of the time.
        return Timing(
            ratio=1 / time.ratio,
            ratio_low=1 / time.ratio_high,
            ratio_high=1 / time.ratio_low,
            baseline_ms=times["baseline"].ms,
        )


class BoardTimer:
    """Times the interpreter's invoke on a board, with `edgeinfer benchmark` there.

    Args:
        host: the board.
        threads: interpreter threads.
        program: edgeinfer's program there.
        rounds: how often the baseline and the model take turns.
        seconds: how long each runs in each round.
    """

    def __init__(
        self,
        host: SshHost,
        *,
        threads: int = 1,
        program: str = "edgeinfer",
        rounds: int = BOARD_ROUNDS,
        seconds: float = _BOARD_SECONDS,
    ) -> None:
        self._host, self._threads, self._program = host, threads, program
        self._rounds, self._seconds = rounds, seconds

    @property
    def machine(self) -> str:
        """The board's name."""
        return f"{self._host.name}, threads: {self._threads}"

    def check(self) -> None:
        """Reach the board and its program.

        Raises:
            RemoteError: it does not answer, or has no edgeinfer.
        """
        answer = self._host.run(f"{remote_word(self._program)} --version")
        if answer.code:
            missing = answer.code == NOT_FOUND
            raise RemoteError(
                self._host.name,
                got=f"there is no program `{self._program}`"
                if missing
                else f"`{self._program} --version` failed there ({answer.last_line()})",
                next_step="install edgeinfer there, or name where it is: "
                "--remote-program '~/venv/bin/edgeinfer'",
            )

    def compare(self, baseline: Path, model: Path) -> Timing:
        """Time both in turns.

        Raises:
            RemoteError: the board can no longer be reached, or the benchmark failed there.
        """
        medians: list[list[float]] = [[], []]
        for turn in range(self._rounds):
            order = ((0, baseline), (1, model))
            for index, path in order if turn % 2 == 0 else reversed(order):
                medians[index].append(self._median_ms(path))
        return _timing(*medians)

    def _median_ms(self, path: Path) -> float:
        options = BenchmarkOptions(threads=(self._threads,), seconds=self._seconds, cold_starts=0)
        report = benchmark_on(self._host, path, options, program=self._program)
        for stage in report.stages:
            if stage.stage == "invoke":
                return stage.p50_ms
        raise RemoteError(
            self._host.name,
            got="its report has no time of an inference",
            next_step="install the same version of edgeinfer there",
        )


def _timing(baseline_ms: list[float], model_ms: list[float]) -> Timing:
    low, middle, high = np.percentile(np.divide(model_ms, baseline_ms), (25, 50, 75))
    return Timing(
        ratio=float(middle),
        ratio_low=float(low),
        ratio_high=float(high),
        baseline_ms=float(np.median(baseline_ms)),
    )

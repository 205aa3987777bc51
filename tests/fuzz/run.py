"""Runs fuzz targets with inputs of a fixed seed, in a separate process."""

from __future__ import annotations

import importlib
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import cast

from tests.fuzz.mutate import mutate
from tests.support.checkout import ROOT

_TARGETS = Path(__file__).parent / "targets"
MOST_FAULTS = 10
CPU_LIMIT_S = 5.0
"""Processor time of one attempt, where a target does not set its own `CPU_LIMIT_S`."""
MEMORY_LIMIT_MIB = 300
"""Memory that an attempt may take above what was there at first, where a target sets none."""
GO_ON = 75
"""The worker's exit code when another process is to go on behind its last attempt."""
HANG_S = 60.0
"""An attempt that does not end within this is killed; Python code that is slow ends by itself."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a module in `targets/` offers; see README.md."""

    name: str
    seeds: Callable[[], list[bytes]]
    attempt: Callable[[bytes], None]
    generate: Callable[[Random], bytes] | None
    cpu_limit_s: float
    memory_limit_mib: int

    def inputs(self, seed: int) -> Callable[[int], bytes]:
        """Return a function that makes the input of an attempt, given its number."""
        seeds = self.seeds()

        def make(number: int) -> bytes:
            random = Random(f"{self.name} {seed} {number}")
            if self.generate is not None and (not seeds or random.random() < 0.5):
                return self.generate(random)
            return mutate(random.choice(seeds), random, seeds)

        return make


@dataclass(frozen=True, kw_only=True)
class Fault:
    """An input that broke its reader."""

    number: int
    data: bytes
    trace: str

    def keep(self, target: str) -> Path:
        """Write the input to a separate file."""
        with tempfile.NamedTemporaryFile(prefix=f"fuzz-{target}-", delete=False) as stream:
            stream.write(self.data)
        return Path(stream.name)


def target_names() -> list[str]:
    """Return the targets' names in alphabetical order."""
    return sorted(path.stem for path in _TARGETS.glob("*.py") if path.stem != "__init__")


def load_target(name: str) -> Target:
    """Import a target, by its name or its module's."""
    module = importlib.import_module(name if "." in name else f"tests.fuzz.targets.{name}")
    return Target(
        name=name,
        seeds=module.seeds,
        attempt=module.attempt,
        generate=cast("Callable[[Random], bytes] | None", getattr(module, "generate", None)),
        cpu_limit_s=getattr(module, "CPU_LIMIT_S", CPU_LIMIT_S),
        memory_limit_mib=getattr(module, "MEMORY_LIMIT_MIB", MEMORY_LIMIT_MIB),
    )


def run_target(name: str, *, attempts: int, seed: int, first: int = 0) -> list[Fault]:
    """Return the faults of a run, at most ten.

    The attempts are made in a separate process. One that dies, hangs, or takes too much time
    or memory is a fault like an exception, and the attempts behind it are made in another process.

    Args:
        name: the target's.
        attempts: how many inputs.
        seed: which inputs.
        first: the number of the first attempt, to repeat one.
    """
    numbers: list[tuple[int, str]] = []
    next_number, end = first, first + attempts
    while next_number < end and len(numbers) < MOST_FAULTS:
        next_number = _run_process(name, seed, next_number, end, numbers)
    if not numbers:
        return []
    make = load_target(name).inputs(seed)
    return [
        Fault(number=number, data=make(number), trace=trace)
        for number, trace in numbers[:MOST_FAULTS]
    ]


def _run_process(name: str, seed: int, first: int, end: int, found: list[tuple[int, str]]) -> int:
    """Make attempts until the end or one that ends the process; return the number of the next."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        progress, faults, errors = (
            Path(folder) / part for part in ("progress", "faults", "errors")
        )
        progress.write_bytes(first.to_bytes(8, "little"))
        faults.touch()
        numbers = (str(number) for number in (seed, first, end))
        command = [sys.executable, "-m", "tests.fuzz.worker", name, *numbers]
        with errors.open("wb") as stream:
            process = subprocess.Popen(
                [*command, str(progress), str(faults)], cwd=ROOT, stdout=stream, stderr=stream
            )
            hung = _wait(process, progress)
        last_words = errors.read_bytes()[-2000:].decode(errors="replace")
        found += [tuple(json.loads(line)) for line in faults.read_text().splitlines()]
        number = int.from_bytes(progress.read_bytes(), "little")
    if process.returncode == 0:
        return end
    if process.returncode != GO_ON:
        died = f"died of {_cause(process.returncode)}"
        what = f"did not end within {HANG_S:.0f} s" if hung else died
        found.append((number, f"the process {what}\n{last_words}"))
    return number + 1


def _wait(process: subprocess.Popen[bytes], progress: Path) -> bool:
    """Wait for a process, and kill it when an attempt hangs; return whether it did."""
    last, since = b"", time.monotonic()
    while True:
        try:
            process.wait(1)
            return False
        except subprocess.TimeoutExpired:
            now = progress.read_bytes()
        if now != last:
            last, since = now, time.monotonic()
        elif time.monotonic() - since > HANG_S:
            process.kill()
            process.wait()
            return True


def _cause(returncode: int) -> str:
    return signal.Signals(-returncode).name if returncode < 0 else f"exit code {returncode}"

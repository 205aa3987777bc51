"""Runs fuzz targets with inputs of a fixed seed."""

from __future__ import annotations

import importlib
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import cast

from tests.fuzz.mutate import mutate

_TARGETS = Path(__file__).parent / "targets"
_MOST_FAULTS = 10


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a module in `targets/` offers; see README.md."""

    name: str
    seeds: Callable[[], list[bytes]]
    attempt: Callable[[bytes], None]
    generate: Callable[[Random], bytes] | None

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
    """An input that upset its reader."""

    number: int
    data: bytes
    trace: str

    def keep(self, target: str) -> Path:
        """Write the input to a file of its own."""
        with tempfile.NamedTemporaryFile(prefix=f"fuzz-{target}-", delete=False) as stream:
            stream.write(self.data)
        return Path(stream.name)


def target_names() -> list[str]:
    """Return the targets' names in alphabetical order."""
    return sorted(path.stem for path in _TARGETS.glob("*.py") if path.stem != "__init__")


def load_target(name: str) -> Target:
    """Import a target."""
    module = importlib.import_module(f"tests.fuzz.targets.{name}")
    return Target(
        name=name,
        seeds=module.seeds,
        attempt=module.attempt,
        generate=cast("Callable[[Random], bytes] | None", getattr(module, "generate", None)),
    )


def run_target(target: Target, *, attempts: int, seed: int, first: int = 0) -> list[Fault]:
    """Return the faults of a run, at most ten.

    Args:
        target: what to feed.
        attempts: how many inputs.
        seed: which inputs.
        first: the number of the first attempt, to repeat one.
    """
    make = target.inputs(seed)
    faults: list[Fault] = []
    for number in range(first, first + attempts):
        data = make(number)
        try:
            target.attempt(data)
        except Exception:
            faults.append(Fault(number=number, data=data, trace=traceback.format_exc()))
            if len(faults) == _MOST_FAULTS:
                break
    return faults

"""`python -m tests.fuzz.with_atheris TARGET [OPTIONS OF LIBFUZZER]`: one target, by coverage."""

from __future__ import annotations

import gc
import sys
from random import Random
from types import FunctionType

import atheris  # type: ignore[import-untyped, unused-ignore]

from tests.fuzz.mutate import mutate
from tests.fuzz.run import load_target

_TARGET = load_target(sys.argv.pop(1))
_MEASURED = ("edgeinfer.", "tests.fuzz.")


def _attempt(data: bytes) -> None:
    _TARGET.attempt(data)


def _mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Change an input as the unguided runs do, or as libFuzzer does, half of the time each."""
    random = Random(seed)
    if _TARGET.generate is not None and random.random() < 0.1:
        return _TARGET.generate(random)[:max_size]
    if random.random() < 0.5:
        return bytes(atheris.Mutate(data, max_size))
    return mutate(data, random)[:max_size]


def _measure() -> None:
    """Have the coverage of our own code measured.

    Not while it is imported: the loader of an editable installation is none that atheris knows.
    What is imported late is imported by a first attempt.
    """
    for seed in _TARGET.seeds()[:1]:
        _TARGET.attempt(seed)
    for thing in gc.get_objects():
        if isinstance(thing, FunctionType) and (thing.__module__ or "").startswith(_MEASURED):
            atheris.instrument_func(thing)


if __name__ == "__main__":
    _measure()
    atheris.Setup(sys.argv, _attempt, custom_mutator=_mutate)
    atheris.Fuzz()

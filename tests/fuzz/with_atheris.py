"""`python -m tests.fuzz.with_atheris TARGET [OPTIONS OF LIBFUZZER]`: one target, by coverage."""

from __future__ import annotations

import sys
from random import Random

import atheris  # type: ignore[import-untyped, unused-ignore]

with atheris.instrument_imports(include=["edgeinfer"]):
    from tests.fuzz.run import load_target

    _NAME = sys.argv.pop(1)
    _TARGET = load_target(_NAME)

from tests.fuzz.mutate import mutate


def _attempt(data: bytes) -> None:
    _TARGET.attempt(data)


def _mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Change an input as the unguided runs do, or as libFuzzer does, half of the time each."""
    random = Random(seed)
    if random.random() < 0.5:
        return bytes(atheris.Mutate(data, max_size))
    if _TARGET.generate is not None and random.random() < 0.1:
        return _TARGET.generate(random)[:max_size]
    return mutate(data, random)[:max_size]


if __name__ == "__main__":
    atheris.Setup(sys.argv, _attempt, custom_mutator=_mutate)
    atheris.Fuzz()

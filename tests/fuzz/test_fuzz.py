"""A short run of every fuzz target, the same each time; see README.md next to this file."""

from __future__ import annotations

import pytest

from tests.fuzz.run import run_target, target_names

ATTEMPTS = 300
"""Few enough to take a second or two a target."""


@pytest.mark.parametrize("name", target_names())
def test_no_input_breaks_a_reader(name: str) -> None:
    faults = run_target(name, attempts=ATTEMPTS, seed=15)
    assert not faults, "\n".join(f"attempt {fault.number}: {fault.trace}" for fault in faults)

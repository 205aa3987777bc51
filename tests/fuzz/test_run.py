"""The runner of fuzz targets finds what goes wrong, and goes on behind it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.fuzz.guided import run_guided
from tests.fuzz.run import load_target, run_target

FAULTY = "tests.fuzz.faulty"
SAID = {
    b"raise": "ValueError: a fault",
    b"die": "died of SIGSEGV",
    b"exit": "died of exit code 3",
    b"slow": "took over 0.3 s of processor time",
    b"grow": "MiB of memory",
}


def test_every_way_to_fail_is_found_and_the_rest_is_tried() -> None:
    make = load_target(FAULTY).inputs(3)
    wrong = [number for number in range(12) if make(number) != b"fine"]
    assert {make(number) for number in wrong} == set(SAID)
    faults = run_target(FAULTY, attempts=12, seed=3)
    assert [fault.number for fault in faults] == wrong[:10]
    for fault in faults:
        assert fault.data == make(fault.number)
        assert SAID[fault.data] in fault.trace


def test_one_attempt_is_repeated_and_its_input_kept() -> None:
    make = load_target(FAULTY).inputs(3)
    number = next(number for number in range(12) if make(number) == b"raise")
    (fault,) = run_target(FAULTY, attempts=1, seed=3, first=number)
    kept = fault.keep("faulty")
    assert kept.read_bytes() == b"raise"
    Path(kept).unlink()


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="needs atheris")
def test_guided_run_finds_a_fault() -> None:
    assert run_guided("labels", attempts=200, seed=1) == []
    (fault,) = run_guided(FAULTY, attempts=10_000, seed=1)
    assert fault.data in SAID

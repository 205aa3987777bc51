"""No check can end the doctor or delay it for good."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from edgeinfer.device.diagnose.doctor.finding import Finding, ok
from edgeinfer.device.diagnose.doctor.run_checks import CHECKS, run_checks
from edgeinfer.device.diagnose.doctor.system import System
from tests.support.waiting import PATIENCE_S


class Made:
    """A check made of a function."""

    title = "made"

    def __init__(self, look: Callable[[], Sequence[Finding]]) -> None:
        self._look = look

    def run(self, system: System) -> Sequence[Finding]:
        return self._look()


def only(check: Made, limit_s: float = PATIENCE_S) -> list[Finding]:
    ((_, findings),) = run_checks(System(), [check], limit_s=limit_s)
    return findings


def test_a_check_that_fails_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGEINFER_DEBUG", raising=False)

    def fail() -> Sequence[Finding]:
        raise ZeroDivisionError("by\nzero")

    (finding,) = only(Made(fail))
    assert finding.state == "note"
    assert finding.got == "this check failed (ZeroDivisionError: by\\nzero)"


def test_a_check_that_hangs_is_left_behind() -> None:
    release = threading.Event()

    def hang() -> Sequence[Finding]:
        release.wait(PATIENCE_S)
        return []

    (finding,) = only(Made(hang), limit_s=0.2)
    release.set()
    assert finding.state == "broken"
    assert "did not answer" in finding.got


def test_a_check_that_is_well() -> None:
    assert only(Made(lambda: [ok("a", "b")])) == [ok("a", "b")]


def test_titles_differ() -> None:
    assert len({check.title for check in CHECKS}) == len(CHECKS)

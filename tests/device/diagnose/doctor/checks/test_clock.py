from __future__ import annotations

import time

import pytest

from edgeinfer.device.diagnose.doctor.checks.clock import ClockCheck, judge_clock, synchronized
from edgeinfer.device.diagnose.doctor.system import System


@pytest.mark.parametrize("year", [1970, 2025, 2101])
def test_an_absurd_year(year: int) -> None:
    now = time.strptime(f"{year}-06-01", "%Y-%m-%d")
    finding = judge_clock(now, True)
    assert finding.state == "broken"
    assert "timedatectl" in finding.fix


@pytest.mark.parametrize(("kept", "state"), [(True, "ok"), (False, "note"), (None, "ok")])
def test_a_clock_that_nothing_keeps(kept: bool | None, state: str) -> None:
    assert judge_clock(time.strptime("2026-06-01", "%Y-%m-%d"), kept).state == state


def test_the_kernel_is_asked() -> None:
    assert synchronized() in (True, False, None)
    (finding,) = ClockCheck().run(System())
    assert finding.subject == "clock"

"""No test may take more processor time than its limit, its own processes' included.

Processor time, since on a busy machine a test waits for reasons that are not its own. A test that
runs in an endless loop is ended; one whose children took too much fails when it is done. The limit
is several times what any test takes: on a shared machine the same work takes up to twice the time.
"""

from __future__ import annotations

import resource
import signal
from collections.abc import Generator
from types import FrameType
from typing import NoReturn

import pytest

LIMIT_S = 180
SYSTEM_LIMIT_S = 900
"""For a test without `@pytest.mark.processor_time(limit_s=...)`; systems are emulated, too."""
SHOWN = 15
_PROPERTY = "processor_s"


class TooMuch(BaseException):
    """Not an Exception: code under test must not take it for its own failure."""


def _used_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _end(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise TooMuch


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    mark = item.get_closest_marker("processor_time")
    default_s = SYSTEM_LIMIT_S if item.get_closest_marker("system") else LIMIT_S
    limit_s: float = mark.kwargs["limit_s"] if mark else default_s
    began_s = _used_s()
    before = signal.signal(signal.SIGPROF, _end)
    signal.setitimer(signal.ITIMER_PROF, limit_s)
    try:
        result = yield
    except TooMuch:
        pytest.fail(f"ended after {limit_s} s of processor time: it runs in circles, or is too big")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    used_s = round(_used_s() - began_s, 2)
    item.user_properties.append((_PROPERTY, used_s))
    if used_s > limit_s:
        pytest.fail(
            f"took {used_s:.0f} s of processor time, expected at most {limit_s}: make it smaller, "
            "or mark it with processor_time(limit_s=...) and say why"
        )
    return result


@pytest.hookimpl
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name those that took most, and what all took together."""
    used = [
        (float(str(value)), report.nodeid.partition("@")[0])
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        for name, value in report.user_properties
        if name == _PROPERTY
    ]
    total_s = sum(used_s for used_s, _ in used)
    terminalreporter.section(
        f"processor time: {total_s:.0f} s in {len(used):,} tests, fixtures apart"
    )
    for used_s, name in sorted(used, reverse=True)[:SHOWN]:
        terminalreporter.write_line(f"{used_s:7.1f} s  {name}")

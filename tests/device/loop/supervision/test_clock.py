"""A wall clock that jumps: nothing in the device package uses it."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import edgeinfer.device
from tests.device.loop.supervision.loops import Loop
from tests.device.loop.supervision.manager import Manager
from tests.support.waiting import PATIENCE_S
from tests.system.clock_shim.build import build_clock
from tests.system.reference_delegate.build import c_compiler

DEVICE = Path(edgeinfer.device.__file__).parent

STAMPS = {
    "cli/log/formats.py": {"datetime.now"},
    "outputs/base.py": {"time.time_ns"},
    "diagnose/report/collect.py": {"time.gmtime", "time.strftime"},
    "diagnose/doctor/checks/clock.py": {"time.gmtime", "time.strftime"},  # whose subject it is
    "releases/history.py": {"time.gmtime", "time.strftime"},
}
"""Who may read the wall clock, to say when something was; by path below device/."""
WALL_CLOCK = {
    *("time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.ctime", "time.strftime"),
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.CLOCK_REALTIME"),
}


def wall_clock_reads(source: str) -> set[str]:
    """Return the names of the wall clock that a module uses."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            parts = ast.unparse(node).split(".")
            found |= {".".join(parts[-2:])} & WALL_CLOCK
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            found |= {f"time.{alias.name}" for alias in node.names} & WALL_CLOCK
    return found


def test_only_stamps_come_from_the_wall_clock() -> None:
    modules = sorted(DEVICE.rglob("*.py"))
    assert len(modules) > 50
    reads = {
        str(module.relative_to(DEVICE)): found
        for module in modules
        if (found := wall_clock_reads(module.read_text(encoding="utf-8")))
    }
    assert reads == STAMPS


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.time()",
        "from time import time_ns",
        "import datetime\ndatetime.datetime.now()",
        "import time\ntime.clock_gettime(time.CLOCK_REALTIME)",
    ],
)
def test_reads_of_the_wall_clock_are_found(source: str) -> None:
    assert wall_clock_reads(source)


@pytest.fixture(scope="module")
def jumping(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment under which a process's wall clock jumps."""
    if sys.version_info < (3, 11):
        pytest.skip("before 3.11 Python's own timed waits follow the wall clock")
    compiler = c_compiler()
    if compiler is None:
        pytest.skip("there is no C compiler: this test builds a clock that jumps from C")
    library = build_clock(tmp_path_factory.mktemp("clock_shim") / "jumpclock.so", compiler)
    return {"LD_PRELOAD": str(library)}


def test_the_clock_of_the_test_does_jump(jumping: dict[str, str]) -> None:
    program = (
        "import time\n"
        f"end = time.monotonic() + {PATIENCE_S}\n"
        "days = set()\n"
        "while time.monotonic() < end and len(days) < 4:\n"
        "    days.add(time.time() // 86400)\n"
        "    time.sleep(0.02)\n"
        "print(len(days))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **jumping},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "4\n"


@pytest.mark.parametrize("camera", ["simulated", "video"])
def test_a_loop_under_a_jumping_clock(
    jumping: dict[str, str], camera: str, sample_bundle: Path, video: Path, tmp_path: Path
) -> None:
    source = ("simulated",) if camera == "simulated" else (video, "--realtime")
    limits = ("--max-seconds", 2) if camera == "simulated" else ()
    with Manager(tmp_path) as manager:
        start_s = time.monotonic()
        loop = Loop(
            *("--camera", *source, "--model", sample_bundle, "--json", *limits),
            env={**jumping, **manager.environment(watchdog_s=1)},
        )
        assert loop.end() == 0
        seconds = time.monotonic() - start_s
        manager.listen(0.1)
    summary = json.loads(loop.out[-1])["summary"]
    assert 0 <= summary["seconds"] <= seconds
    assert all(0 <= answer["age_ms"] < 1000 * seconds for answer in loop.answers())
    if camera == "simulated":
        assert summary["seconds"] >= 2
        assert 0 < summary["fps"] < 40  # it asks for 30
        assert any("WATCHDOG" in message for message in manager.heard)
    else:
        assert summary["frames"] + summary["dropped"] == 12
        assert summary["seconds"] > 10 / 25
    assert not [line for line in loop.err if line.startswith(("warning", "error", "heat"))]


def test_reloading_under_a_jumping_clock(
    jumping: dict[str, str], sample_bundle: Path, tmp_path: Path
) -> None:
    loop = Loop(
        *("--camera", "simulated", "--model", sample_bundle, "--json", "--max-fps", 20),
        env=jumping,
    )
    loop.wait_for_answers()
    for number in range(3):
        loop.signal(signal.SIGHUP)
        loop.wait_for_event("reloaded", number + 1)
    loop.signal(signal.SIGTERM)
    assert loop.end() == 0

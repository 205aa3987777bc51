"""A trial keeps what answers and takes back what does not, with its reason."""

from __future__ import annotations

import getpass
import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgeinfer.device.releases.history import read_history
from edgeinfer.device.releases.install.release import BUNDLE, Release
from edgeinfer.device.releases.paths import Layout
from edgeinfer.device.releases.systemd.manager import ServiceState
from edgeinfer.device.releases.trial.health import HealthWatch
from edgeinfer.device.releases.trial.outcome import Outcome
from edgeinfer.device.releases.trial.recover import settle
from edgeinfer.device.releases.trial.trial import try_release
from tests.device.releases.boards import (
    FakeManager,
    install_bare,
    make_board,
)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return make_board(tmp_path)


def attempt(layout: Layout, number: int, manager: FakeManager, reason: str = "") -> Outcome:
    def verify(layout: Layout, release: Release) -> str:
        return reason

    return try_release(layout, number, manager, frames=5, seconds=0.05, verify=verify, poll_s=0.01)


def test_the_same_release_is_installed_once(layout: Layout) -> None:
    assert install_bare(layout, b"one") == install_bare(layout, b"one") == 1
    assert install_bare(layout, b"one", "--max-fps", "5") == 2
    (layout.release(1) / BUNDLE).unlink()
    (layout.release(1) / BUNDLE).write_bytes(b"rot")
    assert install_bare(layout, b"one") == 3


def test_a_release_runs_with_its_own_bundle_and_package(layout: Layout, tmp_path: Path) -> None:
    number = install_bare(layout, b"one", "--camera", "it's; a $(camera)")
    text = (layout.release(number) / "run").read_text()
    assert """run --camera 'it'"'"'s; a $(camera)' --model "$release/bundle.edgebundle\"""" in text
    assert '--output "status:${RUNTIME_DIRECTORY:-/run/edgeinfer}/status.json"' in text


def test_a_good_one_is_kept_and_the_one_before_is_the_way_back(layout: Layout) -> None:
    manager = FakeManager(layout)
    first, second, third = (install_bare(layout, name) for name in (b"one", b"two", b"three"))
    assert attempt(layout, first, manager).outcome == "confirmed"
    assert not layout.release(second).exists()  # never tried: collected
    second = install_bare(layout, b"two")
    outcome = attempt(layout, second, manager)
    assert (outcome.outcome, outcome.answers, outcome.last) == ("confirmed", 1000, {"label": "Bag"})
    assert (layout.linked(layout.current), layout.linked(layout.previous)) == (second, first)
    assert second > third  # numbers are not used again
    assert attempt(layout, second, manager).outcome == "already current and healthy"


def test_a_silent_one_is_taken_back_with_what_it_said(layout: Layout) -> None:
    manager = FakeManager(layout, silent=2)
    attempt(layout, install_bare(layout, b"one"), manager)
    outcome = attempt(layout, install_bare(layout, b"two"), manager)
    assert (outcome.outcome, outcome.current) == ("rolled back", 1)
    assert (
        outcome.reason == "0 answers within 0.05 s, expected 5 fresh ones: the camera was unplugged"
    )
    assert manager.calls == ["restart 1", "restart 2", "restart 1"]
    assert not layout.trial.exists()
    event = read_history(layout)[-1]
    assert (event["event"], event["release"], event["to"]) == ("rolled back", 2, 1)


def test_without_a_release_before_nothing_is_left_running(layout: Layout) -> None:
    manager = FakeManager(layout, silent=1)
    outcome = attempt(layout, install_bare(layout, b"one"), manager)
    assert (outcome.outcome, outcome.current) == ("rolled back", None)
    assert manager.calls == ["restart 1", "stop"]
    assert not layout.current.is_symlink()


def test_one_that_does_not_verify_is_never_switched_to(layout: Layout) -> None:
    manager = FakeManager(layout)
    attempt(layout, install_bare(layout, b"one"), manager)
    outcome = attempt(
        layout, install_bare(layout, b"two"), manager, reason="verify failed: frame 0"
    )
    assert (outcome.outcome, outcome.reason) == ("refused", "verify failed: frame 0")
    assert manager.calls == ["restart 1"]


def test_one_that_rotted_is_never_switched_to(layout: Layout) -> None:
    number = install_bare(layout, b"one")
    (layout.release(number) / BUNDLE).write_bytes(b"rot")
    outcome = attempt(layout, number, FakeManager(layout))
    assert outcome.outcome == "refused"
    assert "is not what was installed" in outcome.reason


def test_the_current_one_that_stopped_answering_stays_and_is_reported(layout: Layout) -> None:
    number = install_bare(layout, b"one")
    attempt(layout, number, FakeManager(layout))
    outcome = attempt(layout, number, FakeManager(layout, silent=number))
    assert (outcome.outcome, outcome.current) == ("not healthy", number)


def status(**changes: Any) -> dict[str, Any]:
    """Return what the loop wrote; the test says that it did so just now."""
    return {"pid": 7, "answers": 30, **changes}


RUNNING = ServiceState(active="active", sub="running", pid=7, invocation="b")


@pytest.mark.parametrize(
    ("service", "told", "healthy", "failure"),
    [
        (RUNNING, status(), True, ""),
        (RUNNING, status(answers=29), False, ""),
        (RUNNING, status(pid=8), False, ""),
        (RUNNING, status(updated=0), False, ""),
        (RUNNING, status(answers=True), False, ""),
        (RUNNING, status(updated="now"), False, ""),
        (RUNNING, None, False, ""),
        (replace(RUNNING, active="activating"), status(), False, ""),
        (replace(RUNNING, invocation="a"), status(), False, ""),
        (replace(RUNNING, invocation="c"), status(), False, "started again"),
        (
            replace(RUNNING, pid=0, active="activating", result="exit-code", exit_code=1),
            None,
            False,
            "exit code 1",
        ),
        (replace(RUNNING, pid=0, result="signal", exit_code=11), None, False, "signal 11"),
        (replace(RUNNING, pid=0, result="watchdog"), None, False, "watchdog"),
        (replace(RUNNING, pid=0, result="oom-kill", exit_code=9), None, False, "more memory"),
    ],
)
def test_health(
    service: ServiceState, told: dict[str, Any] | None, healthy: bool, failure: str
) -> None:
    watch = HealthWatch(30, before=replace(RUNNING, pid=6, invocation="a"))
    if service.invocation != "a":
        assert not watch.look(replace(RUNNING, active="activating"), None)
    if told is not None:
        told = {"updated": time.clock_gettime(time.CLOCK_BOOTTIME), **told}
    assert watch.look(service, told) is healthy
    assert failure in watch.failure
    assert bool(watch.failure) is bool(failure)


def test_history_is_bounded_and_survives_what_cannot_be_read(layout: Layout) -> None:
    from edgeinfer.device.releases.history import MOST_LINES, note

    layout.history.write_text('{"event": "old"}\nhalf a li')
    for number in range(MOST_LINES + 5):
        note(layout, "tried", release=number)
    events = read_history(layout)
    assert len(events) == MOST_LINES
    assert events[-1]["release"] == MOST_LINES + 4
    assert all(json.loads(line) for line in layout.history.read_text().splitlines())


def test_verification_is_the_release_s_own(layout: Layout) -> None:
    from edgeinfer.device.releases.install.release import read_release
    from edgeinfer.device.releases.trial.verify import verify

    number = install_bare(layout, b"one")
    release = read_release(layout, number)
    program = layout.packages / release.package / "bin" / "edgeinfer"
    user = getpass.getuser()
    assert "verify does not run" in verify(layout, release, user)
    program.write_text('#!/bin/sh\necho "error: frame 0 differs" >&2\necho bye >&2\nexit 1\n')
    program.chmod(0o755)
    assert verify(layout, release, user) == "verify failed: frame 0 differs"
    program.write_text("#!/bin/sh\nkill -KILL $$\n")
    assert "more memory than it may" in verify(layout, release, user)
    program.write_text('#!/bin/sh\n[ "$1" = verify ] && [ -r "$2" ]\n')
    assert verify(layout, release, user) == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_verification_is_never_roots(layout: Layout, tmp_path: Path) -> None:
    from edgeinfer.device.releases.install.release import read_release
    from edgeinfer.device.releases.trial.verify import verify

    release = read_release(layout, install_bare(layout, b"one"))
    program = layout.packages / release.package / "bin" / "edgeinfer"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o755)
    assert "there is no user nobody-at-all" in verify(layout, release, "nobody-at-all")
    assert not (tmp_path / "ran").exists()


def test_settling_turns_to_the_release_before_only_where_that_is_whole(layout: Layout) -> None:
    manager = FakeManager(layout)
    first, second = install_bare(layout, b"one"), install_bare(layout, b"two")
    attempt(layout, first, manager)
    (layout.release(first) / "run").unlink()
    assert settle(layout, None) == []
    assert layout.linked(layout.current) == first
    first = install_bare(layout, b"one")
    attempt(layout, first, manager)
    second = install_bare(layout, b"two")
    attempt(layout, second, manager)
    (layout.release(second) / "run").unlink()
    assert settle(layout, None) == [f"release {second} was not complete; current is {first}"]
    assert layout.linked(layout.current) == first

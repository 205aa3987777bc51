"""systemd's protocol over a real socket."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeinfer.device.loop.supervision.sd_notify import Notifier
from tests.device.loop.supervision.manager import Manager


@pytest.mark.parametrize("abstract", [False, True])
def test_messages_arrive(tmp_path: Path, abstract: bool) -> None:
    with Manager(tmp_path, abstract=abstract) as manager:
        notifier = Notifier(manager.environment())
        assert notifier.present
        notifier.send(READY=1, STATUS="answering\nMAINPID=1")
        notifier.reloading()
        notifier.close()
        first, second = manager.listen(0.5)
    assert first == {"READY": "1", "STATUS": "answering MAINPID=1"}
    assert second["RELOADING"] == "1"
    assert int(second["MONOTONIC_USEC"]) > 0


def test_without_a_manager_nothing_happens() -> None:
    notifier = Notifier({"WATCHDOG_USEC": "1000000"})
    assert (notifier.present, notifier.watchdog_s) == (False, None)
    notifier.send(READY=1)
    notifier.close()


def test_a_manager_that_went_away_or_is_full_holds_nothing_up(tmp_path: Path) -> None:
    with Manager(tmp_path) as manager:
        notifier = Notifier(manager.environment())
        for number in range(5_000):  # far more than its queue holds
            notifier.send(STATUS=number)
        assert 0 < len(manager.listen()) < 5_000
    notifier.send(READY=1)
    notifier.close()


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "2500000"}, 2.5),
        ({"WATCHDOG_USEC": "2500000", "WATCHDOG_PID": str(os.getpid())}, 2.5),
        ({"WATCHDOG_USEC": "2500000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_interval_of_the_watchdog(environment: dict[str, str], seconds: float | None) -> None:
    assert Notifier({"NOTIFY_SOCKET": "/run/notify", **environment}).watchdog_s == seconds

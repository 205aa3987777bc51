"""Signals as wishes, and the limit for what hangs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from edgeinfer.device.core.signals import reload_on_hangup, stop_on_signals
from tests.support.waiting import PATIENCE_S


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_does_what_it_did(number: int) -> None:
    before = signal.getsignal(number)
    with stop_on_signals() as stop:
        os.kill(os.getpid(), number)
        assert stop.requested
        assert signal.getsignal(number) is before
    assert signal.getsignal(number) is before


def test_each_hangup_asks_again() -> None:
    before = signal.getsignal(signal.SIGHUP)
    with reload_on_hangup() as reload:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGHUP)
            assert reload.requested
            reload.requested = False
    assert signal.getsignal(signal.SIGHUP) is before


def test_other_threads_change_no_handlers() -> None:
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    seen: list[object] = []

    def look() -> None:
        with stop_on_signals(0.01), reload_on_hangup():
            seen.extend(signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == before


@pytest.mark.parametrize(("done", "code"), [(True, 0), (False, 1)])
def test_what_hangs_afterwards_is_ended(done: bool, code: int) -> None:
    program = (
        "import os, signal, time\n"
        "from edgeinfer.device.core.signals import stop_on_signals\n"
        "with stop_on_signals(2) as stop:\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        f"    stop.done = {done}\n"
        "time.sleep(3600)\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert finished.returncode == code
    assert finished.stderr == "warning: something did not stop in 2 s; ended without it\n"

"""`edgeinfer run` as a service of a real systemd, in separate namespaces."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.program import PROGRAM
from tests.support.waiting import until
from tests.system.own_systemd import OwnSystemd, own_systemd

pytestmark = pytest.mark.system

UNIT = """\
[Unit]
DefaultDependencies=no
[Service]
Type=notify
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
WatchdogSec=3
Restart=always
RestartSec=1
StandardError={log}
StandardOutput=append:{answers}
"""


class Service:
    """A service of that systemd, and its log."""

    def __init__(self, folder: Path, systemd: OwnSystemd) -> None:
        self.log = folder / "log"
        self.log.touch()
        self.answers = folder / "answers"
        self._systemd = systemd

    def systemctl(self, *arguments: str) -> str:
        """Run systemctl where that systemd is; return what it prints."""
        done = self._systemd.run("systemctl", *arguments)
        assert done.returncode == 0, (done.stderr, self.log.read_text())
        return done.stdout

    def journal(self) -> list[dict[str, str]]:
        """Return what the journal has of the service `told`."""
        folder = self._systemd.path("/run/log/journal")
        done = subprocess.run(
            ["journalctl", "--directory", str(folder), "--unit", "told", "--output", "json"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    def show(self, name: str) -> str:
        """Return a property of the service."""
        return self.systemctl("show", "--value", "--property", name, "loop.service").strip()

    def kill(self, number: int) -> None:
        """Send a signal to the loop."""
        self.systemctl("kill", "--kill-whom=main", f"--signal={number}", "loop.service")


@pytest.fixture
def service(tmp_path: Path, sample_bundle: Path) -> Iterator[Service]:
    command = [*PROGRAM, "run", "--camera", "simulated", "--model", str(sample_bundle), "--json"]
    settings = {"command": shlex.join(command), "answers": tmp_path / "answers"}
    units = {
        f"{name}.service": UNIT.format(log=log, **settings)
        for name, log in (("loop", f"append:{tmp_path / 'log'}"), ("told", "journal"))
    }
    with own_systemd(tmp_path, units) as systemd:
        yield Service(tmp_path, systemd)


def soon(condition: Callable[[], bool]) -> None:
    until(condition)


def test_a_service_is_ready_reloads_is_restarted_when_it_hangs_and_stops(service: Service) -> None:
    service.systemctl("start", "loop.service")  # returns when it is ready
    soon(lambda: '"sequence": 0' in service.answers.read_text())  # written while the loop runs
    assert service.show("ActiveState") == "active"

    service.systemctl("reload", "loop.service")
    soon(lambda: "reloaded: fashion-mnist" in service.log.read_text())

    time.sleep(5)  # longer than the watchdog's interval
    assert (service.show("ActiveState"), service.show("NRestarts")) == ("active", "0")

    first = service.show("MainPID")
    service.kill(signal.SIGSTOP)
    soon(lambda: service.show("NRestarts") == "1" and service.show("ActiveState") == "active")
    assert service.show("MainPID") != first
    assert service.log.read_text().count("camera:") == 2

    service.systemctl("stop", "loop.service")
    assert (service.show("ActiveState"), service.show("Result")) == ("inactive", "success")
    assert service.show("ExecMainStatus") == "0"
    assert '"summary": {' in service.answers.read_text().splitlines()[-1]


def test_the_journal_has_priorities(service: Service) -> None:
    service.systemctl("start", "systemd-journald.service")
    service.systemctl("start", "told.service")
    service.systemctl("reload", "told.service")
    soon(lambda: any("reloaded" in entry["MESSAGE"] for entry in service.journal()))
    service.systemctl("stop", "told.service")
    entries = {entry["MESSAGE"].split(":")[0]: entry for entry in service.journal()}
    assert entries["camera"]["PRIORITY"] == "6"
    assert entries["reloaded"]["PRIORITY"] == "5"  # without the <5> that said so
    fields = json.loads("{" + entries["reloaded"]["MESSAGE"].partition(" {")[2])
    assert fields["event"] == "reloaded"

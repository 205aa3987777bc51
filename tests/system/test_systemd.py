"""`edgeinfer run` as a service of a real systemd, in namespaces of its own.

It sees one control group, made for it, and nothing of the others. Where systemd runs already the
test is skipped all the same.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.device.supervision.loops import wait_until
from tests.program import PROGRAM

pytestmark = pytest.mark.system

SYSTEMD = Path("/lib/systemd/systemd")
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
JOURNAL = """\
[Unit]
DefaultDependencies=no
[Service]
Type=notify
ExecStart=/lib/systemd/systemd-journald
"""
TARGET = "[Unit]\nDefaultDependencies=no\n"
GROUPS = Path("/sys/fs/cgroup/systemd")
"""The hierarchy of control groups that limits nothing and is there for systemd alone."""
# Read-only at the end: systemd would mount the other hierarchies beside, and make groups in them.
INNER = """\
set -e
mount -t tmpfs tmpfs /run
mkdir /run/systemd
umount --recursive /sys/fs/cgroup
mount -t tmpfs tmpfs /sys/fs/cgroup
mkdir /sys/fs/cgroup/systemd
mount -t cgroup -o none,name=systemd systemd /sys/fs/cgroup/systemd
mount -o remount,ro /sys/fs/cgroup
export container=test SYSTEMD_UNIT_PATH={units}
exec {systemd} --system --unit=test.target --show-status=0
"""


class Service:
    """A service of that systemd, and its log."""

    def __init__(self, folder: Path, systemd: int) -> None:
        self.log = folder / "log"
        self.log.touch()
        self.answers = folder / "answers"
        self._systemd = systemd

    def systemctl(self, *arguments: str) -> str:
        """Run systemctl where that systemd is; return what it prints."""
        inside = ["nsenter", "--target", str(self._systemd), "--mount", "--pid", "--cgroup"]
        done = subprocess.run(
            [*inside, "systemctl", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, (done.stderr, self.log.read_text())
        return done.stdout

    def journal(self) -> list[dict[str, str]]:
        """Return what the journal has of the service `told`."""
        folder = f"/proc/{self._systemd}/root/run/log/journal"
        done = subprocess.run(
            ["journalctl", "--directory", folder, "--unit", "told", "--output", "json"],
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
    if os.geteuid() != 0 or not SYSTEMD.exists() or not shutil.which("unshare"):
        pytest.skip("this test needs root, systemd and unshare, to start a systemd of its own")
    if Path("/run/systemd/system").exists() or not os.access(GROUPS, os.W_OK):
        pytest.skip("this test starts a systemd of its own only in a container with control groups")
    units = tmp_path / "units"
    units.mkdir()
    command = [*PROGRAM, "run", "--camera", "simulated", "--model", str(sample_bundle), "--json"]
    settings = {"command": shlex.join(command), "answers": tmp_path / "answers"}
    for name, log in (("loop", f"append:{tmp_path / 'log'}"), ("told", "journal")):
        (units / f"{name}.service").write_text(UNIT.format(log=log, **settings))
    (units / "systemd-journald.service").write_text(JOURNAL)
    (units / "test.target").write_text(TARGET)
    inner = tmp_path / "inner.sh"
    inner.write_text(INNER.format(units=units, systemd=SYSTEMD))
    group = GROUPS / f"edgeinfer-test-{os.getpid()}"
    group.mkdir()
    # In its group first, so that the group is the root of what the namespace shows.
    enter = f"echo $$ > {group}/cgroup.procs && exec unshare"
    spaces = "--mount --mount-proc --uts --ipc --cgroup --pid --fork --kill-child"
    outer = subprocess.Popen(
        ["sh", "-c", f"{enter} {spaces} sh {inner}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
        wait_until(lambda: bool(children.read_text().split()), 10)
        systemd = int(children.read_text().split()[0])
        private = Path(f"/proc/{systemd}/root/run/systemd/private")
        wait_until(lambda: outer.poll() is not None or private.exists(), 20)
        if outer.poll() is not None:
            pytest.skip("a systemd in namespaces of its own does not start here")
        yield Service(tmp_path, systemd)
    finally:
        outer.kill()  # and with it, by --kill-child, all that runs in there
        outer.wait()
        remove_groups(group)


def remove_groups(folder: Path) -> None:
    """Remove the control groups that a systemd leaves, as soon as nothing is in them."""

    def gone() -> bool:
        try:
            for group, _, _ in os.walk(folder, topdown=False):
                os.rmdir(group)
        except OSError:
            return False  # the last process in it is about to end
        return True

    wait_until(gone, 10)


def soon(condition: Callable[[], bool]) -> None:
    wait_until(condition, 30)


def test_a_service_is_ready_reloads_is_restarted_when_it_hangs_and_stops(service: Service) -> None:
    service.systemctl("start", "loop.service")  # returns when it is ready
    soon(lambda: '"sequence": 0' in service.answers.read_text())  # written beside the loop
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

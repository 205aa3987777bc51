"""A systemd of a test's own, in namespaces: it sees one control group, made for it.

Where systemd runs already the tests that want one are skipped all the same.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.waiting import until

SYSTEMD = Path("/lib/systemd/systemd")
GROUPS = Path("/sys/fs/cgroup/systemd")
"""The hierarchy of control groups that limits nothing and is there for systemd alone."""
# Read-only at the end: systemd would mount the other hierarchies too, and make groups in them.
_INNER = """\
set -e
mount -t tmpfs tmpfs /run
mkdir /run/systemd
umount --recursive /sys/fs/cgroup
mount -t tmpfs tmpfs /sys/fs/cgroup
mkdir /sys/fs/cgroup/systemd
mount -t cgroup -o none,name=systemd systemd /sys/fs/cgroup/systemd
mount -o remount,ro /sys/fs/cgroup
{prepare}
export container=test SYSTEMD_UNIT_PATH={units}
exec {systemd} --system --unit=test.target --show-status=0
"""
_JOURNAL = """\
[Unit]
DefaultDependencies=no
[Service]
Type=notify
ExecStart=/lib/systemd/systemd-journald
"""
TARGET = "[Unit]\nDefaultDependencies=no\n"


class OwnSystemd:
    """A running systemd.

    Args:
        pid: of its first process, seen from here.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def command(self, *words: object) -> list[str]:
        """Return the command line that runs another one where that systemd is."""
        inside = ["nsenter", "--target", str(self.pid), "--mount", "--pid", "--cgroup", "--uts"]
        return [*inside, *map(str, words)]

    def run(self, *words: object, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
        """Run a command where that systemd is."""
        done = subprocess.run(
            self.command(*words), input=stdin, capture_output=True, check=False, timeout=600
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    def path(self, path: str) -> Path:
        """Return where a path of that systemd's is found from here."""
        return Path(f"/proc/{self.pid}/root{path}")


@contextmanager
def own_systemd(
    folder: Path, units: dict[str, str], *, prepare: str = "", more_units: str = ""
) -> Iterator[OwnSystemd]:
    """Start a systemd with a journal and a few units, or skip where that cannot be.

    Args:
        folder: for what it needs.
        units: the units' texts by name.
        prepare: shell commands that are run in its namespaces first.
        more_units: folders of further units, as in `SYSTEMD_UNIT_PATH`.
    """
    if os.geteuid() != 0 or not SYSTEMD.exists() or not shutil.which("unshare"):
        pytest.skip("this test needs root, systemd and unshare, to start its own systemd")
    if Path("/run/systemd/system").exists() or not os.access(GROUPS, os.W_OK):
        pytest.skip("this test starts its own systemd only in a container with control groups")
    unit_folder = folder / "units"
    unit_folder.mkdir(exist_ok=True)
    for name, text in {
        "systemd-journald.service": _JOURNAL,
        "test.target": TARGET,
        **units,
    }.items():
        (unit_folder / name).write_text(text)
    path = f"{more_units}:{unit_folder}" if more_units else str(unit_folder)
    inner = folder / "inner.sh"
    inner.write_text(_INNER.format(units=path, systemd=SYSTEMD, prepare=prepare))
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
        until(lambda: bool(children.read_text().split()))
        systemd = int(children.read_text().split()[0])
        private = Path(f"/proc/{systemd}/root/run/systemd/private")
        until(lambda: outer.poll() is not None or private.exists())
        if outer.poll() is not None:
            pytest.skip("a systemd in separate namespaces does not start here")
        yield OwnSystemd(systemd)
    finally:
        outer.kill()  # and with it, by --kill-child, all that runs in there
        outer.wait()
        _remove_groups(group)


def _remove_groups(folder: Path) -> None:
    """Remove the control groups that a systemd leaves, as soon as nothing is in them."""

    def gone() -> bool:
        try:
            for group, _, _ in os.walk(folder, topdown=False):
                os.rmdir(group)
        except OSError:
            return False  # the last process in it is about to end
        return True

    until(gone)

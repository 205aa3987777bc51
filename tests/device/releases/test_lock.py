"""One at a time, and a process that waits learns who holds the lock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import ReleaseError
from edgeinfer.device.releases.lock import LockedError, locked
from edgeinfer.device.releases.paths import Layout
from tests.device.releases.boards import make_board
from tests.support.waiting import PATIENCE_S

HOLD = """\
import subprocess, sys, time
from pathlib import Path
from edgeinfer.device.releases.paths import Layout
from edgeinfer.device.releases.lock import locked
with locked(Layout(prefix=Path(sys.argv[1])), "install") as lock:
    child = subprocess.Popen(["sleep", "600"], pass_fds=[lock] if "inherit" in sys.argv else [])
    print(child.pid, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return make_board(tmp_path)


def hold(layout: Layout, *options: str) -> tuple[subprocess.Popen[str], int]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(layout.prefix), *options],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    return holder, int(holder.stdout.readline())


def test_the_error_of_a_second_process_says_who_holds_the_lock(layout: Layout) -> None:
    holder, child = hold(layout)
    with holder:
        told = rf"`install` \(process {holder.pid}\)"
        with pytest.raises(LockedError, match=told), locked(layout, "receive"):
            pass
        holder.kill()
        os.kill(child, signal.SIGKILL)
    with locked(layout, "receive", wait_s=PATIENCE_S):
        pass


def test_what_a_killed_agent_left_running_holds_it_on(layout: Layout) -> None:
    holder, child = hold(layout, "inherit")
    with holder:
        holder.kill()
    with pytest.raises(LockedError), locked(layout, "receive"):
        pass
    os.kill(child, signal.SIGKILL)
    with locked(layout, "receive", wait_s=PATIENCE_S):
        pass


def test_a_lock_that_was_removed_meanwhile_is_not_taken_for_one(layout: Layout) -> None:
    with locked(layout, "remove"):
        layout.lock.unlink()
        with locked(layout, "setup"):
            assert layout.lock.exists()


def test_without_a_prefix_there_is_nothing_to_lock(tmp_path: Path) -> None:
    with (
        pytest.raises(ReleaseError, match="is not set up"),
        locked(Layout(prefix=tmp_path / "a"), "x"),
    ):
        pass


HOLD_AS_ANOTHER = """\
import fcntl, os, sys, time
descriptor = os.open(sys.argv[1], os.O_RDONLY)
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
fcntl.flock(descriptor, fcntl.LOCK_SH)
print("held", flush=True)
time.sleep(600)
"""


def test_only_its_owner_may_open_the_lock(layout: Layout) -> None:
    layout.lock.touch(0o644)  # an earlier agent's
    with locked(layout, "install"):
        assert layout.lock.stat().st_mode & 0o777 == 0o600
    layout.lock.unlink()
    with locked(layout, "install"):
        assert layout.lock.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_another_user_that_holds_an_earlier_agents_lock_is_named(layout: Layout) -> None:
    with locked(layout, "collect"):
        pass  # its content is no longer true
    layout.lock.chmod(0o644)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_AS_ANOTHER, str(layout.lock)],
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        told = rf"are being changed by python\S* \(process {other.pid} of user nobody\)"
        with pytest.raises(LockedError, match=told), locked(layout, "receive"):
            pass
        other.kill()
    assert layout.lock.stat().st_mode & 0o777 == 0o600

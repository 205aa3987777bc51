"""Access to devices, as a user who is not root: root may use everything."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeinfer.device.diagnose.doctor.device_access import holders, may_use
from edgeinfer.device.diagnose.doctor.system import System

CODE = """
import json, os, sys; from pathlib import Path
from edgeinfer.device.diagnose.doctor.device_access import access_fix, may_use
node, nobody = Path(sys.argv[1]), 65534
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(nobody); os.setuid(nobody)
print(json.dumps([may_use(node), access_fix(node)]))
"""


@pytest.fixture
def node() -> Iterator[Path]:
    """A file in a folder that everybody may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = Path(folder) / "video0"
        path.write_text("")
        yield path


def as_nobody(node: Path) -> tuple[bool, str]:
    """Ask as a user without rights; where the tests are not run by root, as that user."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(node)], capture_output=True, text=True, check=True
    )
    allowed, fix = json.loads(done.stdout)
    return allowed, fix


def test_a_device_of_a_group(node: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file to another group")
    import grp

    os.chown(node, 0, grp.getgrnam("video").gr_gid)
    os.chmod(node, 0o660)
    allowed, fix = as_nobody(node)
    assert not allowed
    assert fix == "run `sudo usermod -aG video $USER`, then log in again"


def test_a_device_that_no_group_may_use(node: Path) -> None:
    os.chmod(node, 0o000)
    allowed, fix = as_nobody(node)
    assert not allowed
    assert f"chmod g+rw {node}" in fix


def test_a_device_that_may_be_used(node: Path) -> None:
    assert may_use(node)


def test_a_member_who_has_not_logged_in_again(node: Path, tmp_path: Path) -> None:
    """With a separate group file, which only this process sees."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("only root can show a process another group file")
    groups = tmp_path / "group"
    groups.write_text("root:x:0:\nvideo:x:44:camera-user\nnogroup:x:65534:\n")
    os.chown(node, 0, 44)
    os.chmod(node, 0o660)
    script = 'mount --bind "$1" /etc/group && shift && exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", script, "sh", str(groups)]
    done = subprocess.run(
        [*command, sys.executable, "-c", CODE, str(node)],
        env={**os.environ, "LOGNAME": "camera-user"},
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip(f"this system does not let one mount ({done.stderr.strip()})")
    allowed, fix = json.loads(done.stdout)
    assert not allowed
    assert fix == "log out and in again: camera-user was added to the group video"


def test_who_uses_a_device(node: Path) -> None:
    assert holders(System(), node) == ""
    with node.open():
        name = Path("/proc/self/comm").read_text().strip()
        assert holders(System(), node) == f"{name} (process {os.getpid()})"

"""What the failures of installations mean, and that an interrupted one leaves nothing."""

from __future__ import annotations

import base64
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edgeinfer.converters.importers.child import ChildEnd
from edgeinfer.converters.importers.install import install_error
from edgeinfer.device.core.errors import MissingExtraError
from edgeinfer.device.core.processes import ProcessEnd
from tests.converters.importers.wheels import write_wheel

MAKE = """
import sys
from pathlib import Path
from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.importers.environment import EnvironmentPlan, make_environment
from edgeinfer.device.core.errors import EdgeinferError
plan = EnvironmentPlan(
    name="tiny", purpose="reads", packages=(sys.argv[1],), python=None, size_mb=0, time_s=1
)
home = Path(sys.argv[2])
try:
    make_environment(plan, Silent(), home=home)
except EdgeinferError as error:
    print(type(error).__name__, error)
print(sorted(path.name for path in home.iterdir()))
"""


@pytest.mark.parametrize(
    ("output", "error"),
    [
        (
            "Could not install packages due to an OSError: [Errno 28] No space left on device",
            "onnx2tf: cannot be installed (no space left on device); free some space, or set "
            "XDG_CACHE_HOME to a folder on another disk",
        ),
        (
            "WARNING: Retrying (Retry(total=1, ...)) after connection broken\n"
            "ERROR: Could not find a version that satisfies the requirement onnx==1.20.1 "
            "(from versions: none)\n",
            "onnx2tf: cannot be installed: no package index can be reached; connect this machine "
            "to the internet once; later runs need no network",
        ),
        (
            "ERROR: Could not find a version that satisfies the requirement torch==2.13.0+cpu "
            "(from versions: 2.12.0, 2.13.0)\nERROR: No matching distribution found\n",
            "onnx2tf: cannot be installed: no package index has torch==2.13.0+cpu for this "
            "machine; set PIP_EXTRA_INDEX_URL",
        ),
        (
            "Collecting onnx\nERROR: onnx-1.20.1 is not a supported wheel on this platform.\n",
            "onnx2tf: cannot be installed: onnx-1.20.1 is not a supported wheel on this platform.; "
            "connect this machine to the internet once; later runs need no network",
        ),
    ],
)
def test_what_pip_says(output: str, error: str) -> None:
    done = ChildEnd(end=ProcessEnd(code=1, words="x", limit_s=5), output=output)
    assert str(install_error("onnx2tf", done, "set PIP_EXTRA_INDEX_URL")) == error


def test_its_time_is_over() -> None:
    error = install_error("onnx2tf", ChildEnd(end=ProcessEnd(code=None, limit_s=5), output=""))
    assert isinstance(error, MissingExtraError)
    assert error.got == "cannot be installed: it did not end within 5 s"


def test_a_killed_process_leaves_nothing_that_counts(tmp_path: Path) -> None:
    """It is killed while pip waits for an index that does not answer; pip ends with it."""
    import socket

    home = tmp_path / "importers"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        env = {**os.environ, "PIP_INDEX_URL": address, "PIP_EXTRA_INDEX_URL": address}
        command = [sys.executable, "-c", MAKE, "absent==1", str(home)]
        maker = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
        connection, _ = silent.accept()
        with connection:
            maker.send_signal(signal.SIGKILL)
            maker.wait()
            # The kernel ends pip, which closes its connection.
            while connection.recv(4096):
                pass
    left = {path.name for path in home.iterdir()}
    assert "tiny" not in left
    # The next one takes away what was left.
    index = tmp_path / "index"
    wheel = write_wheel(index, "tiny", "1.0")
    env = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index)}
    command = [sys.executable, "-c", MAKE, wheel, str(home)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "['tiny', 'tiny.lock']\n"


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    """On a separate file system of 3 MiB, which only this process sees."""
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare: this test mounts a separate file system")
    content = base64.b64encode(os.urandom(4 << 20)).decode()
    wheel = write_wheel(tmp_path / "index", "tiny", "1.0", f"DATA = '{content}'\n")
    home = tmp_path / "disk"
    home.mkdir()
    mount = 'mount -t tmpfs -o size=3m none "$1" && shift && exec "$@"'
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, "sh", str(home)]
    command += [sys.executable, "-c", MAKE, wheel, str(home / "importers")]
    env = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "index")}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"this system does not let one mount ({done.stderr.strip()})")
    assert done.stdout.splitlines() == [
        "StorageError tiny: cannot be installed (no space left on device); free some space, or set "
        "XDG_CACHE_HOME to a folder on another disk",
        "['tiny.lock']",
    ]

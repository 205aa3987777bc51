"""A board of a test's own: a systemd in namespaces, with its own SSH server and folders.

What is changed there, users and units and files, is lost when it ends: `/etc` is a copy and
`/var/lib` is empty.
"""

from __future__ import annotations

import getpass
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.waiting import until
from tests.system.environments import unavailable
from tests.system.own_systemd import TARGET, OwnSystemd, own_systemd
from tests.system.sshd import Sshd, listens, reserve_port, write_keys

_SSHD = """\
[Unit]
DefaultDependencies=no
[Service]
ExecStart={program} -D -e -f {folder}/config
KillMode=process
Restart=always
RestartSec=0.2
StartLimitIntervalSec=0
StandardError=append:{folder}/log
"""
_TARGETS = ("sysinit", "basic", "shutdown", "multi-user")
"""What units depend on that do not name their dependencies."""
_PREPARE = """\
mkdir -p {root}/etc {root}/lib {root}/home
cp -a /etc/. {root}/etc/
mount --bind {root}/etc /etc
mount --bind {root}/lib /var/lib
mount --bind {root}/home /home
mkdir /run/sshd
mkdir -m 755 /etc/board
cp {keys}/authorized_keys /etc/board/
{more}
"""


@dataclass(frozen=True, kw_only=True)
class OwnBoard:
    """A board that is running.

    Attributes:
        systemd: what runs it.
        sshd: how it is reached.
        prefix: where edgeinfer is there, as seen from here.
    """

    systemd: OwnSystemd
    sshd: Sshd
    prefix: Path


@contextmanager
def own_board(folder: Path, *, more: str = "") -> Iterator[OwnBoard]:
    """Start a board, or skip where that cannot be.

    Args:
        folder: for what it needs.
        more: shell commands that are run in its namespaces before it starts.
    """
    program = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    if program is None or shutil.which("ssh") is None:
        unavailable("no OpenSSH server and client (Debian: openssh-server) to stand for a board")
    if shutil.which("sudo") is None:
        unavailable("no sudo, with which the board's users become root")
    keys = folder / "ssh"
    keys.mkdir()
    holder = reserve_port()
    port = int(holder.getsockname()[1])
    write_keys(keys, port, authorized=Path("/etc/board/authorized_keys"))
    units = dict.fromkeys(
        ("sysinit.target", "basic.target", "shutdown.target", "multi-user.target"), TARGET
    )
    units["board-ssh.service"] = _SSHD.format(program=program, folder=keys)
    units["test.target"] = TARGET + "Wants=board-ssh.service systemd-journald.service\n"
    root = folder / "root"
    prepare = _PREPARE.format(root=root, keys=keys, more=more)
    more_units = "/etc/systemd/system"
    with holder, own_systemd(folder, units, prepare=prepare, more_units=more_units) as systemd:
        server = Sshd(folder=keys, port=port, temporary=keys)
        until(lambda: listens(port))
        yield OwnBoard(systemd=systemd, sshd=server, prefix=root / "lib" / "edgeinfer")


def main() -> None:
    """Run one until Enter is pressed, to try things by hand."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder, own_board(Path(folder)) as board:
        print(getpass.getuser(), " ".join(board.sshd.options()), flush=True)
        subprocess.run(["sleep", "infinity"], check=False)


if __name__ == "__main__":
    main()

"""An SSH server of a test's own: on this machine, on a free port, with its own keys."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.waiting import PATIENCE_S
from tests.system.environments import unavailable


@dataclass(frozen=True, kw_only=True)
class Sshd:
    """A server that is running.

    Attributes:
        folder: where its keys and its log lie.
        port: where it listens on 127.0.0.1.
        temporary: the folder that its sessions make temporary folders in.
    """

    folder: Path
    port: int
    temporary: Path

    @property
    def host(self) -> str:
        """What `--host` takes."""
        return f"{getpass.getuser()}@127.0.0.1"

    def options(
        self, *, key: str = "user", known_hosts: str = "known_hosts", user: str | None = None
    ) -> list[str]:
        """Return the program's options that reach it."""
        words = (
            f"Port={self.port}",
            f"IdentityFile={self.folder / key}",
            "IdentitiesOnly=yes",
            f"UserKnownHostsFile={self.folder / known_hosts}",
            f"GlobalKnownHostsFile={self.folder / 'no_hosts'}",
        )
        host = self.host if user is None else f"{user}@127.0.0.1"
        return ["--host", host, *(part for word in words for part in ("--ssh-option", word))]

    def left_over(self) -> list[str]:
        """Return what is in the temporary folder."""
        return sorted(path.name for path in self.temporary.iterdir())

    def log(self) -> str:
        """Return what the server wrote."""
        return (self.folder / "log").read_text(errors="replace")


@contextmanager
def running_sshd(folder: Path) -> Iterator[Sshd]:
    """Run a server, or skip (fail in CI) where there is none."""
    program = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", ""))
    if program is None or shutil.which("ssh") is None or shutil.which("ssh-keygen") is None:
        unavailable("no OpenSSH server and client (Debian: openssh-server) to stand for a board")
    # The system's service makes it; where that never ran, root's sshd refuses to start.
    separation = Path("/run/sshd")
    made = os.geteuid() == 0 and not separation.exists()
    if made:
        separation.mkdir(mode=0o755)
    holder = reserve_port()
    port = int(holder.getsockname()[1])
    temporary = write_keys(folder, port)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, "-D", "-e", "-f", str(folder / "config")],
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
    server = Sshd(folder=folder, port=port, temporary=temporary)
    try:
        end = time.monotonic() + PATIENCE_S
        while not listens(port):
            if process.poll() is not None or time.monotonic() > end:
                unavailable(f"sshd does not start: {server.log()}")
            time.sleep(0.05)
        yield server
    finally:
        process.terminate()
        process.wait()
        holder.close()
        if made:
            separation.rmdir()


def write_keys(folder: Path, port: int, *, authorized: Path | None = None) -> Path:
    """Write a server's configuration and keys, and its users' keys and known hosts.

    Args:
        folder: where to.
        port: where it will listen.
        authorized: where the server finds the users' keys; None for where they are written.

    Returns:
        The folder for its sessions' temporary files.
    """
    for name in ("host", "user", "untrusted", "other-host"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(folder / name)],
            check=True,
        )
    temporary = folder / "tmp of the board"
    temporary.mkdir()
    shutil.copy(folder / "user.pub", folder / "authorized_keys")
    for file, key in (("known_hosts", "host"), ("wrong_hosts", "other-host")):
        kind, blob = (folder / f"{key}.pub").read_text().split()[:2]
        (folder / file).write_text(f"[127.0.0.1]:{port} {kind} {blob}\n")
    (folder / "no_hosts").touch()
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder / 'host'}\n"
        f"AuthorizedKeysFile {authorized or folder / 'authorized_keys'}\nPidFile none\nUsePAM no\n"
        "StrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        "PermitRootLogin prohibit-password\nUseDNS no\n"
        f'SetEnv "TMPDIR={temporary}"\n'
    )
    return temporary


def reserve_port() -> socket.socket:
    """Return a socket that keeps a port of 127.0.0.1 for a server, until it is closed.

    The kernel gives the port to nobody else who asks for any, and a server that sets SO_REUSEADDR,
    as sshd and QEMU do, listens on it all the same.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


def listens(port: int) -> bool:
    """Tell whether something listens on a port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0

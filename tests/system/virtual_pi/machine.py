"""A whole board: an emulated arm64 machine with systemd, SSH and a camera.

with VirtualPi(board_image(), folder) as board:
    board.start()
    board.wait_ssh()
    board.ssh("systemctl", "is-system-running")
    board.kill()   # the power is cut
    board.start()  # and comes back
"""

from __future__ import annotations

import shlex
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.system.emulated.debian import run_tool
from tests.system.sshd import reserve_port
from tests.system.virtual_pi.image import BoardImage
from tests.system.virtual_pi.monitor import Monitor
from tests.system.virtual_pi.root import ADMINISTRATOR, HOST_NAME

_SSH_CONFIG = """\
Host {host}
  HostName 127.0.0.1
  HostKeyAlias {host}
  Port {port}
  User {user}
  IdentityFile "{key}"
  IdentitiesOnly yes
  UserKnownHostsFile "{known_hosts}"
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  UpdateHostKeys no
  BatchMode yes
  ControlMaster auto
  ControlPath {sockets}/%r
  ControlPersist yes
"""
"""One connection for each user: a new one costs the emulated machine half a second."""
_TOLD_BYTES = 3000
"""How much of the console's end is in an error's message."""


class BoardError(Exception):
    """The virtual board does not start, does not answer, or a command on it failed."""


class VirtualPi:
    """An emulated Cortex-A72 machine with its own disk over a common image.

    The power cut is SIGKILL of the emulator. What the guest had only in its memory is lost, its
    page cache included, and so is what it was about to write. What it wrote is in the page cache
    of this machine, which lives on; so `cache=unsafe`, which leaves out fsync on this side alone,
    loses nothing that a slower mode would keep. The guest sees a disk with a volatile write cache
    and flushes it. The emulator keeps the table that says where new blocks of the overlay are in
    its memory until the guest flushes, so that writes that were never flushed may be lost in part
    even after they were done, as on a card whose own cache loses power: `writethrough` and
    `directsync` would save each write, which is kinder than a card. Writes that stop within a
    sector, and cards that lie about flushing, are not modelled.

    Args:
        image: what it is made of, left as it is.
        folder: for its disk, its console's log and its SSH configuration.
        memory_mib: its memory.
        cpus: its processors.
    """

    def __init__(
        self, image: BoardImage, folder: Path, *, memory_mib: int = 1024, cpus: int = 2
    ) -> None:
        self.folder = folder
        self.disk = folder / "disk.qcow2"
        self.ssh_config = folder / "ssh_config"
        # Names of sockets are short.
        self._sockets = tempfile.TemporaryDirectory(prefix="board-ssh-")
        self._holder = reserve_port()
        self.port = int(self._holder.getsockname()[1])
        self._image = image
        self._memory_mib = memory_mib
        self._cpus = cpus
        self._console = folder / "console.log"
        self._process: subprocess.Popen[bytes] | None = None
        if not self.disk.exists():
            backing = ("-b", image.disk, "-F", "raw")
            run_tool("qemu-img", "create", "-q", "-f", "qcow2", *backing, self.disk)
        known_hosts = folder / "known_hosts"
        kind, blob = image.host_key.read_text().split()[:2]
        known_hosts.write_text(f"{HOST_NAME} {kind} {blob}\n")
        self.ssh_config.write_text(
            _SSH_CONFIG.format(
                host=HOST_NAME,
                port=self.port,
                user=ADMINISTRATOR,
                key=image.key,
                known_hosts=known_hosts,
                sockets=self._sockets.name,
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        self._holder.close()
        self._sockets.cleanup()

    @property
    def monitor(self) -> Monitor:
        """The emulator's own control."""
        return Monitor(self.folder / "monitor")

    def options(self, user: str = ADMINISTRATOR) -> list[str]:
        """Return the program's options that reach it, as its user would have them configured."""
        words = (
            *(f"Port={self.port}", f"HostKeyAlias={HOST_NAME}", "HostName=127.0.0.1"),
            *(f"IdentityFile={self._image.key}", "IdentitiesOnly=yes"),
            *(
                f"UserKnownHostsFile={self.folder / 'known_hosts'}",
                f"GlobalKnownHostsFile={self.folder / 'no_hosts'}",
            ),
        )
        host = f"{user}@{HOST_NAME}"
        return ["--host", host, *(part for word in words for part in ("--ssh-option", word))]

    def start(self, snapshot: str | None = None) -> None:
        """Switch it on, or let it go on where `save_snapshot` was called."""
        if self._process is not None:
            raise BoardError("the board runs already")
        drive = f"if=none,id=disk,format=qcow2,cache=unsafe,file={self.disk}"
        forward = f"hostfwd=tcp:127.0.0.1:{self.port}-:22"
        command = [
            # The board ends with the process that started it, however that ends.
            *("setpriv", "--pdeathsig", "KILL", "qemu-system-aarch64"),
            *("-M", "virt,gic-version=3", "-cpu", "cortex-a72", "-accel", "tcg,thread=multi"),
            *("-smp", str(self._cpus), "-m", str(self._memory_mib), "-rtc", "base=utc,clock=host"),
            *("-kernel", str(self._image.kernel), "-initrd", str(self._image.initrd)),
            *("-append", "ro console=ttyAMA0 quiet systemd.show_status=0 fsck.repair=yes"),
            *("-drive", drive, "-device", "virtio-blk-pci,drive=disk,romfile="),
            *("-netdev", f"user,id=net,restrict=on,{forward}"),
            *("-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci"),
            *("-device", "i6300esb", "-action", "watchdog=reset,reboot=reset"),
            *("-display", "none", "-nodefaults", "-serial", f"file:{self._console}"),
            *("-qmp", f"unix:{self.folder / 'monitor'},server=on,wait=off"),
            *(("-loadvm", snapshot) if snapshot else ()),
        ]
        with (self.folder / "emulator.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self) -> None:
        """Cut the power; see the class for what is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        for socket in Path(self._sockets.name).iterdir():
            end = ("-F", self.ssh_config, "-O", "exit", f"{socket.name}@{HOST_NAME}")
            subprocess.run(["ssh", *map(str, end)], capture_output=True, check=False)

    def wait_ssh(
        self, *command: object, user: str = ADMINISTRATOR, timeout_s: float = 240
    ) -> float:
        """Wait until it lets a user in, who may run a command; return the seconds that took.

        Raises:
            BoardError: it does not in time, or its emulator has ended.
        """
        began = time.monotonic()
        while True:
            options = ("-o", "ConnectTimeout=3", "-o", "ConnectionAttempts=1")
            probe = self.try_ssh(*(command or ("true",)), user=user, options=options, timeout_s=20)
            waited_s = time.monotonic() - began
            if probe.returncode == 0:
                return waited_s
            if self._process is None or self._process.poll() is not None:
                raise BoardError(f"the emulator has ended: {self.told()}")
            if waited_s > timeout_s:
                raise BoardError(f"no SSH after {waited_s:.0f} s: {probe.stderr}{self.told()}")
            time.sleep(0.2)

    def ssh(
        self,
        *command: object,
        user: str = ADMINISTRATOR,
        stdin: str | None = None,
        timeout_s: float = 300,
    ) -> str:
        """Run a command on it and return what that printed.

        Raises:
            BoardError: it failed.
        """
        done = self.try_ssh(*command, user=user, stdin=stdin, timeout_s=timeout_s)
        if done.returncode:
            words = shlex.join(map(str, command))
            output = f"{done.stdout[-_TOLD_BYTES:]}{done.stderr[-_TOLD_BYTES:]}"
            raise BoardError(f"`{words}` exits with {done.returncode}: {output}{self.told()}")
        return done.stdout

    def try_ssh(
        self,
        *command: object,
        user: str = ADMINISTRATOR,
        stdin: str | None = None,
        options: tuple[str, ...] = (),
        timeout_s: float = 300,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on it; 255 is also what ssh itself returns, and 124 a command in time."""
        target = f"{user}@{HOST_NAME}"
        words = ["ssh", "-F", str(self.ssh_config), *options, target, shlex.join(map(str, command))]
        try:
            return subprocess.run(
                words,
                input=stdin if stdin is not None else "",
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=timeout_s,
            )
        except subprocess.TimeoutExpired:
            told = f"no end after {timeout_s:.0f} s"
            return subprocess.CompletedProcess(words, 124, stdout="", stderr=told)

    def copy(self, *files: Path, to: str, user: str = ADMINISTRATOR) -> None:
        """Copy files into a folder on it.

        Raises:
            UserlandError: scp failed.
        """
        run_tool("scp", "-q", "-F", self.ssh_config, *files, f"{user}@{HOST_NAME}:{to}")

    def save_snapshot(self, name: str) -> None:
        """Keep the running machine, its memory and its disk, for `start(name)`.

        Raises:
            BoardError: the emulator refuses.
        """
        if told := self.monitor.ask(f"savevm {name}"):
            raise BoardError(f"savevm: {told}")

    def told(self) -> str:
        """Return the end of what the console and the emulator wrote."""
        parts = []
        for path in (self._console, self.folder / "emulator.log"):
            if path.exists() and (text := path.read_text(errors="replace").strip()):
                parts.append(f"\n{path.name}: {text[-_TOLD_BYTES:]}")
        return "".join(parts)

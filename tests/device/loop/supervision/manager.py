"""A socket that stands for systemd: what a process says to it."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from types import TracebackType

from tests.support.waiting import PATIENCE_S


class Manager:
    """Listens as systemd does, on a socket in the file system or an abstract one."""

    def __init__(self, folder: Path, *, abstract: bool = False) -> None:
        self.address = f"@edgeinfer-test{folder}" if abstract else str(folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + self.address[1:] if abstract else self.address)
        self.heard: list[dict[str, str]] = []

    def environment(self, watchdog_s: float | None = None) -> dict[str, str]:
        """Return what the process is to have in its environment."""
        environment = {"NOTIFY_SOCKET": self.address}
        if watchdog_s is not None:
            environment["WATCHDOG_USEC"] = str(round(watchdog_s * 1e6))
        return environment

    def listen(self, seconds: float = 0.0) -> list[dict[str, str]]:
        """Return what is said within a time, and note it."""
        deadline, fresh = time.monotonic() + seconds, []
        while True:
            self._socket.settimeout(max(0.0, deadline - time.monotonic()))
            try:
                message = self._socket.recv(4096).decode()
            except (TimeoutError, BlockingIOError):
                break
            fresh.append(dict(line.split("=", 1) for line in message.splitlines()))
            if time.monotonic() >= deadline and seconds:
                break
        self.heard += fresh
        return fresh

    def wait_for(self, key: str) -> dict[str, str]:
        """Wait until a message with a key comes and return it."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            for message in self.listen(0.05):
                if key in message:
                    return message
        raise AssertionError(f"{key} was not said, but {self.heard}")

    def __enter__(self) -> Manager:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

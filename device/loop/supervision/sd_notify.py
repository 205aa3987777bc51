"""systemd's notification protocol, sd_notify(3): datagrams of KEY=value lines to a socket."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket


class Notifier:
    """Tells the service manager how the process is; does nothing where there is none.

    Sending never waits and never fails: a manager that restarts just now must not stop the loop.

    Args:
        environment: where `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` are looked up.

    Attributes:
        present: there is a service manager that listens.
        watchdog_s: it wants to hear from the process at least so often; None if it does not.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self.present = address.startswith(("/", "@"))
        self._address = "\0" + address[1:] if address.startswith("@") else address  # abstract
        self._socket: socket.socket | None = None
        self.watchdog_s = _watchdog_s(environment) if self.present else None

    def send(self, **fields: object) -> None:
        """Send one message, for example `send(READY=1, STATUS="answering")`."""
        if not self.present:
            return
        message = "\n".join(f"{key}={_one_line(value)}" for key, value in fields.items())
        import socket

        with suppress(OSError):
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                self._socket.setblocking(False)
            self._socket.sendto(message.encode(), self._address)

    def reloading(self) -> None:
        """Say that a reload begins; `send(READY=1)` says that it is over."""
        self.send(RELOADING=1, MONOTONIC_USEC=time.monotonic_ns() // 1000)

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """Return the watchdog's interval, as sd_watchdog_enabled(3) finds it."""
    try:
        interval_us = int(environment.get("WATCHDOG_USEC", "0"))
        meant = int(environment.get("WATCHDOG_PID", os.getpid()))
    except ValueError:
        return None
    return interval_us / 1e6 if interval_us > 0 and meant == os.getpid() else None


def _one_line(value: object) -> str:
    return str(value).replace("\n", " ")

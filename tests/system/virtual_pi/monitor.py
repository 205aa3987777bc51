"""The emulator's control socket: QMP, its protocol of JSON lines, as far as it is needed."""

from __future__ import annotations

import json
import socket
from pathlib import Path


class Monitor:
    """Asks a running emulator.

    Args:
        path: its socket.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def ask(self, command: str, timeout_s: float = 120) -> str:
        """Run a command of the emulator's console, `savevm` or `info snapshots`.

        Returns:
            What it printed.

        Raises:
            OSError: nothing answers, or not in time.
        """
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout_s)
            connection.connect(str(self._path))
            with connection.makefile("rw", encoding="utf-8") as lines:
                lines.readline()  # its greeting
                answer = ""
                for request in (
                    {"execute": "qmp_capabilities"},
                    {
                        "execute": "human-monitor-command",
                        "arguments": {"command-line": command},
                    },
                ):
                    lines.write(json.dumps(request) + "\n")
                    lines.flush()
                    said: dict[str, str] = {"event": ""}
                    while "event" in said:
                        said = json.loads(lines.readline())
                    answer = str(said.get("return") or said.get("error") or "")
                return "" if answer == "{}" else answer.strip()

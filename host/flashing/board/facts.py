"""What a board reports about itself before anything is changed there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from edgeinfer.device.core.errors import RemoteError, printable

PROBE = Path(__file__).resolve().parent / "probe.sh"
"""The script that prints the facts; its one argument is the prefix."""

Sudo = Literal["unneeded", "free", "password", "refused", "absent"]
"""unneeded: the login is root's; free: no password is asked for."""

_MARK = "edgeinfer-fact "
_ARCHITECTURES = {"arm64": "aarch64", "amd64": "x86_64", "armv8l": "armv7l"}
"""Other names that kernels have for the same."""
_NARROW = {"aarch64": "armv7l", "x86_64": "i686"}
"""The architecture of a 64-bit kernel's 32-bit programs."""
_MOST_TEXT = 200


@dataclass(frozen=True, kw_only=True)
class BoardFacts:
    """The facts about a board.

    Attributes:
        machine: the kernel's architecture, from `uname -m`, with its usual name.
        architecture: of the programs there, which may be 32-bit on a 64-bit kernel.
        os_id, os_version, os_name: from `/etc/os-release`; empty if it does not say.
        model: the device tree's; empty where there is none.
        python: the path of `python3`; empty where there is none.
        python_version: such as (3, 11, 2); (0, 0, 0) where there is none.
        glibc: such as (2, 36); None if it has another C library.
        venv: whether that Python can make virtual environments.
        modules: those of the system's Python packages that are installed and may be needed.
        free_bytes: for root, on the disk of the prefix.
        writable: whether that file system can be written.
        clock_s: seconds since 1970 by the board's clock, when it was asked.
        systemd: its version; 0 where there is none.
        systemd_runs: whether systemd runs the system.
        groups: of the user who logs in.
        sudo: how that user becomes root.
        unsafe: a folder above edgeinfer's that users other than root may change, as
            "OWNER MODE PATH"; empty where there is none.
        has_prefix: whether edgeinfer's folder exists.
        pythons: the folders of Pythons that `flash` sent.
        agent_sha256: of the agent there; empty where there is none.
    """

    machine: str
    architecture: str
    os_id: str
    os_version: str
    os_name: str
    model: str
    python: str
    python_version: tuple[int, int, int]
    glibc: tuple[int, int] | None
    venv: bool
    modules: tuple[str, ...]
    free_bytes: int
    writable: bool
    clock_s: float
    systemd: int
    systemd_runs: bool
    groups: tuple[str, ...]
    sudo: Sudo
    unsafe: str
    has_prefix: bool
    pythons: tuple[str, ...]
    agent_sha256: str

    @property
    def title(self) -> str:
        """The board for people: its model and its system."""
        python = ".".join(map(str, self.python_version)) if self.python else ""
        parts = [
            self.model or self.architecture,
            self.os_name or self.os_id or "an unknown system",
            f"Python {python}" if python else "no Python",
        ]
        return ", ".join(parts)


def parse_facts(host: str, text: str) -> BoardFacts:
    """Read the probe's output; other lines are skipped.

    Raises:
        RemoteError: it is not complete.
    """
    facts: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.removeprefix(_MARK).partition("=")
        if line.startswith(_MARK) and equals:
            facts.setdefault(name, printable(value.strip())[:_MOST_TEXT])
    if facts.get("end") != "yes":
        raise RemoteError(
            host,
            got="does not report its system",
            expected="a Linux system with a POSIX shell",
            next_step="log in with `ssh` and see what it prints",
        )

    def text_of(name: str) -> str:
        return facts.get(name, "")

    machine = _ARCHITECTURES.get(text_of("machine"), text_of("machine"))
    python = text_of("python") if text_of("python").startswith("/") else ""
    version = _numbers(text_of("python_version"), 3)
    # If there is a Python, its own width counts: the wheels are for it.
    bits = text_of("python_bits") or text_of("bits")
    sudo: Sudo = next((known for known in get_args(Sudo) if known == text_of("sudo")), "refused")
    glibc = _numbers(text_of("glibc"), 2)
    sha256 = text_of("agent_sha256")
    return BoardFacts(
        machine=machine,
        architecture=_NARROW.get(machine, machine) if bits == "32" else machine,
        os_id=text_of("os_id"),
        os_version=text_of("os_version"),
        os_name=text_of("os_name"),
        model=text_of("model"),
        python=python if version else "",
        python_version=(version[0], version[1], version[2]) if python and version else (0, 0, 0),
        glibc=(glibc[0], glibc[1]) if glibc else None,
        venv=text_of("venv") == "yes",
        modules=tuple(text_of("modules").split()),
        free_bytes=_whole(text_of("free_kib")) * 1024,
        writable=text_of("writable") != "no",
        clock_s=float(_whole(text_of("clock"))),
        systemd=_whole(text_of("systemd")),
        systemd_runs=text_of("systemd_runs") == "yes",
        groups=tuple(text_of("groups").split()),
        sudo=sudo,
        unsafe=text_of("unsafe"),
        has_prefix=text_of("prefix") == "yes",
        pythons=tuple(
            name for name in text_of("pythons").split() if re.fullmatch("[0-9a-f]+", name)
        ),
        agent_sha256=sha256 if re.fullmatch(r"[0-9a-f]{64}", sha256) else "",
    )


def _whole(text: str) -> int:
    """Return the number that a text begins with, 0 if there is none."""
    match = re.match(r"[0-9]{1,18}", text)
    return int(match[0]) if match else 0


def _numbers(text: str, count: int) -> tuple[int, ...]:
    """Return the first numbers of a version; none if it has fewer."""
    found = re.match(r"[0-9]{1,6}(\.[0-9]{1,6})*", text)
    numbers = tuple(map(int, found[0].split("."))) if found else ()
    return numbers[:count] if len(numbers) >= count else ()

"""Which of a board's systems is emulated, and as which processor."""

from __future__ import annotations

import platform
from collections.abc import Iterator

from edgeinfer.boards import BoardProfile, System, load_profile
from edgeinfer.device.core.errors import EmulationError, UsageError
from edgeinfer.host.emulation.debian import SUITES
from edgeinfer.host.emulation.emulator import NAMES

FAMILIES = ("debian", "raspbian")
"""`ID` of systems that Debian's packages can replace. Raspberry Pi OS is Debian with its own
packages for the kernel, the camera and the desktop; its 32-bit packages, Raspbian's, are Debian's
built for ARMv6."""
CPUS = {
    "rpi-zero2w": "cortex-a53",
    "rpi3": "cortex-a53",
    "rpi4": "cortex-a72",
    "rpi5": "cortex-a76",
}
"""Processors by board, as qemu names them; without a name qemu 7.2 offers all features that it has,
and XNNPACK's INT8 results are then wrong. Sources: the boards' profiles."""
PLAIN_CPUS = {"aarch64": "cortex-a53", "armv7l": "cortex-a7"}
"""Processors of other boards: an old one, without the features of newer ones. For 32-bit it is the
A7, that of a Raspberry Pi 2."""


def choose_system(board: BoardProfile, wanted: str = "") -> System:
    """Return the system to emulate: the first of the board's systems that can be emulated.

    Args:
        board: the board.
        wanted: words that the system's name must contain, such as "bookworm" or "12 32-bit".

    Raises:
        UsageError: the board has no such system, or this machine runs it without emulation.
        EmulationError: it cannot be emulated.
    """
    words = wanted.casefold().replace(",", " ").split()
    named = [system for system in board.systems if _matches(system, words)]
    if wanted and not named:
        raise UsageError(
            f"--system {wanted}",
            got=f"is not a system of {board.name}",
            expected=" or ".join(system.name for system in board.systems) or "a board with systems",
        )
    here = platform.machine()
    architectures = {system.architecture for system in named} or {board.architecture}
    if architectures == {here}:
        raise UsageError(
            f"board {board.name}",
            got=f"is {here}, like this machine: its programs already run here",
            expected="a board with another processor",
            next_step="run: edgeinfer verify and edgeinfer run --camera",
        )
    for system in named:
        if not hindrance(system) and system.architecture != here:
            return system
    reasons = "; ".join(f"{system.name}: {hindrance(system)}" for system in named)
    others = [system.name for system in board.systems if not hindrance(system)]
    raise EmulationError(
        f"board {board.name}",
        got=f"cannot be emulated ({reasons or 'its profile names no system'})",
        expected=f"a system of Debian {' or '.join(SUITES)} with a TFLite runtime",
        next_step=f"choose with --system: {' or '.join(others)}"
        if others
        else "emulate generic-aarch64, the same kind of processor with another runtime",
    )


def hindrance(system: System) -> str:
    """Return why a system cannot be emulated; empty if it can."""
    if not system.runtime:
        return "there is no TFLite runtime for it"
    if system.architecture not in NAMES:
        return f"no emulator of {system.architecture} is known here"
    if system.os_id not in FAMILIES or system.version_id not in SUITES:
        return "it is not made of Debian's packages"
    if system.python_carried or system.runtime_in_system:
        return "it runs on packages that are not Debian's"
    return ""


def processor(board: BoardProfile, architecture: str) -> str:
    """Return the processor to emulate, by qemu's name.

    Args:
        board: the board; one that is based on another has the processor of that board.
        architecture: of the userland.
    """
    if architecture == "aarch64":
        for name in _ancestry(board):
            if name in CPUS:
                return CPUS[name]
    return PLAIN_CPUS[architecture]


def _ancestry(board: BoardProfile) -> Iterator[str]:
    yield board.name
    base = board.based_on
    while base:
        yield base
        base = load_profile(base).based_on


def _matches(system: System, words: list[str]) -> bool:
    name = system.name.casefold().replace(",", " ").replace("(", " ").replace(")", " ").split()
    return all(word in name for word in words)

"""A board that needs no emulator: this machine's Python instead of the emulated one."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from edgeinfer.boards import load_profile
from edgeinfer.host.emulation.emulator import Emulator
from edgeinfer.host.emulation.userland import EmulatedBoard


def script(path: Path, *lines: str) -> Path:
    """Write a program for the shell."""
    path.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    path.chmod(0o755)
    return path


def board_here(folder: Path, *lines: str) -> EmulatedBoard:
    """Return a board whose Python is that script, without one this machine's."""
    rpi4 = load_profile("rpi4")
    return EmulatedBoard(
        board=rpi4,
        system=rpi4.systems[0],
        emulator=Emulator(path=folder / "qemu", version=(10, 0)),
        cpu="cortex-a72",
        runtime="ai-edge-litert 2.3.0",
        root=folder,
        python=script(folder / "python", *(lines or [f'exec {shlex.quote(sys.executable)} "$@"'])),
    )

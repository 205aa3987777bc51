"""Programs that must succeed, and Debian packages: what a machine that runs tests may lack."""

from __future__ import annotations

import subprocess
from pathlib import Path

from edgeinfer.device.core.errors import EmulationError
from edgeinfer.host.emulation import debian


class UserlandError(Exception):
    """What this machine lacks for a userland of another architecture."""


def host_architecture() -> str:
    """Return Debian's name for this machine's architecture."""
    return run_tool("dpkg", "--print-architecture").strip()


def unpack(package: Path, folder: Path, *options: str) -> None:
    """Unpack a package's files into a folder that exists, with more of tar's options.

    Raises:
        UserlandError: dpkg-deb or tar failed.
    """
    try:
        debian.unpack(package, folder, *options)
    except EmulationError as error:
        raise UserlandError(str(error)) from error


def run_tool(*command: object) -> str:
    """Run a program that must succeed, and return what it printed.

    Raises:
        UserlandError: it did not.
    """
    words = [str(part) for part in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-2000:]
        raise UserlandError(f"{' '.join(words)}: {said}")
    return done.stdout

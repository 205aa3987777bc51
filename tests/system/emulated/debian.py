"""Debian packages of any architecture, downloaded and unpacked without root rights.

apt works on a state of its own, in a folder, from the sources that this machine is configured with,
as if nothing were installed; so it resolves all that the packages need. Nothing is installed.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_APT_CONFIGURATION = """
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Sandbox::User "root";
Acquire::Languages "none";
Debug::NoLocking "true";
Dir::Cache "{folder}";
Dir::Cache::archives "{folder}/archives";
Dir::State::lists "{folder}/lists";
Dir::State::status "{folder}/status";
"""


class UserlandError(Exception):
    """What this machine lacks for a userland of another architecture."""


def host_architecture() -> str:
    """Return Debian's name for this machine's architecture."""
    return run_tool("dpkg", "--print-architecture").strip()


def download_packages(architecture: str, state: Path, packages: Sequence[str]) -> list[Path]:
    """Download packages with all that they need, and return the files.

    Args:
        architecture: Debian's name for it.
        state: an empty folder for apt; the files are in it.
        packages: their names.

    Raises:
        UserlandError: apt cannot get them.
    """
    for name in ("lists/partial", "archives/partial"):
        (state / name).mkdir(parents=True)
    (state / "status").touch()
    configuration = state / "apt.conf"
    configuration.write_text(_APT_CONFIGURATION.format(architecture=architecture, folder=state))
    env = {**os.environ, "APT_CONFIG": str(configuration)}
    updated = _try("apt-get", "-qq", "update", env=env)
    options = ("-qq", "--yes", "--no-install-recommends", "--download-only")
    downloaded = _try("apt-get", *options, "install", *packages, env=env)
    if downloaded.returncode:
        # One of several sources may be out of step: that matters only if packages are missing.
        raise UserlandError(f"apt-get: {(updated.stderr + downloaded.stderr).strip()[-2000:]}")
    return sorted((state / "archives").glob("*.deb"))


def unpack(package: Path, folder: Path, *options: str) -> None:
    """Unpack a package's files into a folder that exists, with more of tar's options.

    Raises:
        UserlandError: dpkg-deb or tar failed.
    """
    with subprocess.Popen(
        ["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE
    ) as unpacking:
        command = ["tar", "--extract", f"--directory={folder}", *options]
        done = subprocess.run(command, stdin=unpacking.stdout, capture_output=True, check=False)
    if done.returncode or unpacking.returncode:
        raise UserlandError(f"{package.name}: {done.stderr.decode().strip() or 'dpkg-deb failed'}")


def run_tool(*command: object) -> str:
    """Run a program that must succeed, and return what it printed.

    Raises:
        UserlandError: it did not.
    """
    done = _try(*command)
    if done.returncode:
        words = " ".join(map(str, command))
        raise UserlandError(f"{words}: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout


def _try(
    *command: object, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    words = [str(part) for part in command]
    return subprocess.run(words, env=env, capture_output=True, text=True, check=False)

"""Debian packages of the board's architecture from this machine's package sources.

`tests.system.emulated.debian` gets packages with all that they need. A kernel to be built against
is wanted without: its needs are a compiler of the board's own and an initrd generator.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.system.emulated.debian import UserlandError, run_tool


class PackageSource:
    """apt with a separate state, as if nothing were installed.

    Args:
        state: an empty folder for it.
        architecture: Debian's name of the architecture that is wanted.

    Raises:
        UserlandError: no source answers.
    """

    def __init__(self, state: Path, architecture: str) -> None:
        for name in ("lists/partial", "archives/partial"):
            (state / name).mkdir(parents=True)
        (state / "status").touch()
        self._archives = state / "archives"
        self._apt = (
            *("apt-get", "-qq", "-o", f"APT::Architecture={architecture}"),
            *("-o", f"APT::Architectures={architecture}", "-o", "APT::Sandbox::User=root"),
            *("-o", "Acquire::Languages=none", "-o", "Debug::NoLocking=true"),
            *("-o", f"Dir::Cache={state}", "-o", f"Dir::Cache::archives={self._archives}"),
            *("-o", f"Dir::State::lists={state / 'lists'}"),
            *("-o", f"Dir::State::status={state / 'status'}"),
        )
        self._updated = self._run("update")

    def with_needs(self, packages: Sequence[str]) -> list[Path]:
        """Download packages and all that they need; return the files, those of earlier calls too.

        Raises:
            UserlandError: apt cannot get them.
        """
        options = ("--yes", "--no-install-recommends", "--download-only")
        self._must("install", *options, *packages)
        return sorted(self._archives.glob("*.deb"))

    def alone(self, package: str) -> Path:
        """Download one package and return its file.

        Raises:
            UserlandError: apt cannot get it.
        """
        self._must("download", package)
        (file,) = self._archives.glob(f"{package}_*.deb")
        return file

    def _must(self, *arguments: str) -> None:
        done = self._run(*arguments)
        if done.returncode:
            told = (self._updated.stderr + done.stderr).strip()[-2000:]
            raise UserlandError(f"apt-get {arguments[0]}: {told}")

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._apt, *arguments],
            cwd=self._archives,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            capture_output=True,
            text=True,
            check=False,
        )


def needs(package: Path) -> list[str]:
    """Return the names of the packages that a package file says it depends on."""
    said = run_tool("dpkg-deb", "--field", package, "Depends")
    return [need.split()[0] for need in said.split(",") if need.strip()]

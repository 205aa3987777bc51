"""Virtual environments as users make them, and what is in them."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import NoReturn

import pytest

from tests.support.told import tell

_INSTALLERS = frozenset({"pip", "setuptools"})
"""What `python -m venv` itself puts in; not edgeinfer's."""


def unavailable(reason: str) -> NoReturn:
    """Skip the test, or fail it in CI: there, what cannot run must not pass unnoticed."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason}; with CI set in the environment this test must run", pytrace=False)
    pytest.skip(reason)


def clean_environ(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment without variables for another Python or edgeinfer."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("EDGEINFER_", "PYTHON")) and name != "VIRTUAL_ENV"
    }
    return {**kept, **(extra or {})}


def find_python(version: str) -> Path | None:
    """Return an interpreter of that version ("3.12"): this one, pyenv's, or one on the path."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [
        Path(sys.executable),
        *sorted(pyenv.glob(f"versions/{version}*/bin/python"), reverse=True),
        *(Path(found) for found in [shutil.which(f"python{version}")] if found),
    ]
    # pyenv's shims are on the path even for versions that they then refuse to run.
    probe = "import ensurepip, sys; print('%d.%d' % sys.version_info[:2])"
    for candidate in candidates:
        answer = subprocess.run(
            [candidate, "-c", probe],
            capture_output=True,
            text=True,
            check=False,
            env=clean_environ(),
        )
        if answer.stdout.strip() == version:
            return candidate
    return None


@dataclass(frozen=True, kw_only=True)
class Package:
    """A distribution in an environment; `size` is what its files take on disk, in bytes."""

    name: str
    version: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A virtual environment."""

    folder: Path
    version: str

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    def pip(self, *arguments: object, env: Mapping[str, str] | None = None) -> str:
        """Run pip and return what it printed; the test fails where pip does."""
        command = (self.python, "-m", "pip", "--disable-pip-version-check", *arguments)
        done = self._run(*command, env=env)
        if done.returncode:
            pytest.fail(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
        return done.stdout

    def evaluate(self, code: str) -> str:
        """Run a few lines of Python and return what they printed."""
        done = self._run(self.python, "-c", code)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def edgeinfer(
        self, *arguments: object, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the installed program; a traceback fails the test whatever the exit code."""
        done = self._run(self.folder / "bin" / "edgeinfer", *arguments, env=env)
        assert "Traceback" not in done.stderr, done.stderr
        assert "a defect in edgeinfer" not in done.stderr, done.stderr
        return done

    def packages(self) -> list[Package]:
        """List what is installed, without pip itself."""
        site = next(self.folder.glob("lib/python3*/site-packages"))
        found = []
        for distribution in metadata.distributions(path=[str(site)]):
            name = distribution.metadata["Name"]
            if name in _INSTALLERS:
                continue
            files = {Path(str(file.locate())) for file in distribution.files or ()}
            size = sum(file.stat().st_blocks * 512 for file in files if file.is_file())
            found.append(Package(name=name, version=distribution.version, size=size))
        return sorted(found, key=lambda package: package.name.lower())

    def _run(
        self, *command: object, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        # The folder as home and working directory: nothing of the user's is found or changed.
        return subprocess.run(
            [str(part) for part in command],
            cwd=self.folder,
            env=clean_environ({"XDG_DATA_HOME": str(self.folder / "data"), **(env or {})}),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )


def make_environment(folder: Path, version: str) -> Environment:
    """Make an empty environment of that Python, or skip where there is none.

    The version that runs the tests is always there, so for it nothing is skipped.
    """
    python = find_python(version)
    if python is None:
        pytest.skip(f"no Python {version} with ensurepip, from pyenv or on the path")
    shutil.copytree(_empty_environment(python), folder, symlinks=True)
    # What names the folder that it was made in: the programs' first lines and how it was made.
    for path in [folder / "pyvenv.cfg", *(folder / "bin").iterdir()]:
        if not path.is_symlink():
            text = path.read_text()
            path.write_text(text.replace(str(_empty_environment(python)), str(folder)))
    return Environment(folder=folder, version=version)


@functools.cache
def _empty_environment(python: Path) -> Path:
    """Return an environment that Python made; copies of it cost a thirtieth of the time."""
    made = tempfile.TemporaryDirectory(prefix="environment-")
    atexit.register(made.cleanup)
    subprocess.run([python, "-m", "venv", made.name], check=True, env=clean_environ())
    return Path(made.name)


def tell_size(config: pytest.Config, name: str, packages: list[Package]) -> None:
    """Print an environment's size and packages after the tests, as a row of a Markdown table."""
    section = "base installs (table for docs/benchmarks.md)"
    tell(config, section, "| Environment | On disk | Packages (MB) |\n|---|---|---|")
    listed = ", ".join(f"{p.name} {p.version} ({p.size / 1e6:.1f})" for p in packages)
    total = sum(package.size for package in packages)
    tell(config, section, f"| {name} | {total / 1e6:.0f} MB | {listed} |")

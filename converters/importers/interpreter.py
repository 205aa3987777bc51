"""Finding a Python of a version that an importer needs: an installed one, else one that uv brings.

A program that is named `python3.12` may not run: pyenv's shim of a version that is not chosen only
prints advice. So each is tried.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.importers.child import isolated_environment, run_child, this_python
from edgeinfer.converters.importers.install import INSTALL_S, install_error
from edgeinfer.converters.importers.kept_folder import make_folder
from edgeinfer.device.core.errors import MissingExtraError
from edgeinfer.device.core.files import cache_home
from edgeinfer.device.core.installation.stamps import IMPORTERS_FOLDER

_ASKED = "import json, sys, venv; print(json.dumps([*sys.version_info[:2], sys.executable]))"
_ASKED_S = 30.0
_UV_MB = 120


def find_python(name: str, versions: Sequence[tuple[int, int]], progress: Progress) -> Path:
    """Return an interpreter that runs and can make virtual environments.

    This process's own comes first, then those on PATH, then pyenv's, then one that uv downloads
    into edgeinfer's cache.

    Args:
        name: what needs it, for errors.
        versions: which will do, the best first, such as (3, 12).
        progress: receives what is said before something is downloaded.

    Raises:
        MissingExtraError: there is none, and no uv that could bring one.
        StorageError: the one that uv brings cannot be stored.
    """
    if sys.version_info[:2] in versions:
        return this_python()
    for version in versions:
        for program in _candidates(version):
            found = _running(program, version)
            if found is not None:
                return found
    uv = shutil.which("uv")
    if uv is None:
        wanted = " or ".join(f"{major}.{minor}" for major, minor in versions)
        raise MissingExtraError(
            name,
            got=f"needs Python {wanted}, which is not installed",
            next_step="install it, or uv, which brings it, and run this again",
        )
    return _by_uv(name, Path(uv).absolute(), versions[0], progress)


def _candidates(version: tuple[int, int]) -> Iterator[Path]:
    """Give each program of this version on PATH, and what pyenv keeps behind its shims."""
    program = f"python{version[0]}.{version[1]}"
    for entry in os.environ.get("PATH", "").split(os.pathsep):
        folder = Path(entry)
        if not folder.is_absolute():
            continue
        if os.access(folder / program, os.X_OK):
            yield folder / program
        if folder.name == "shims":
            pattern = f"{version[0]}.{version[1]}.*/bin/{program}"
            yield from sorted((folder.parent / "versions").glob(pattern))


def _running(program: Path, version: tuple[int, int]) -> Path | None:
    """Return the interpreter behind a program; None where it does not run, or is another."""
    try:
        done = run_child([str(program), "-I", "-c", _ASKED], limit_s=_ASKED_S)
        major, minor, path = json.loads(done.output.strip().splitlines()[-1])
    except (OSError, ValueError, IndexError, TypeError):
        return None
    if done.end.code != 0 or (major, minor) != version:
        return None
    return Path(path)


def _by_uv(name: str, uv: Path, version: tuple[int, int], progress: Progress) -> Path:
    """Have uv download a Python into the cache, once."""
    text = f"{version[0]}.{version[1]}"
    folder = cache_home() / IMPORTERS_FOLDER / f"python-{text}"
    python = folder / "bin" / f"python{text}"

    def fill(new: Path, scratch: Path) -> None:
        options = ("--install-dir", str(scratch / "pythons"), "--no-bin", "--no-progress")
        environment = isolated_environment(NO_COLOR="1", TMPDIR=str(scratch))
        command = [str(uv), "python", "install", *options, text]
        done = run_child(command, limit_s=INSTALL_S, environment=environment)
        found = sorted((scratch / "pythons").glob(f"*/bin/python{text}"))
        if done.end.code != 0 or not found:
            raise install_error(f"{name}'s Python {text}", done)
        found[0].parents[1].resolve().rename(new)

    if not python.exists():
        progress.say(f"Python {text}, which {name} needs, is brought by uv: about {_UV_MB} MB")
        make_folder(
            folder,
            fill,
            stamp={"name": f"python-{text}", "purpose": f"runs {name}", "packages": []},
            size_mb=_UV_MB,
            progress=progress,
            is_ready=python.exists,
        )
    return python

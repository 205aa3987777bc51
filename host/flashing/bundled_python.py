"""A self-contained Python for boards whose own Python is too old.

The program `uv` downloads one for any Linux and checks it; it stays in the cache as one archive.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from edgeinfer.device.core.errors import MissingExtraError, WheelError
from edgeinfer.device.core.files import atomic_file, cache_home
from edgeinfer.device.core.installation.advice import add_packages
from edgeinfer.device.core.processes import run_to_end

SHORT = 16
"""Hexadecimal digits of an archive's SHA-256 that name its folder on a board."""

_DOWNLOAD_S = 1800
_NAMES = {"armv7l": "armv7"}
_LIBC = {"armv7l": "gnueabihf"}


@dataclass(frozen=True, kw_only=True)
class CarriedPython:
    """A `.tar.gz` of a Python's `bin`, `lib` and so on.

    Attributes:
        version: such as "3.10".
        path: the archive.
        sha256: of it.
        size: bytes.
    """

    version: str
    path: Path
    sha256: str
    size: int


def carried_python(version: str, architecture: str, *, cache: Path | None = None) -> CarriedPython:
    """Return an archive of a Python that runs from any folder, downloaded once.

    Args:
        version: such as "3.10".
        architecture: of the board's programs.
        cache: where it is kept; by default `$XDG_CACHE_HOME/edgeinfer/pythons`.

    Raises:
        MissingExtraError: the program `uv` is not installed here.
        WheelError: it cannot be downloaded.
        StorageError: the cache cannot be written.
    """
    archive = (cache or cache_home() / "pythons") / f"python-{version}-{architecture}.tar.gz"
    if archive.is_file():
        return _described(version, archive)
    program = shutil.which("uv")
    if program is None:
        raise MissingExtraError(
            "the Python for the board",
            got="the program `uv`, which downloads it, is not installed here",
            next_step=add_packages("uv"),
        )
    machine, libc = _NAMES.get(architecture, architecture), _LIBC.get(architecture, "gnu")
    build = f"cpython-{version}-linux-{machine}-{libc}"
    with tempfile.TemporaryDirectory(prefix="edgeinfer-") as scratch:
        folder = _download(program, build, Path(scratch), version)
        with atomic_file(archive) as stream:
            _pack(folder, stream)
    return _described(version, archive)


def _described(version: str, archive: Path) -> CarriedPython:
    with archive.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return CarriedPython(version=version, path=archive, sha256=digest, size=archive.stat().st_size)


def _download(program: str, build: str, scratch: Path, version: str) -> Path:
    end = run_to_end(
        [
            os.path.abspath(program),
            "python",
            "install",
            "--install-dir",
            str(scratch),
            "--no-bin",
            build,
        ],
        env={**os.environ, "NO_COLOR": "1"},
        # uv reads a uv.toml or pyproject.toml in the folder that it runs in, and in those above.
        cwd="/",
        limit_s=_DOWNLOAD_S,
    ).end
    found = [path.parents[1].resolve() for path in scratch.glob(f"*/bin/python{version}")]
    if end.code != 0 or not found:
        reason = end.words or ("uv gives no reason" if end.code == 0 else f"uv {end.text}")
        raise WheelError(
            build,
            got=f"cannot be downloaded ({reason})",
            expected="the Python for the board",
            next_step="connect this machine to the internet and run it again",
        )
    return found[0]


def _pack(folder: Path, stream: IO[bytes]) -> None:
    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        return member

    # Without times, so that the same files give the same archive.
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in sorted(folder.iterdir()):
            archive.add(path, arcname=path.name, filter=plain)

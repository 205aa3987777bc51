"""Where a delegate's library is."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from pathlib import Path

_LIBRARY_FOLDERS = ("lib", "usr/lib", "usr/local/lib", "lib64", "usr/lib64")


def find_library(name: str, *, root: Path = Path("/")) -> Path | None:
    """Return where a library is, as the dynamic loader would look for it; None for nowhere.

    Args:
        name: a path, or a file name.
        root: of the file system, for tests.
    """
    if "/" in name:
        path = Path(name)
        return path if path.is_file() else None
    for folder in _library_folders(root):
        path = folder / name
        if path.is_file():
            return path
    return None


def _library_folders(root: Path) -> Iterator[Path]:
    for named in os.environ.get("LD_LIBRARY_PATH", "").split(":"):
        if os.path.isabs(named):  # a relative one would depend on the working folder
            yield Path(named)
    configured = sorted((root / "etc/ld.so.conf.d").glob("*.conf"))
    for file in [root / "etc/ld.so.conf", *configured]:
        try:
            lines = file.read_text(errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            folder = line.partition("#")[0].strip()
            if folder.startswith("/"):
                yield root / folder.lstrip("/")
    triplet = _debian_triplet()
    for name in _LIBRARY_FOLDERS:
        yield root / name / triplet
        yield root / name


def _debian_triplet() -> str:
    names = {"armv7l": "arm-linux-gnueabihf", "armv6l": "arm-linux-gnueabihf"}
    machine = platform.machine()
    return names.get(machine, f"{machine}-linux-gnu")

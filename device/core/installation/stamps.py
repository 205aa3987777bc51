"""Stamps of the environments that the workstation makes for importers; the doctor reads them.

An environment is a folder in edgeinfer's cache, with a small JSON file that says what it holds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

IMPORTERS_FOLDER = "importers"
"""Where the environments are, in `cache_home()`."""

STAMP_FILE = "edgeinfer-environment.json"
"""What a complete environment has."""

_MOST_BYTES = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """What an environment says about itself.

    Attributes:
        name: of what is installed in it.
        purpose: what it is for, to follow the name.
        packages: exact requirements, such as "numpy==2.2.6".
        size_mb: what it takes on the disk.
    """

    name: str
    purpose: str
    packages: tuple[str, ...]
    size_mb: int


def read_stamps(home: Path) -> list[tuple[Path, Stamp | None]]:
    """Return each environment in a folder, and its stamp; None for a stamp that is damaged."""
    return [(path.parent, read_stamp(path)) for path in sorted(home.glob(f"[!.]*/{STAMP_FILE}"))]


def read_stamp(path: Path) -> Stamp | None:
    """Return a stamp; None where it cannot be read or is damaged."""
    try:
        with path.open("rb") as stream:
            content = json.loads(stream.read(_MOST_BYTES))
        return Stamp(
            name=str(content["name"]),
            purpose=str(content["purpose"]),
            packages=tuple(str(one) for one in content["packages"]),
            size_mb=int(content["size_mb"]),
        )
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None

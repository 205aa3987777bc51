"""What system tests make once and keep, under `$XDG_CACHE_HOME/edgeinfer-tests`.

Removing that folder, or any in it, is always safe.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path


def cached_folder(name: str, inputs: Sequence[str], build: Callable[[Path], None]) -> Path:
    """Return the folder for these inputs; `build` fills it at the first call.

    Args:
        name: how its name begins.
        inputs: all that its contents depend on: a change makes another folder.
        build: fills an empty folder, which is moved to its place once it is whole.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edgeinfer-tests"
    digest = hashlib.sha256("\n".join(inputs).encode()).hexdigest()[:16]
    folder = home / f"{name}-{digest}"
    if not folder.is_dir():
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home, prefix="building-") as building:
            made = Path(building, "made")
            made.mkdir()
            build(made)
            try:
                made.rename(folder)
            except OSError:
                if not folder.is_dir():  # else another process was first
                    raise
    return folder

"""Builds the wall clock that jumps; jumpclock.c says how."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

SOURCE = Path(__file__).with_name("jumpclock.c")


def build_clock(library: Path, compiler: Sequence[str]) -> Path:
    """Compile the clock into `library` and return that.

    Raises:
        CalledProcessError: it does not compile.
    """
    options = ["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([*compiler, *options, "-o", str(library), str(SOURCE)], check=True)
    return library

"""Builds the reference delegate; reference_delegate.c says what it does."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

FOLDER = Path(__file__).parent
SOURCES = ("reference_delegate.c", "faults.c")


def c_compiler() -> list[str] | None:
    """Return the C compiler's command, or None where there is none."""
    named = os.environ.get("CC")
    if named:
        return named.split()
    found = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    return [found] if found else None


def build(library: Path, compiler: list[str]) -> Path:
    """Compile the delegate into `library` and return that.

    Raises:
        CalledProcessError: it does not compile.
    """
    options = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    options += ["-fvisibility=hidden", "-o", str(library)]
    subprocess.run([*compiler, *options, *(str(FOLDER / name) for name in SOURCES)], check=True)
    return library

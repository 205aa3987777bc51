"""Where the doctor looks: the file system's root, and what the user asked about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class System:
    """A machine, as its files tell.

    Attributes:
        root: the file system's root; another folder than `/` stands in for /proc, /sys and /dev.
        model: the model to look at; None for the installed bundle.
        camera: the source to try; None for none in particular.
        timeout_s: how long one child process may take.
    """

    root: Path = Path("/")
    model: Path | None = None
    camera: str | None = None
    timeout_s: float = 30.0

    def path(self, name: str) -> Path:
        """Return a file of the machine; `name` is absolute, such as "/proc/meminfo"."""
        return self.root / name.lstrip("/")

    def text(self, name: str) -> str:
        """Return a file's text without the line's end; empty where it cannot be read."""
        return read_text(self.path(name))

    def number(self, name: str) -> int | None:
        """Return the whole number in a file; None where there is none."""
        return read_number(self.path(name))

    def glob(self, pattern: str) -> list[Path]:
        """Return what matches an absolute pattern, by name."""
        return sorted(self.root.glob(pattern.lstrip("/")))


def read_text(path: Path) -> str:
    """Return a file's text without the line's end; empty where it cannot be read."""
    try:
        return path.read_bytes().rstrip(b"\0\n").decode(errors="replace")
    except OSError:
        return ""


def read_number(path: Path) -> int | None:
    """Return the whole number in a file, decimal or hexadecimal; None where there is none."""
    try:
        return int(read_text(path), 0)
    except ValueError:
        return None

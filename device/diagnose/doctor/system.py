"""Where the doctor looks: the root of the file system, and what the user named."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class System:
    """A machine, seen through its files.

    Attributes:
        root: the root of the file system; tests use another folder, with its own /proc, /sys and
            /dev.
        model: the model to check; None for the installed bundle.
        camera: the source to try; None to try none.
        tls_ca: a file with the certificates that it may have; None for those the system trusts.
        tls_insecure: whether it may have any certificate.
        timeout_s: how long one child process may take.
    """

    root: Path = Path("/")
    model: Path | None = None
    camera: str | None = None
    tls_ca: Path | None = None
    tls_insecure: bool = False
    timeout_s: float = 30.0

    def path(self, name: str) -> Path:
        """Return a file of the machine; `name` is absolute, such as "/proc/meminfo"."""
        return self.root / name.lstrip("/")

    def text(self, name: str) -> str:
        """Return a file's text without the line end; empty if it cannot be read."""
        return read_text(self.path(name))

    def number(self, name: str) -> int | None:
        """Return the whole number in a file; None if there is none."""
        return read_number(self.path(name))

    def glob(self, pattern: str) -> list[Path]:
        """Return the paths that match an absolute pattern, sorted."""
        return sorted(self.root.glob(pattern.lstrip("/")))


def read_text(path: Path) -> str:
    """Return a file's text without the line end; empty if it cannot be read."""
    try:
        return path.read_bytes().rstrip(b"\0\n").decode(errors="replace")
    except OSError:
        return ""


def read_number(path: Path) -> int | None:
    """Return the whole number in a file, decimal or hexadecimal; None if there is none."""
    try:
        return int(read_text(path), 0)
    except ValueError:
        return None

"""Python itself: its version, the architecture it runs in, the C library, the environment."""

from __future__ import annotations

import platform
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

from edgeinfer.device.diagnose.doctor.finding import Finding, broken, note, ok
from edgeinfer.device.diagnose.doctor.system import System, read_text

OLDEST_PYTHON, NEWEST_PYTHON = (3, 10), (3, 13)
OLDEST_GLIBC = (2, 28)
"""The wheels of edgeinfer are built for it; those of tflite-runtime for ARM need 2.34."""
TFLITE_RUNTIME_ARM_GLIBC = (2, 34)
TFLITE_RUNTIME_NEWEST_PYTHON = (3, 11)

_64_BIT_KERNELS = ("aarch64", "arm64", "x86_64", "amd64")


class PythonCheck:
    """Whether there are wheels for this Python, this processor and this C library."""

    title = "Python"

    def run(self, system: System) -> Sequence[Finding]:
        """Check the interpreter that runs this."""
        bits = struct.calcsize("P") * 8
        library, version = platform.libc_ver()
        return [
            check_version(sys.version_info[:2], arm32=_is_arm(platform.machine()) and bits == 32),
            check_userland(platform.machine(), bits),
            check_c_library(library, version, machine=platform.machine()),
            check_environment(Path(sys.prefix), virtual=sys.prefix != sys.base_prefix),
        ]


def check_version(version: tuple[int, int], *, arm32: bool) -> Finding:
    """Compare Python's version with those that have packages."""
    found = _dotted(version)
    if not OLDEST_PYTHON <= version <= NEWEST_PYTHON:
        return broken(
            "version",
            found,
            expected=f"{_dotted(OLDEST_PYTHON)} to {_dotted(NEWEST_PYTHON)}",
            fix="make the environment with another Python: `python3.11 -m venv edgeinfer`",
        )
    if arm32 and version > TFLITE_RUNTIME_NEWEST_PYTHON:
        return broken(
            "version",
            f"{found} on 32-bit ARM, which has no runtime",
            expected=f"{_dotted(TFLITE_RUNTIME_NEWEST_PYTHON)} or older",
            fix="install the 64-bit system, or 32-bit Raspberry Pi OS Bookworm",
        )
    return ok("version", f"{platform.python_version()} ({sys.executable})")


def check_userland(machine: str, bits: int) -> Finding:
    """Compare the kernel's architecture with Python's own.

    Raspberry Pi OS (32-bit) starts a 64-bit kernel on boards that can: `uname -m` and pip then use
    an architecture whose packages this Python cannot load.
    """
    if machine in _64_BIT_KERNELS and bits == 32:
        return note(
            "architecture",
            f"a 32-bit Python under a 64-bit kernel ({machine})",
            expected="both 64-bit: pip looks for packages of the wrong kind",
            fix="install the 64-bit Raspberry Pi OS, or install with `pip install --no-deps`, "
            "see '32-bit ARM' in docs/run.md",
        )
    return ok("architecture", f"{machine}, {bits}-bit")


def check_c_library(library: str, version: str, *, machine: str) -> Finding:
    """Compare the C library with the one that the wheels need."""
    if library != "glibc":
        return broken(
            "C library",
            f"{library or 'musl, or another without a name'}",
            expected="glibc, for which runtimes are built",
            fix="use Debian, Raspberry Pi OS or Ubuntu instead of this system",
        )
    number = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    if number < OLDEST_GLIBC:
        return broken(
            "C library",
            f"glibc {version}",
            expected=f"{_dotted(OLDEST_GLIBC)} or newer",
            fix="upgrade the system to Debian 12 (Bookworm) or newer",
        )
    if number < TFLITE_RUNTIME_ARM_GLIBC and _is_arm(machine):
        return note(
            "C library",
            f"glibc {version}",
            expected=f"{_dotted(TFLITE_RUNTIME_ARM_GLIBC)} or newer for tflite-runtime",
            fix="upgrade the system to Debian 12 (Bookworm), or use ai-edge-litert",
        )
    return ok("C library", f"glibc {version}")


def check_environment(prefix: Path, *, virtual: bool) -> Finding:
    """Return which environment this is."""
    if not virtual:
        return ok("environment", f"the system's own Python ({prefix})")
    shared = "with" if sees_system_packages(prefix) else "without"
    return ok("environment", f"{prefix}, {shared} the system's packages")


def sees_system_packages(prefix: Path) -> bool:
    """Return whether a virtual environment was made with --system-site-packages."""
    for line in read_text(prefix / "pyvenv.cfg").splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "include-system-site-packages":
            return value.strip().lower() == "true"
    return False


def _is_arm(machine: str) -> bool:
    return machine.startswith(("arm", "aarch64"))


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))

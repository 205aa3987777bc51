"""What machine this is, and how much memory a process holds."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

from edgeinfer.boards import BoardProfile
from edgeinfer.device.diagnose.benchmark.report import Machine


def this_machine(board: BoardProfile) -> Machine:
    """Return what the system tells about this machine."""
    return Machine(
        board=board.name,
        title=board.title,
        architecture=platform.machine(),
        processor=_first_value(Path("/proc/cpuinfo"), "model name"),
        cores=os.cpu_count() or 1,
        memory_mib=_kibibytes(Path("/proc/meminfo"), "MemTotal") // 1024,
        python=platform.python_version(),
        edgeinfer=metadata.version("edgeinfer"),
    )


def resident_mib() -> float | None:
    """Return the memory that this process holds now, MiB; None where the system does not say."""
    return _own_mib("VmRSS")


def peak_resident_mib() -> float | None:
    """Return the most memory that this program has held, MiB; None where it is not known.

    Not from `getrusage`: its maximum stays after `exec`, so a process that a large one started
    would report the size of the large one.
    """
    return _own_mib("VmHWM")


def _own_mib(key: str) -> float | None:
    kibibytes = _kibibytes(Path("/proc/self/status"), key)
    return kibibytes / 1024 if kibibytes else None


def _kibibytes(path: Path, key: str) -> int:
    words = _first_value(path, key).split()
    return int(words[0]) if words and words[0].isdecimal() else 0


def _first_value(path: Path, key: str) -> str:
    """Return what follows the first `key:` of a file, empty where there is none."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return next(
        (v.strip() for k, _, v in (x.partition(":") for x in lines) if k.strip() == key), ""
    )

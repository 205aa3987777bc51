"""What a report says about the machine: board, processor, memory, system, software."""

from __future__ import annotations

import os
import platform
import struct
from importlib import metadata

from edgeinfer.boards import detect_board
from edgeinfer.device.diagnose.doctor.checks.memory import meminfo_mib
from edgeinfer.device.diagnose.doctor.system import System

_PACKAGES = (
    *("numpy", "opencv-python-headless", "opencv-python", "opencv-contrib-python-headless"),
    *("ai-edge-litert", "tflite-runtime", "tensorflow", "tensorflow-cpu", "click", "picamera2"),
)

_LABEL = 12


def machine_json(system: System) -> dict[str, object]:
    """Return the machine, for programs; what it does not say is null."""
    board = detect_board(system.root)
    release = _pairs(system.text("/etc/os-release"), "=")
    library, version = platform.libc_ver()
    return {
        "edgeinfer": metadata.version("edgeinfer"),
        "board": {
            "name": board.name,
            "title": board.title,
            "threads": board.thread_count(),
            "device_tree": system.text("/proc/device-tree/model") or None,
        },
        "processor": _pairs(system.text("/proc/cpuinfo"), ":").get("model name"),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "memory_mib": meminfo_mib(system, "MemTotal") or None,
        "swap_mib": meminfo_mib(system, "SwapTotal"),
        "system": release.get("PRETTY_NAME") or platform.system(),
        "os_id": release.get("ID"),
        "version_id": release.get("VERSION_ID"),
        "kernel": platform.release(),
        "c_library": f"{library} {version}".strip() or None,
        "python": platform.python_version(),
        "python_bits": struct.calcsize("P") * 8,
    }


def machine_lines(system: System) -> list[str]:
    """Return the machine, for people."""
    said, board = machine_json(system), detect_board(system.root)
    threads = board.thread_count()
    model = system.text("/proc/device-tree/model")
    named = f" ({said['processor']})" if said["processor"] else ""
    rows = {
        "board": f"{board.title} ({board.name}), {threads} interpreter thread{'s' * (threads > 1)}",
        **({"device tree": model} if model else {}),
        "processor": f"{said['architecture']}, cores: {said['cores']}{named}",
        "memory": f"{said['memory_mib']} MiB, swap {said['swap_mib']} MiB",
        "system": f"{said['system']}, kernel {said['kernel']}, {said['c_library']}",
        "software": f"edgeinfer {said['edgeinfer']}, Python {said['python']}, "
        f"{said['python_bits']}-bit",
    }
    return [f"{name:{_LABEL}}{text}" for name, text in rows.items()]


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that edgeinfer uses, of those that are installed."""
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def package_lines(versions: dict[str, str]) -> list[str]:
    """Return the versions, for people."""
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    return [f"{'packages':{_LABEL}}{listed}"]


def _pairs(text: str, separator: str) -> dict[str, str]:
    """Return the lines `key SEPARATOR value` of a text; of a repeated key, the first."""
    pairs: dict[str, str] = {}
    for line in text.splitlines():
        key, found, value = line.partition(separator)
        if found:
            pairs.setdefault(key.strip(), value.strip().strip("\"'"))
    return pairs

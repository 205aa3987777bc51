"""The systems that boards may have, for which the lock must have wheels."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from edgeinfer.boards import load_profile, profile_names
from edgeinfer.device.core.errors import WheelError
from edgeinfer.device.core.files import write_atomically
from edgeinfer.host.board_wheels.choose import choose, needed
from edgeinfer.host.board_wheels.lock import own_lock, requirement_lines
from edgeinfer.host.board_wheels.own import DISTRIBUTION
from edgeinfer.host.board_wheels.target import (
    ARCHITECTURES,
    SYSTEM_NUMPY_AND_OPENCV,
    WheelTarget,
    wheel_target,
)

PYTHONS = {"3.10": (2, 35), "3.11": (2, 36), "3.12": (2, 39), "3.13": (2, 41)}
"""Pythons of boards that no profile lists, with the C library of the first system that has them:
Ubuntu 22.04, Debian 12, Ubuntu 24.04, Debian 13."""
LITERT = ["ai-edge-litert>=2.1,<3", "ai-edge-litert==2.1.6"]
TFLITE_RUNTIME = ["tflite-runtime==2.14.0"]
"""Runtimes for `boards emulate --runtime` instead of a system's own choice; 2.1.6 is the
newest ai-edge-litert that an older qemu runs."""
_OLDEST_CHOICE = (2, 34)
"""Systems with an older C library have only one runtime, that of the profile."""


def supported_targets() -> list[WheelTarget]:
    """Return each system that a board may have and that has a runtime, without duplicates."""
    found = list(_listed_targets())
    for architecture in ARCHITECTURES:
        provided = SYSTEM_NUMPY_AND_OPENCV if architecture == "armv7l" else frozenset[str]()
        for python, glibc in PYTHONS.items():
            found.append(
                WheelTarget(
                    architecture=architecture,
                    python=python,
                    glibc=glibc,
                    system_packages=provided,
                )
            )
    return [target for target in dict.fromkeys(found) if _has_runtime(target)]


def _listed_targets() -> Iterator[WheelTarget]:
    for name in profile_names():
        for system in load_profile(name).systems:
            if system.runtime and system.glibc:
                yield wheel_target(system)


def _has_runtime(target: WheelTarget) -> bool:
    try:
        needed(target, own_requirements())
    except WheelError:
        return False
    return True


@functools.cache
def own_requirements() -> tuple[Requirement, ...]:
    """Return edgeinfer's own requirements, from its installation."""
    return tuple(map(Requirement, metadata.requires(DISTRIBUTION) or ()))


def all_targets() -> list[WheelTarget]:
    """Return the systems, and each system again with its other possible runtimes."""
    found = []
    for target in supported_targets():
        found.append(target)
        if target.glibc >= _OLDEST_CHOICE and not target.provides_runtime:
            found += [replace(target, runtime=runtime) for runtime in _other_runtimes(target)]
    return found


def _other_runtimes(target: WheelTarget) -> list[str]:
    major, minor = map(int, target.python.split("."))
    litert = [] if target.architecture == "armv7l" else LITERT
    return [*litert, *(TFLITE_RUNTIME if (major, minor) < (3, 12) else [])]


def write_requirements(folder: Path) -> list[Path]:
    """Write each system's packages, one file for each choice, for pip and pip-audit.

    Raises:
        StorageError: the folder cannot be written.
    """
    texts = set()
    for target in all_targets():
        chosen = choose(target, own_lock(), needed(target, own_requirements()), {})
        texts.add("\n".join(requirement_lines([one.wheel for one in chosen.values()])) + "\n")
    found = []
    for number, text in enumerate(sorted(texts), start=1):
        found.append(folder / f"board-{number:02}.txt")
        write_atomically(found[-1], text)
    return found


if __name__ == "__main__":
    for path in write_requirements(Path(sys.argv[1])):
        print(path)

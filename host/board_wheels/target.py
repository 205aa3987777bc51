"""What decides which wheels run on a board: its processor, its Python and its C library."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import canonicalize_name

from edgeinfer.boards import System

_LEGACY = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
"""The names of tags before PEP 600, by the glibc that they require."""
_OLDEST_GLIBC = {"x86_64": (2, 5)}
"""The oldest glibc of architectures that manylinux got later, with PEP 599: 2.17."""
ARCHITECTURES = ("aarch64", "armv7l", "x86_64")
"""The architectures of edgeinfer's own wheels."""
RUNTIMES = frozenset({"ai-edge-litert", "tflite-runtime"})
"""Distributions of which a board needs one."""
SYSTEM_NUMPY_AND_OPENCV = frozenset({"numpy", "opencv-python-headless"})
"""What Debian's python3-numpy and python3-opencv replace; 32-bit ARM has no wheels of them."""


@dataclass(frozen=True, kw_only=True)
class WheelTarget:
    """The facts about a board's system that matter for wheels.

    Attributes:
        architecture: of its userland, as wheels name it: one of `ARCHITECTURES`.
        python: its Python's version, "3.11".
        glibc: its C library's version, (2, 36).
        runtime: which TFLite runtime it gets, as a requirement such as "tflite-runtime==2.14.0";
            empty for the one that edgeinfer itself asks for there.
        system_packages: Python distributions that the system's own packages provide, so that no
            wheel of them is needed, by name: `SYSTEM_NUMPY_AND_OPENCV` on 32-bit ARM.
    """

    architecture: str
    python: str
    glibc: tuple[int, int]
    runtime: str = ""
    system_packages: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        if self.architecture not in ARCHITECTURES:
            raise ValueError(
                f"architecture is {self.architecture!r}, expected one of {ARCHITECTURES}"
            )
        if not re.fullmatch(r"3\.\d{1,2}", self.python):
            raise ValueError(f"python is {self.python!r}, expected a version such as '3.11'")
        if self.glibc < self.oldest_glibc:
            raise ValueError(f"glibc is {self.glibc}, expected {self.oldest_glibc} or newer")
        if self.runtime and canonicalize_name(Requirement(self.runtime).name) not in RUNTIMES:
            raise ValueError(f"runtime is {self.runtime!r}, expected one of {sorted(RUNTIMES)}")

    @property
    def oldest_glibc(self) -> tuple[int, int]:
        """The oldest C library that a wheel's tag can name for this architecture."""
        return _OLDEST_GLIBC.get(self.architecture, (2, 17))

    @property
    def name(self) -> str:
        """The same in one word, for a folder's name."""
        major, minor = self.glibc
        return f"{self.architecture}-python{self.python}-glibc{major}.{minor}"

    @property
    def title(self) -> str:
        """The same for people."""
        major, minor = self.glibc
        return f"{self.architecture} with Python {self.python} and glibc {major}.{minor}"

    def platforms(self) -> list[str]:
        """Return the platforms of wheels that run there, the most demanding first."""
        found = []
        for minor in range(self.glibc[1], self.oldest_glibc[1] - 1, -1):
            found.append(f"manylinux_2_{minor}_{self.architecture}")
            if (2, minor) in _LEGACY:
                found.append(f"{_LEGACY[2, minor]}_{self.architecture}")
        return found

    def tags(self) -> list[Tag]:
        """Return the tags of wheels that run there, the best first.

        `linux_ARCHITECTURE` is the last: such a wheel was built on one machine and guarantees
        nothing about others, but pip accepts it, and so a user may name one.
        """
        major, minor = map(int, self.python.split("."))
        platforms = [*self.platforms(), f"linux_{self.architecture}"]
        return [
            *cpython_tags((major, minor), platforms=platforms),
            *compatible_tags((major, minor), f"cp{major}{minor}", platforms),
        ]

    def provides(self, name: str) -> bool:
        """Return whether the system's own packages provide that distribution."""
        return canonicalize_name(name) in map(canonicalize_name, self.system_packages)

    @property
    def provides_runtime(self) -> bool:
        """Whether a TFLite runtime is among the system's own packages."""
        return any(map(self.provides, RUNTIMES))

    def wants(self, requirement: Requirement, extras: Iterable[str] = ()) -> bool:
        """Return whether a requirement's marker holds there, with any of these extras or none.

        pip evaluates markers for the machine that it runs on, even if it downloads for another one.
        """
        if requirement.marker is None:
            return True
        environment = {
            "implementation_name": "cpython",
            "os_name": "posix",
            "platform_machine": self.architecture,
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }
        marker = requirement.marker
        return any(marker.evaluate({**environment, "extra": extra}) for extra in ("", *extras))


def wheel_target(system: System) -> WheelTarget:
    """Return the target for a board's system, from its profile.

    If the runtime comes from the system, numpy and OpenCV do too: the runtime was built with
    that numpy. On 32-bit ARM there are no wheels of them.

    Raises:
        ValueError: the profile does not say enough, or edgeinfer has no wheels for that system.
    """
    provided = frozenset[str]()
    if system.runtime_in_system or system.architecture == "armv7l":
        provided = SYSTEM_NUMPY_AND_OPENCV
    if system.runtime_in_system:
        provided |= {system.runtime}
    carried = bool(system.runtime) and not system.runtime_in_system
    if not system.glibc:
        raise ValueError("glibc is not known")
    major, minor = map(int, system.glibc.split("."))
    return WheelTarget(
        architecture=system.architecture,
        python=system.environment_python,
        glibc=(major, minor),
        runtime=f"{system.runtime}=={system.runtime_version}" if carried else "",
        system_packages=provided,
    )

"""Releases of operating systems, with the Python, runtime and libraries that work together there.

Each is stated with its source; what a test of this repository ran says which test.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgeinfer.boards.schema import (
    refuse_unless_among,
    refuse_unless_match,
    refuse_unless_text,
    shown,
)

RUNTIMES = ("tflite-runtime", "ai-edge-litert")
"""By the names of their packages."""

CAMERA_STACKS = ("v4l2", "picamera2", "gstreamer")
"""What a camera is reached through: the kernel's interface, libcamera's Python, pipelines."""

RAN = ("natively", "qemu-user", "virtual machine")
"""What a system was run on by a test: natively, its programs one by one, or the whole of it."""

OLDEST_PYTHON = (3, 10)
"""The oldest that edgeinfer runs on."""

_ARCHITECTURES = {
    "amd64": "x86_64",
    "arm64": "aarch64",
    "armhf": "armv7l",
    "armv8l": "armv7l",
}
"""Other names of userlands: Debian's, and that of a 64-bit core in 32-bit mode."""

_ID = re.compile(r"[a-z0-9._-]+")
_VERSION_ID = re.compile(r"[A-Za-z0-9._-]*")
_GLIBC = re.compile(r"(2\.\d{1,3})?")
_PYTHON = re.compile(r"3\.\d{1,3}")
_VERSION = re.compile(r"\d+(\.\w+)*")
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+")


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where each statement on a system comes from: a document's title and address, or a test.

    Attributes:
        system: its name in os-release, glibc and Python.
        runtime: the runtime, its version and where it comes from.
        libedgetpu: which libedgetpu goes with that runtime.
        cameras: the camera stacks.
    """

    system: str
    runtime: str = ""
    libedgetpu: str = ""
    cameras: str = ""


@dataclass(frozen=True, kw_only=True)
class System:
    """A release of an operating system for one architecture.

    Attributes:
        name: what people call it, with its width.
        os_id: `ID` in /etc/os-release.
        version_id: `VERSION_ID` there; empty for a system whose os-release has none.
        architecture: of the userland, as `platform.machine()` names it: under a 64-bit kernel
            that may be another than the kernel's.
        glibc: its version: wheels for a newer one cannot be installed; empty where no source
            tells it.
        python: the system's own.
        python_carried: a newer one that has to be brought along, self-contained, because the
            system's is older than edgeinfer needs; empty where the system's serves.
        runtime: the package of `RUNTIMES`; empty where there is none, and nothing runs.
        runtime_version: its version.
        runtime_in_system: it is the system's own package, and no wheel is to be brought along.
        meets_requirements: edgeinfer's own requirements, as pip reads them, can be met; else it
            is installed without them (`--no-deps`), and `note` says why.
        libedgetpu: builds that go with that runtime, for boards with an Edge TPU; empty where
            none is known.
        system_packages: the environment must see the system's Python packages.
        packages: the system's packages that have to be there for that.
        cameras: names of `CAMERA_STACKS`.
        ran: what a test ran it on, a name of `RAN`; empty for what was only read.
        test: that test's file in this repository.
        sources: where all that comes from.
        note: what else a user must know.
    """

    name: str
    os_id: str
    version_id: str
    architecture: str
    python: str
    sources: Sources
    glibc: str = ""
    python_carried: str = ""
    runtime: str = ""
    runtime_version: str = ""
    runtime_in_system: bool = False
    meets_requirements: bool = True
    libedgetpu: tuple[str, ...] = ()
    system_packages: bool = False
    packages: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    ran: str = ""
    test: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse impossible values, and statements without a source."""
        for field, text in (("name", self.name), ("architecture", self.architecture)):
            refuse_unless_text(field, text)
        refuse_unless_match("os_id", self.os_id, _ID, "an ID as in /etc/os-release")
        refuse_unless_match("version_id", self.version_id, _VERSION_ID, "a VERSION_ID")
        refuse_unless_match("glibc", self.glibc, _GLIBC, "a version such as 2.36")
        refuse_unless_match("python", self.python, _PYTHON, "a version such as 3.11")
        refuse_unless_among("cameras", self.cameras, CAMERA_STACKS)
        for package in self.packages:
            refuse_unless_match("packages", package, _PACKAGE, "names of packages")
        for field, texts in (("libedgetpu", self.libedgetpu), ("note", (self.note,))):
            if any(text and not text.isprintable() for text in texts):
                raise ValueError(f"{field} is {texts}, expected text")
        self._refuse_python()
        self._refuse_runtime()
        self._refuse_sources()

    @property
    def environment_python(self) -> str:
        """The Python that edgeinfer runs on: the one brought along, else the system's."""
        return self.python_carried or self.python

    def _refuse_python(self) -> None:
        if self.python_carried:
            refuse_unless_match("python_carried", self.python_carried, _PYTHON, "such as 3.10")
            if _numbers(self.python_carried) <= _numbers(self.python):
                raise ValueError(
                    f"python_carried is {self.python_carried}, expected newer than {self.python}"
                )
        if self.runtime and _numbers(self.environment_python) < OLDEST_PYTHON:
            raise ValueError(f"python is {self.python}, expected 3.10 or newer, or python_carried")

    def _refuse_runtime(self) -> None:
        if not self.runtime:
            if self.runtime_version or self.runtime_in_system:
                raise ValueError("runtime is '', expected one for its version")
            if not self.note:
                raise ValueError("note is '', expected why there is no runtime")
            return
        refuse_unless_among("runtime", (self.runtime,), RUNTIMES)
        refuse_unless_match("runtime_version", self.runtime_version, _VERSION, "such as 2.14.0")
        if self.runtime_in_system and not self.system_packages:
            raise ValueError("runtime_in_system is true, expected system_packages too")
        if not self.meets_requirements and not self.note:
            raise ValueError("note is '', expected why the requirements are not met")

    def _refuse_sources(self) -> None:
        refuse_unless_text("sources: system", self.sources.system)
        for field, stated, source in (
            ("runtime", bool(self.runtime), self.sources.runtime),
            ("libedgetpu", bool(self.libedgetpu), self.sources.libedgetpu),
            ("cameras", bool(self.cameras), self.sources.cameras),
        ):
            if stated:
                refuse_unless_text(f"sources: {field}", source)
        if self.ran:
            refuse_unless_among("ran", (self.ran,), RAN)
            refuse_unless_text("test", self.test)
        elif self.test:
            raise ValueError(f"test is {shown(self.test)}, expected what it was run on, too")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def same_architecture(one: str, other: str) -> bool:
    """Return whether two names mean the same architecture: `arm64` is `aarch64`."""
    return _ARCHITECTURES.get(one, one) == _ARCHITECTURES.get(other, other)

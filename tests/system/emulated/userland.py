"""Userlands of 64-bit and 32-bit ARM as `edgeinfer boards emulate` makes them, for tests.

Here programs are run one by one, as any processor and with any folders to import from.
"""

from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.boards import System, find_system, load_profile
from edgeinfer.host.board_wheels import WheelTarget, board_wheels, wheel_target
from edgeinfer.host.board_wheels.choose import needed
from edgeinfer.host.board_wheels.wheel_file import requirements
from edgeinfer.host.emulation.emulator import OLDEST, Emulator, find_emulator
from edgeinfer.host.emulation.userland import debian_packages, debian_root, unpacked_wheels
from tests.support.own_folders import kept_cache
from tests.system.environments import clean_environ

SUITE = "bookworm"
LITERT = "ai-edge-litert==2.1.6"
"""Newer ones crash in the qemu-user 7.2 of Debian 12, a fault of the emulator."""
WITH_D32 = (10, 0)
"""This qemu names the upper half of the floating-point registers, and wants them off where NEON is
off; 7.2 has no name for them. Those between were not tried."""


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """A processor to be emulated, with Debian 12.

    Attributes:
        name: as Python and wheels name it.
        cpu: the processor to be, by qemu's name. Without a name qemu 7.2 offers all it knows, and
            XNNPACK's INT8 results are then wrong.
        litert: whether ai-edge-litert has a wheel for it.
    """

    name: str
    cpu: str
    litert: bool

    @property
    def system(self) -> System:
        """Debian 12, as the profile of such machines states it."""
        system = find_system(load_profile(f"generic-{self.name}"), "debian", "12", self.name)
        assert system is not None
        return system

    @property
    def target(self) -> WheelTarget:
        """What that means for wheels."""
        return wheel_target(self.system)

    def requirements(self, wheel: Path, python: str = "") -> list[str]:
        """Return what a board with that Python gets as well as that wheel, the runtime as it asks.

        Raises:
            WheelError: there is no runtime for it.
        """
        target = dataclasses.replace(self.target, runtime="", python=python or self.target.python)
        return list(needed(target, requirements(wheel)))


AARCH64 = Architecture(name="aarch64", cpu="cortex-a72", litert=True)
"""A Raspberry Pi 4 with a 64-bit system."""
ARMV7L = Architecture(name="armv7l", cpu="cortex-a7", litert=False)
"""A Raspberry Pi 2 with a 32-bit system."""


@dataclass(frozen=True, kw_only=True)
class Userland:
    """A built userland.

    Attributes:
        architecture: what it is for.
        root: the unpacked packages, what qemu-user takes for `/`.
        site: the wheels of the base install, edgeinfer's own left out.
        litert: the same with ai-edge-litert, which the base install does not choose there but a
            user may; None where there is none.
        emulator: what runs its programs.
    """

    architecture: Architecture
    root: Path
    site: Path
    litert: Path | None
    emulator: Emulator

    @property
    def without_neon(self) -> str:
        """A 32-bit processor without NEON, by qemu's name."""
        registers = ",vfp-d32=off" if self.emulator.version >= WITH_D32 else ""
        return f"{ARMV7L.cpu}{registers},neon=off"

    def python(
        self,
        *arguments: object,
        path: Sequence[Path],
        cpu: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run its Python.

        Args:
            arguments: its command line.
            path: folders to import from, before Debian's own.
            cpu: another processor than the architecture's, by qemu's name.
            env: variables as well as those of this process.
        """
        environ = {"PYTHONPATH": ":".join(map(str, path)), **(env or {})}
        program = self.root / "usr" / "bin" / f"python{self.architecture.system.python}"
        return self.run(program, *arguments, cpu=cpu, env=environ)

    def run(
        self, *command: object, cpu: str | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of that architecture, with the root's libraries."""
        processor = ("-cpu", cpu or self.architecture.cpu)
        words = (self.emulator.path, *processor, "-L", self.root, *command)
        return subprocess.run(
            [str(word) for word in words],
            env=clean_environ(env),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )


def cached_userland(architecture: Architecture, wheel: Path) -> Userland:
    """Return a userland for that wheel of edgeinfer, built at the first call.

    Raises:
        EmulationError: this machine or its package sources cannot make one.
        WheelError: there are no wheels for it.
    """
    home = kept_cache() / "edgeinfer" / "emulation"
    target = architecture.target
    name = f"site-{architecture.name}"

    def site(target: WheelTarget) -> Path:
        found = board_wheels(target, given=[wheel]).wheels
        others = [kept for kept in found if kept.path != wheel.resolve()]
        return unpacked_wheels(others, name, home)

    return Userland(
        architecture=architecture,
        root=debian_root(architecture.name, SUITE, debian_packages(architecture.system), home=home),
        site=site(target),
        litert=site(dataclasses.replace(target, runtime=LITERT)) if architecture.litert else None,
        emulator=find_emulator(architecture.name, OLDEST, home=home),
    )

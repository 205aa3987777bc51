"""An emulated board: a Debian userland, the wheels that the board would get, a Python that works.

The folders are kept under `$XDG_CACHE_HOME/edgeinfer/emulation`, one for each set of inputs:
removing them is always safe. On 64-bit ARM the userland is 26 to 38 packages, 14 to 16 MB to
download. On 32-bit ARM numpy and OpenCV are Debian's: 372 packages, 186 MB, 631 MB unpacked.
`import cv2` loads 270 MB of that, so little could be left out.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edgeinfer.boards import BoardProfile, System
from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.core.files import cache_home, write_atomically
from edgeinfer.device.core.processes import python_command
from edgeinfer.host.board_wheels import WheelFile, board_wheels, wheel_target
from edgeinfer.host.emulation.cached_folder import kept_folder
from edgeinfer.host.emulation.choose import processor
from edgeinfer.host.emulation.debian import SUITES, download_packages, make_root
from edgeinfer.host.emulation.emulator import FOR_LITERT, OLDEST, Emulator, find_emulator

DEBIAN_ARCHITECTURES = {"aarch64": "arm64", "armv7l": "armhf"}
DEBIAN_PACKAGES = ("python3-numpy", "python3-opencv")
"""Packages without wheels for 32-bit ARM."""
_SCHEMA = "1"
_A_RUNTIME = "a requirement such as ai-edge-litert==2.1.6"
_STEERING = ("PYTHON", "QEMU_", "LD_")

Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class EmulatedBoard:
    """A board that programs can be run on.

    Attributes:
        board: its profile.
        system: its operating system, whose userland is here as Debian's packages.
        emulator: what runs its programs.
        cpu: the processor that it emulates.
        runtime: the TFLite runtime's wheel, "ai-edge-litert 2.3.0".
        root: the folder that programs see as `/`, for files that exist in it.
        python: a script that is the board's Python. It is its `sys.executable`, so
            that child processes also start that Python: the kernel itself cannot start a program
            of another processor.
    """

    board: BoardProfile
    system: System
    emulator: Emulator
    cpu: str
    runtime: str
    root: Path
    python: Path

    @property
    def title(self) -> str:
        """The emulated board and system, for people: two lines."""
        return (
            f"{self.board.name}, emulated: {self.system.name}\n"
            f"  Python {self.system.python}, {self.runtime}, {self.cpu} by {self.emulator.title}"
        )

    def command(self, *arguments: object) -> list[str]:
        """Return the command line of the emulated board's edgeinfer."""
        version = tuple(map(int, self.system.python.split(".")[:2]))
        words = ("-m", "edgeinfer.device.cli", *map(str, arguments))
        return python_command(*words, python=str(self.python), version=version)


def prepare_board(
    board: BoardProfile,
    system: System,
    *,
    wheels: Sequence[Path] = (),
    runtime: str = "",
    mirror: str = "",
    home: Path | None = None,
    tell: Tell = lambda text: None,
) -> EmulatedBoard:
    """Return a board with everything that a real one would get, made at the first call.

    Args:
        board: its profile.
        system: which of its systems, one that `choose_system` returns.
        wheels: wheels to take instead of the locked ones, edgeinfer's own among them.
        runtime: another TFLite runtime than the system's, as a requirement.
        mirror: where Debian's packages come from; by default this machine's mirror.
        home: where everything is kept.
        tell: called with a text before each slow step.

    Raises:
        UsageError: `runtime` is not a requirement of a TFLite runtime.
        EmulationError: there is no emulator, or the packages are not available.
        WheelError: wheels for the board are not available.
        StorageError: `home` cannot be written.
    """
    home = home or cache_home() / "emulation"
    target = wheel_target(system)
    if runtime:
        try:
            target = replace(target, runtime=runtime)
        except ValueError as error:
            raise UsageError(
                f"--runtime {runtime}", got=str(error).partition("\n")[0], expected=_A_RUNTIME
            ) from error
    found = board_wheels(target, given=wheels, tell=tell).wheels
    names = {wheel.name.split("-")[0].replace("_", "-"): wheel for wheel in found}
    litert = "ai-edge-litert" in names
    emulator = find_emulator(
        system.architecture,
        FOR_LITERT if litert else OLDEST,
        home=home,
        mirror=mirror,
        tell=tell,
    )
    root = debian_root(
        system.architecture,
        SUITES[system.version_id],
        debian_packages(system),
        home=home,
        mirror=mirror,
        tell=tell,
    )
    # edgeinfer's own wheel changes often during development, the others almost never.
    own = names["edgeinfer"]
    others = [wheel for wheel in found if wheel is not own]
    sites = [
        unpacked_wheels([own], "edgeinfer", home, tell),
        unpacked_wheels(others, f"site-{system.architecture}", home, tell),
    ]
    cpu = processor(board, system.architecture)
    chosen = names["ai-edge-litert" if litert else "tflite-runtime"]
    return EmulatedBoard(
        board=board,
        system=system,
        emulator=emulator,
        cpu=cpu,
        runtime=" ".join(chosen.name.split("-")[:2]).replace("_", "-"),
        root=root,
        python=python_script(root, system.python, sites, emulator, cpu, home),
    )


def debian_packages(system: System) -> tuple[str, ...]:
    """Return the Debian packages of a system's userland, without their dependencies."""
    return (
        f"python{system.python}-minimal",
        f"libpython{system.python}-stdlib",
        "libstdc++6",
        *(DEBIAN_PACKAGES if system.architecture == "armv7l" else ()),
    )


def debian_root(
    architecture: str,
    suite: str,
    packages: Sequence[str],
    *,
    home: Path,
    mirror: str = "",
    tell: Tell = lambda text: None,
) -> Path:
    """Return a root of Debian packages with all that they need, made at the first call.

    Args:
        architecture: `aarch64` or `armv7l`.
        suite: Debian's release.
        packages: their names.
        home: where it is kept.
        mirror: where they come from; by default this machine's mirror.
        tell: called with a text before each slow step.

    Raises:
        EmulationError: they are not available.
        StorageError: `home` cannot be written.
    """
    debian = DEBIAN_ARCHITECTURES[architecture]

    def build(folder: Path) -> None:
        tell(f"downloading packages of Debian {suite} for {architecture}")
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            state = Path(scratch, "apt")
            files = download_packages(debian, state, packages, suite=suite, mirror=mirror)
            make_root(files, folder, tell)

    return kept_folder(home, f"{suite}-{architecture}", [_SCHEMA, debian, suite, *packages], build)


def unpacked_wheels(
    wheels: Sequence[WheelFile], name: str, home: Path, tell: Tell = lambda text: None
) -> Path:
    """Return a folder that these wheels can be imported from, made at the first call.

    Raises:
        StorageError: `home` cannot be written.
    """

    def build(folder: Path) -> None:
        for done, wheel in enumerate(wheels, start=1):
            tell(f"unpacking wheels: {done} of {len(wheels)}")
            with zipfile.ZipFile(wheel.path) as archive:
                archive.extractall(folder)

    return kept_folder(home, name, [_SCHEMA, *sorted(wheel.sha256 for wheel in wheels)], build)


def python_script(
    root: Path,
    version: str,
    sites: Sequence[Path],
    emulator: Emulator,
    cpu: str,
    home: Path,
) -> Path:
    """Return a script that is the Python of that root, written at the first call.

    Python uses the name that it was started with as its own, so child processes use the script too.

    Raises:
        StorageError: it cannot be written.
    """
    program = root / "usr" / "bin" / f"python{version}"
    words = [emulator.path, "-cpu", cpu, "-L", root]
    script = (
        "#!/bin/sh\n"
        f"export PYTHONHOME={shlex.quote(str(root / 'usr'))}\n"
        f"export PYTHONPATH={shlex.quote(':'.join(map(str, sites)))}\n"
        "export PYTHONSAFEPATH=1\n"
        f'exec {shlex.join(map(str, words))} -0 "$0" {shlex.quote(str(program))} "$@"\n'
    )
    digest = hashlib.sha256(script.encode()).hexdigest()[:16]
    path = home / f"python-{digest}"
    if not path.is_file():
        write_atomically(path, script)
    if not os.access(path, os.X_OK):
        path.chmod(0o755)
    return path


def guest_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables without those that affect a Python, loader or emulator."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith(_STEERING) and name != "VIRTUAL_ENV"
    }

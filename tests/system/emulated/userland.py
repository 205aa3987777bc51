"""Debian userlands of other processors without root rights: unpacked packages, run by qemu-user.

Its folder holds

    root    Python for that architecture, and on 32-bit ARM what the README tells to install there
    site    the wheels that the base install needs
    litert  ai-edge-litert, which the base install does not choose there but a user may (arm64)

On 32-bit ARM numpy, OpenCV and click come from Debian, as on a board. python3-opencv needs much:
with python3-numpy and python3-click it is 372 packages, 186 MB to download (27 s when measured) and
631 MB unpacked. Importing cv2 loads some 370 files of them, 270 MB, all bound at once, so little
could be left out: /usr/share is (124 MB), where nothing is loaded from. 64-bit ARM takes 38
packages, 16 MB.

Folders are kept under `$XDG_CACHE_HOME/edgeinfer-tests`, one for each set of inputs, qemu-user in
one of its own; removing them is always safe.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.host.board_wheels import WheelTarget
from edgeinfer.host.board_wheels.find import needed
from tests.system.emulated.debian import (
    UserlandError,
    download_packages,
    host_architecture,
    run_tool,
    unpack,
)
from tests.system.environments import clean_environ

PYTHON = "3.11"
"""The Python of Debian 12, which tflite-runtime has wheels for."""
GLIBC = (2, 36)
"""Debian 12's."""
LITERT = "ai-edge-litert==2.1.6"
"""Newer ones crash in the qemu-user 7.2 of Debian 12, a fault of the emulator."""
PLATFORMS = ("manylinux2014", "manylinux_2_27", "manylinux_2_28", "manylinux_2_34")
"""The newest is tflite-runtime's: glibc 2.34; Debian 12 has 2.36."""


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """A processor to be emulated, and what its userland is made of.

    Attributes:
        name: as Python and wheels name it.
        debian: as Debian does.
        qemu: the emulator's program.
        cpu: the processor to be, by qemu's name. Without a name qemu 7.2 offers all it knows, and
            XNNPACK's INT8 results are then wrong.
        packages: Debian packages that the root is made of, beside what they need.
        debian_provides: requirements of edgeinfer that these packages meet.
        litert: whether ai-edge-litert has a wheel for it.
    """

    name: str
    debian: str
    qemu: str
    cpu: str
    packages: tuple[str, ...]
    debian_provides: frozenset[str] = frozenset()
    litert: bool

    def requirements(self, wheel: Path, python: str = PYTHON) -> list[str]:
        """Return what a board with that Python gets beside that wheel.

        Raises:
            WheelError: there is no runtime for it.
        """
        target = WheelTarget(
            architecture=self.name,
            python=python,
            glibc=GLIBC,
            system_packages=self.debian_provides,
        )
        return list(needed(target, wheel))


AARCH64 = Architecture(
    name="aarch64",
    debian="arm64",
    qemu="qemu-aarch64-static",
    cpu="cortex-a72",
    packages=(f"python{PYTHON}-minimal", f"libpython{PYTHON}-stdlib", "libstdc++6"),
    litert=True,
)
"""A Raspberry Pi 4 with a 64-bit system."""
ARMV7L = Architecture(
    name="armv7l",
    debian="armhf",
    qemu="qemu-arm-static",
    cpu="cortex-a7",
    packages=("python3-numpy", "python3-opencv", "python3-click"),
    debian_provides=frozenset({"click"}),
    litert=False,
)
"""A Raspberry Pi 2 with a 32-bit system."""


@dataclass(frozen=True, kw_only=True)
class Userland:
    """A built userland; see the module for the folder's parts."""

    architecture: Architecture
    folder: Path
    emulator: Path

    @property
    def root(self) -> Path:
        """The unpacked packages, what qemu-user takes for `/`."""
        return self.folder / "root"

    @property
    def site(self) -> Path:
        """The wheels of the base install."""
        return self.folder / "site"

    @property
    def litert(self) -> Path:
        """The wheels of ai-edge-litert."""
        return self.folder / "litert"

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
            env: variables beside this process's own.
        """
        environ = {"PYTHONPATH": ":".join(map(str, path)), **(env or {})}
        program = self.root / "usr" / "bin" / f"python{PYTHON}"
        return self.run(program, *arguments, cpu=cpu, env=environ)

    def run(
        self, *command: object, cpu: str | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of that architecture, with the root's libraries."""
        words = (self.emulator, "-cpu", cpu or self.architecture.cpu, "-L", self.root, *command)
        return subprocess.run(
            [str(word) for word in words],
            env=clean_environ(env),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )


def cached_userland(architecture: Architecture, requirements: Sequence[str]) -> Userland:
    """Return a userland with these requirements, built at the first call.

    Raises:
        UserlandError: this machine or its package sources cannot make one.
    """
    if shutil.which("apt-get") is None:
        raise UserlandError("no apt-get: the userland is made of Debian packages")
    found = shutil.which(architecture.qemu)
    emulator = Path(found) if found else _cached_emulators() / architecture.qemu
    folder = _cached(
        architecture.name,
        (architecture.name, *requirements),
        lambda made: _build_userland(architecture, made, requirements),
    )
    return Userland(architecture=architecture, folder=folder, emulator=emulator)


def _cached(name: str, inputs: Sequence[str], build: Callable[[Path], None]) -> Path:
    """Return the folder for these inputs; `build` fills it at the first call."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edgeinfer-tests"
    code = [Path(__file__).read_text(), Path(__file__).with_name("debian.py").read_text()]
    digest = hashlib.sha256("\n".join([*code, *inputs]).encode()).hexdigest()[:16]
    folder = home / f"{name}-{digest}"
    if not folder.is_dir():
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home, prefix="building-") as building:
            made = Path(building, "made")
            made.mkdir()
            build(made)
            made.rename(folder)
    return folder


def _cached_emulators() -> Path:
    """Return a folder with this machine's emulators of all architectures."""
    wanted = [f"./usr/bin/{architecture.qemu}" for architecture in (AARCH64, ARMV7L)]

    def build(folder: Path) -> None:
        with tempfile.TemporaryDirectory() as state:
            for package in download_packages(
                host_architecture(), Path(state), ["qemu-user-static"]
            ):
                if package.name.startswith("qemu-user-static_"):
                    unpack(package, folder, "--strip-components=3", *wanted)

    return _cached("qemu", wanted, build)


def _build_userland(architecture: Architecture, folder: Path, requirements: Sequence[str]) -> None:
    """Download and unpack everything."""
    root = folder / "root"
    root.mkdir()
    parts = {"site": list(requirements)}
    if architecture.litert:
        parts["litert"] = [LITERT, "numpy<2"]
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        for package in download_packages(
            architecture.debian, scratch / "apt", architecture.packages
        ):
            unpack(package, root, "--exclude=./usr/share")
        for part, wanted in parts.items():
            for wheel in _download_wheels(architecture, scratch / part, wanted):
                with zipfile.ZipFile(wheel) as archive:
                    archive.extractall(folder / part)
    # Debian's alternatives, which the packages' scripts would link.
    for library in sorted(root.glob("usr/lib/*/*/lib*.so.3")):
        if library.parent.name in ("blas", "lapack"):
            link = library.parent.parent / library.name
            link.symlink_to(library.relative_to(link.parent))


def _download_wheels(
    architecture: Architecture, folder: Path, requirements: Sequence[str]
) -> list[Path]:
    # What the wheels themselves need, Debian has provided.
    options = ["--no-deps"] if architecture.debian_provides else []
    run_tool(
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--dest", folder, "--only-binary", ":all:", "--python-version", PYTHON),
        *(f"--platform={platform}_{architecture.name}" for platform in PLATFORMS),
        *(*options, *requirements),
    )
    return sorted(folder.glob("*.whl"))

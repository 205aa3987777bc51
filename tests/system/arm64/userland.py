"""An arm64 Debian userland without root rights: unpacked packages, run by qemu-user.

apt works on a state of its own, in a folder, from the sources that this machine is configured
with; nothing is installed. The packages are unpacked beside one another:

    root    Python and its libraries for arm64
    tools   qemu-user and the cross compiler for this machine, where it lacks them
    site    the wheels that the base install needs on arm64
    litert  ai-edge-litert, which the base install does not choose there but a user may

A folder is kept under `$XDG_CACHE_HOME/edgeinfer-tests`, one for each set of inputs; removing it is
always safe.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path

from packaging.requirements import Requirement

PYTHON = "3.11"
"""The Python of Debian 12, which tflite-runtime has wheels for."""
MARKERS = {"python_version": PYTHON, "platform_machine": "aarch64", "sys_platform": "linux"}
ARM64_PACKAGES = (
    f"python{PYTHON}-minimal",
    f"libpython{PYTHON}-minimal",
    f"libpython{PYTHON}-stdlib",
    *("libc6", "libgcc-s1", "libstdc++6", "libcrypt1", "zlib1g", "libexpat1", "libffi8"),
    *("libbz2-1.0", "liblzma5", "libssl3", "libuuid1"),
)
TOOL_PACKAGES = {
    "qemu-aarch64-static": "qemu-user-static",
    "aarch64-linux-gnu-g++": "g++-aarch64-linux-gnu",
}
"""Programs that this machine must run, and the package that has each."""
LITERT = "ai-edge-litert==2.1.6"
"""Newer ones crash in the qemu-user 7.2 of Debian 12, a fault of the emulator."""
PLATFORMS = ("manylinux2014", "manylinux_2_27", "manylinux_2_28", "manylinux_2_34")
"""The newest is tflite-runtime's: glibc 2.34; Debian 12 has 2.36."""

_APT_CONFIGURATION = """
Dir::State::lists "{folder}/lists";
Dir::Cache "{folder}/cache";
Dir::Cache::archives "{folder}/archives";
APT::Architectures {{ "amd64"; "arm64"; }};
APT::Sandbox::User "root";
Acquire::Languages "none";
Debug::NoLocking "true";
"""


class UserlandError(Exception):
    """What this machine lacks for an arm64 userland."""


@dataclass(frozen=True, kw_only=True)
class Userland:
    """A built userland; see the module for the folder's parts."""

    folder: Path

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
        cpu: str = "cortex-a72",
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run the arm64 Python.

        Args:
            arguments: its command line.
            path: folders to import from.
            cpu: the processor to be, by qemu's name; the default is a Raspberry Pi 4's. Without
                a name qemu 7.2 offers all it knows, and XNNPACK's INT8 results are then wrong.
            env: variables beside this process's own.
        """
        root = self.folder / "root"
        python = root / "usr" / "bin" / f"python{PYTHON}"
        command = (self.tool("qemu-aarch64-static"), "-cpu", cpu, "-L", root, python, *arguments)
        return subprocess.run(
            [str(part) for part in command],
            env={**os.environ, "PYTHONPATH": ":".join(map(str, path)), **(env or {})},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def build_wheel(self, source: Path, toolchain: Path, folder: Path) -> Path:
        """Cross-compile edgeinfer's sources and return the arm64 wheel, put into `folder`."""
        tools = self.folder / "tools"
        definitions = {"CMAKE_TOOLCHAIN_FILE": toolchain}
        if Path(self.tool("aarch64-linux-gnu-g++")).is_relative_to(tools):
            definitions["CMAKE_SYSROOT"] = tools
        _run(
            *(sys.executable, "-m", "build", "--wheel", "--outdir", folder),
            *(f"-Ccmake.define.{name}={value}" for name, value in definitions.items()),
            source,
            env={
                **os.environ,
                "PATH": self._path(),
                "LD_LIBRARY_PATH": str(tools / "usr" / "lib" / "x86_64-linux-gnu"),
                # Python's own way of naming the platform that is built for.
                "_PYTHON_HOST_PLATFORM": "linux-aarch64",
            },
        )
        return next(folder.glob("*.whl"))

    def tool(self, name: str) -> str:
        """Return the path of a program for this machine."""
        found = shutil.which(name, path=self._path())
        if found is None:
            raise UserlandError(f"{self.folder} has no {name}; remove the folder")
        return found

    def _path(self) -> str:
        return f"{os.environ['PATH']}:{self.folder / 'tools' / 'usr' / 'bin'}"


def arm64_requirements(wheel: Path) -> list[str]:
    """Return what a wheel's base install needs on an arm64 board with Debian 12."""
    with zipfile.ZipFile(wheel) as archive:
        member = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        text = archive.read(member).decode()
    needed = []
    for line in Parser().parsestr(text).get_all("Requires-Dist", []):
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({**MARKERS, "extra": ""}):
            needed.append(f"{requirement.name}{requirement.specifier}")
    return sorted(needed)


def cached_userland(requirements: Sequence[str]) -> Userland:
    """Return a userland with these requirements, built at the first call.

    Raises:
        UserlandError: this machine or its package sources cannot make one.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edgeinfer-tests"
    inputs = Path(__file__).read_text() + "\n".join(requirements)
    folder = home / f"arm64-{hashlib.sha256(inputs.encode()).hexdigest()[:16]}"
    if not folder.is_dir():
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home, prefix="building-") as building:
            made = Path(building, "userland")
            build_userland(made, requirements)
            made.rename(folder)
    return Userland(folder=folder)


def build_userland(folder: Path, requirements: Sequence[str]) -> None:
    """Download and unpack everything into a new folder.

    Raises:
        UserlandError: see `cached_userland`.
    """
    if shutil.which("apt-get") is None:
        raise UserlandError("no apt-get: the userland is made of Debian packages")
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        for part, packages in _download_packages(scratch).items():
            (folder / part).mkdir(parents=True)
            for package in packages:
                _run("dpkg-deb", "--extract", package, folder / part)
        for part, wanted in (("site", requirements), ("litert", [LITERT, "numpy<2"])):
            for wheel in _download_wheels(scratch / part, wanted):
                with zipfile.ZipFile(wheel) as archive:
                    archive.extractall(folder / part)


def _download_packages(scratch: Path) -> dict[str, list[Path]]:
    """Download the Debian packages of `root` and of `tools`."""
    for name in ("lists/partial", "cache", "archives/partial", "root"):
        (scratch / name).mkdir(parents=True)
    configuration = scratch / "apt.conf"
    configuration.write_text(_APT_CONFIGURATION.format(folder=scratch))
    env = {**os.environ, "APT_CONFIG": str(configuration)}
    _run("apt-get", "-qq", "update", env=env)
    arm64 = [f"{package}:arm64" for package in ARM64_PACKAGES]
    _run("apt-get", "-qq", "download", *arm64, env=env, cwd=scratch / "root")
    missing = [package for name, package in TOOL_PACKAGES.items() if shutil.which(name) is None]
    if missing:
        # Of what these packages need, apt downloads what this machine has not installed.
        options = ("-qq", "--yes", "--no-install-recommends", "--download-only")
        _run("apt-get", *options, "install", *missing, env=env)
    return {
        "root": sorted((scratch / "root").glob("*.deb")),
        "tools": sorted((scratch / "archives").glob("*.deb")),
    }


def _download_wheels(folder: Path, requirements: Sequence[str]) -> list[Path]:
    _run(
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--dest", folder, "--only-binary", ":all:", "--python-version", PYTHON),
        *(f"--platform={platform}_aarch64" for platform in PLATFORMS),
        *requirements,
    )
    return sorted(folder.glob("*.whl"))


def _run(*command: object, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> None:
    """Run a program that must succeed."""
    words = [str(part) for part in command]
    done = subprocess.run(words, env=env, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserlandError(f"{' '.join(words)}: {(done.stderr or done.stdout).strip()[-2000:]}")

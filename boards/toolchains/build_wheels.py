"""Build the wheels for every architecture on one machine, and check that they are what they say.

    python boards/toolchains/build_wheels.py [--outdir dist] [ARCHITECTURE ...]
    python boards/toolchains/build_wheels.py --check WHEEL ...

The library inside is compiled by zig, with the toolchain files next to this script. A wheel's
tag promises that it runs on every system of that architecture with this glibc or a newer one; so
the library is read, and the wheel refused, where that is not so. It needs the extra `wheels`.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection
from elftools.elf.sections import SymbolTableSection

HERE = Path(__file__).resolve().parent
LIBRARY = "edgeinfer/device/libedgeinfer_preprocess.so"
GLIBC = (2, 28)
"""The oldest glibc that the wheels run with: Debian 10's. The toolchain files name it too."""
SYSTEM_LIBRARIES = frozenset({"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0"})
"""glibc's own, next to its loader. All else may be absent on a board, or older."""
_EF_ARM_ABI_FLOAT_HARD = 0x400


@dataclass(frozen=True, kw_only=True)
class Target:
    """An architecture that wheels are built for.

    Attributes:
        toolchain: its toolchain file.
        machine: what the ELF header must name.
        loader: the dynamic loader's file name.
    """

    toolchain: str
    machine: str
    loader: str


TARGETS = {
    "x86_64": Target(
        toolchain="x86_64-linux-gnu.cmake", machine="EM_X86_64", loader="ld-linux-x86-64.so.2"
    ),
    "aarch64": Target(
        toolchain="aarch64-linux-gnu.cmake", machine="EM_AARCH64", loader="ld-linux-aarch64.so.1"
    ),
    "armv7l": Target(
        toolchain="arm-linux-gnueabihf.cmake", machine="EM_ARM", loader="ld-linux-armhf.so.3"
    ),
}
"""By the name that wheels have for the architecture."""


class WheelError(Exception):
    """A wheel could not be built, or is not what its name says."""


def platform_tag(architecture: str) -> str:
    """Return the tag for that architecture: `manylinux_2_28_aarch64`."""
    return f"manylinux_{GLIBC[0]}_{GLIBC[1]}_{architecture}"


def build_wheel(source: Path, architecture: str, folder: Path) -> Path:
    """Cross-compile edgeinfer's sources and return the wheel, put into `folder`.

    Raises:
        WheelError: it did not compile, or the result is not what its name says.
    """
    toolchain = HERE / TARGETS[architecture].toolchain
    # The programs of the environment that runs this: python-zig, cmake and ninja.
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        # -P: nothing in the working folder is imported.
        log = _run(
            *(sys.executable, "-P", "-m", "build", "--wheel", "--outdir", scratch / "dist"),
            f"-Ccmake.define.CMAKE_TOOLCHAIN_FILE={toolchain}",
            # No program is linked to try the compiler: zig would compile its C++ library for that.
            "-Ccmake.define.CMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY",
            f"-Cbuild-dir={scratch / 'build'}",
            # The linker strips; this machine's strip may not know the target.
            "-Cinstall.strip=false",
            source,
            env=env,
        )
        (built,) = (scratch / "dist").glob("*.whl")
        with zipfile.ZipFile(built) as archive:
            if LIBRARY not in archive.namelist():
                # edgeinfer installs without the library where no compiler works.
                raise WheelError(
                    f"{architecture}: the library did not compile, expected no failure; "
                    f"{toolchain} was used:\n{log[-4000:]}"
                )
        # Until here the wheel is named after this machine.
        tag = f"--platform-tag={platform_tag(architecture)}"
        _run(sys.executable, "-P", "-m", "wheel", "tags", "--remove", tag, built, env=env)
        (tagged,) = (scratch / "dist").glob("*.whl")
        check_wheel(tagged)
        folder.mkdir(parents=True, exist_ok=True)
        wheel = folder / tagged.name
        wheel.write_bytes(tagged.read_bytes())
    return wheel


def check_wheel(wheel: Path) -> None:
    """Check that the library inside fits the wheel's name.

    Raises:
        WheelError: it does not; all reasons are listed.
    """
    match = re.fullmatch(r"edgeinfer-[^-]+-py3-none-(manylinux_\d+_\d+_(\w+))\.whl", wheel.name)
    if match is None or match[2] not in TARGETS or match[1] != platform_tag(match[2]):
        tags = ", ".join(f"py3-none-{platform_tag(name)}" for name in TARGETS)
        raise WheelError(f"{wheel}: the name has other tags, expected one of {tags}")
    with zipfile.ZipFile(wheel) as archive:
        try:
            library = ELFFile(io.BytesIO(archive.read(LIBRARY)))
        except (KeyError, ELFError) as error:
            raise WheelError(f"{wheel}: expected an ELF library {LIBRARY} in it: {error}") from None
    problems = list(_problems(library, TARGETS[match[2]]))
    if problems:
        raise WheelError("\n".join(f"{wheel}: {LIBRARY} {problem}" for problem in problems))


def _problems(library: ELFFile, target: Target) -> Iterator[str]:
    """Name what keeps the library from running everywhere on the target."""
    header = library.header
    if header.e_machine != target.machine:
        yield f"is for {header.e_machine}, expected {target.machine}"
        return
    if header.e_machine == "EM_ARM" and not header.e_flags & _EF_ARM_ABI_FLOAT_HARD:
        yield "passes floating point in integer registers, expected the hard-float ABI (armhf)"
    for section in library.iter_sections():
        if isinstance(section, DynamicSection):
            for tag in section.iter_tags("DT_NEEDED"):
                if tag.needed not in SYSTEM_LIBRARIES | {target.loader}:
                    yield f"needs {tag.needed}, expected only glibc's libraries: link it statically"
        elif isinstance(section, GNUVerNeedSection):
            for _, versions in section.iter_versions():
                for name in sorted(version.name for version in versions):
                    if not _is_old_enough(name):
                        floor = ".".join(map(str, GLIBC))
                        yield f"needs symbols of {name}, expected GLIBC_{floor} at most"
        elif isinstance(section, SymbolTableSection) and section.name == ".dynsym":
            shown = [s.name for s in section.iter_symbols() if _is_exported(s.entry)]
            foreign = [name for name in shown if not name.startswith("edgeinfer_")]
            if foreign:
                yield f"exports {', '.join(foreign)}, expected only edgeinfer_*; see exports.map"
            if not shown:
                yield "exports no symbol, expected edgeinfer_*"


def _is_old_enough(version: str) -> bool:
    family, _, number = version.partition("_")
    return family == "GLIBC" and tuple(int(part) for part in number.split(".")) <= GLIBC


def _is_exported(entry: Any) -> bool:
    return bool(entry["st_shndx"] != "SHN_UNDEF" and entry["st_info"]["bind"] != "STB_LOCAL")


def _run(*command: object, env: dict[str, str]) -> str:
    """Run a program that must succeed, and return all that it printed."""
    words = [str(part) for part in command]
    done = subprocess.run(
        words,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise WheelError(f"{' '.join(words)}: exit code {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


def _show_until_done(builds: Mapping[Future[Path], str]) -> None:
    """Show on a terminal, in one line, which wheels are being built and for how long."""
    began_s, left = time.monotonic(), set(builds)
    while left:
        names = ", ".join(name for build, name in builds.items() if build in left)
        if sys.stderr.isatty():
            line = f"building for {names}  {time.monotonic() - began_s:.0f} s"
            print(f"\r{line}\x1b[K", end="", file=sys.stderr, flush=True)
        left = wait(left, timeout=1).not_done
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def main() -> int:
    """Build or check what the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--outdir", type=Path, default=Path("dist"), help="where the wheels go")
    parser.add_argument("--check", action="store_true", help="check built wheels instead")
    parser.add_argument(
        "names",
        nargs="*",
        metavar="ARCHITECTURE|WHEEL",
        help=f"of {', '.join(TARGETS)}; all without a name",
    )
    arguments = parser.parse_args()
    unknown = [] if arguments.check else [n for n in arguments.names if n not in TARGETS]
    if unknown:
        parser.error(f"architecture is {unknown[0]}, expected one of {', '.join(TARGETS)}")
    try:
        if arguments.check:
            for wheel in arguments.names:
                check_wheel(Path(wheel))
            return 0
        # zig compiles its part of the C library for each target first, on one core.
        with ThreadPoolExecutor() as pool:
            names, source = arguments.names or list(TARGETS), HERE.parents[1]
            builds = {
                pool.submit(build_wheel, source, name, arguments.outdir): name for name in names
            }
            _show_until_done(builds)
            for build in builds:
                print(build.result())
    except WheelError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

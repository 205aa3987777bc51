"""qemu-user: this machine's, or a newer one from Debian's package, unpacked into the cache."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.device.core.errors import EmulationError
from edgeinfer.device.core.processes import run_to_end
from edgeinfer.host.emulation.cached_folder import kept_folder
from edgeinfer.host.emulation.debian import download_packages, host_architecture, unpack

NAMES = {"aarch64": "qemu-aarch64", "armv7l": "qemu-arm"}
"""The emulators' programs by architecture; Debian 12 has them as `NAME-static`."""
FOR_LITERT = (10, 0)
"""qemu 7.2, Debian 12's, crashes in ai-edge-litert 2.2 and newer; 10.0 does not. Versions between
were not tried."""
OLDEST = (7, 0)
"""tflite-runtime 2.14 runs in 7.2; older ones were not tried."""
_ANSWER_S = 30.0
_SUITE = "trixie"
_PACKAGE = "qemu-user"


@dataclass(frozen=True, kw_only=True)
class Emulator:
    """A program that runs programs of another processor.

    Attributes:
        path: where it is.
        version: (10, 0, 13).
    """

    path: Path
    version: tuple[int, ...]

    @property
    def title(self) -> str:
        """Its name and version, for people."""
        return f"qemu {'.'.join(map(str, self.version))}"


def find_emulator(
    architecture: str,
    oldest: tuple[int, ...],
    *,
    home: Path,
    mirror: str = "",
    tell: Callable[[str], None] = lambda text: None,
) -> Emulator:
    """Return an emulator: an installed one that is new enough, else Debian's newest, unpacked.

    Args:
        architecture: what it emulates, a key of `NAMES`.
        oldest: the oldest version that is accepted.
        home: where unpacked ones are kept.
        mirror: where Debian's packages come from; by default this machine's mirror.
        tell: called with a text before a download.

    Raises:
        EmulationError: none is installed that is new enough, and none can be downloaded.
        StorageError: `home` cannot be written.
    """
    name = NAMES[architecture]
    installed = _installed(name)
    if installed is not None and installed.version >= oldest:
        return installed

    def build(folder: Path) -> None:
        tell("downloading qemu, about 70 MB")
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            (package,) = download_packages(
                host_architecture(),
                Path(scratch, "apt"),
                [_PACKAGE],
                suite=_SUITE,
                mirror=mirror,
                alone=True,
            )
            wanted = [f"./usr/bin/{program}" for program in NAMES.values()]
            unpack(package, folder, "--strip-components=3", *wanted)

    try:
        folder = kept_folder(home, "qemu", [_SUITE, _PACKAGE, *NAMES.values()], build)
    except EmulationError as error:
        here = f"{installed.title} is too old" if installed else "none is installed"
        raise EmulationError(
            f"an emulator of {architecture}",
            got=f"{here}, and a newer one cannot be downloaded ({error.got})",
            expected=f"{name} {'.'.join(map(str, oldest))} or newer",
            next_step=error.next_step
            or "install it: sudo apt install qemu-user-static (or qemu-user)",
        ) from error
    return _ask_version(folder / name)


def _installed(name: str) -> Emulator | None:
    """Return the newest that is installed; None without one."""
    found = [Path(path) for path in map(shutil.which, (name, f"{name}-static")) if path]
    return max(map(_ask_version, found), key=lambda emulator: emulator.version, default=None)


def _ask_version(path: Path) -> Emulator:
    try:
        done = run_to_end([path, "--version"], limit_s=_ANSWER_S)
    except OSError as error:
        raise EmulationError(path, got=f"does not start ({error})") from error
    if done.end.code is None:
        raise EmulationError(path, got=done.end.text)
    return Emulator(path=path, version=parse_version(done.stdout))


def parse_version(said: str) -> tuple[int, ...]:
    """Return the version that `qemu-aarch64 --version` names; (0,) if it names none."""
    match = re.search(r"\bversion (\d+(?:\.\d+)*)", said)
    return tuple(map(int, match[1].split("."))) if match else (0,)

"""Debian packages of any architecture, downloaded and unpacked without root rights.

apt uses a separate state in a folder, as if nothing was installed; so it finds all that the
packages need. Nothing is installed. It reads one source: a Debian release, from the mirror that
this machine is configured with, and its signature is checked.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from edgeinfer.device.core.errors import EmulationError
from edgeinfer.device.core.processes import Finished, run_to_end

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
"""The keys of Debian's releases, which the package debian-archive-keyring has."""
SUITES = {"12": "bookworm", "13": "trixie"}
"""Debian's releases, also those under other names (Raspberry Pi OS), by VERSION_ID."""

_APT_CONFIGURATION = """
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "2";
Debug::NoLocking "true";
Dir::Cache "{folder}";
Dir::Cache::archives "{folder}/archives";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "{folder}/none";
Dir::State::lists "{folder}/lists";
Dir::State::status "{folder}/status";
"""
_UNREACHABLE = re.compile(
    r"Temporary failure resolving|Could not resolve|Could not connect|Unable to connect|"
    r"Cannot initiate the connection|Connection timed out|Network is unreachable|"
    r"Connection failed|connect \(\d+:"
)


def host_architecture() -> str:
    """Return Debian's name for this machine's architecture.

    Raises:
        EmulationError: this system does not belong to Debian's family.
    """
    return run_tool("dpkg", "--print-architecture").strip()


def debian_mirror(given: str = "") -> str:
    """Return where Debian's packages come from: the given place, else this machine's mirror.

    Args:
        given: an address as in apt's sources.

    Raises:
        EmulationError: apt is not installed, or knows no mirror of Debian.
    """
    _require_apt()
    if given:
        return given
    listed = run_tool("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)")
    for line in sorted(set(listed.splitlines())):
        address, _, release = line.strip().rpartition(" ")
        if release in (*SUITES.values(), "stable", "testing", "unstable", "sid"):
            return address
    raise EmulationError(
        "Debian's packages",
        got="apt on this machine has no source of a Debian release",
        expected="a mirror of Debian, which the emulated board's system comes from",
        next_step="give one with --debian-mirror, written as in apt's sources",
    )


def download_packages(
    architecture: str,
    state: Path,
    packages: Sequence[str],
    *,
    suite: str,
    mirror: str = "",
    alone: bool = False,
) -> list[Path]:
    """Download packages with all that they need, and return the files.

    Args:
        architecture: Debian's name for it.
        state: an empty folder for apt; the files are in it.
        packages: their names.
        suite: the release: `bookworm`.
        mirror: where from; by default this machine's.
        alone: without what they need.

    Raises:
        EmulationError: apt cannot get them.
    """
    address = debian_mirror(mirror)
    if not KEYRING.is_file():
        raise EmulationError(
            KEYRING,
            got="does not exist",
            expected="the keys that Debian signs its releases with",
            next_step="run: sudo apt install debian-archive-keyring",
        )
    for name in ("lists/partial", "archives/partial", "none"):
        (state / name).mkdir(parents=True)
    (state / "status").touch()
    (state / "sources.list").write_text(f"deb [signed-by={KEYRING}] {address} {suite} main\n")
    configuration = state / "apt.conf"
    configuration.write_text(_APT_CONFIGURATION.format(architecture=architecture, folder=state))
    env = {**os.environ, "APT_CONFIG": str(configuration), "LC_ALL": "C.UTF-8"}
    updated = _try("apt-get", "-qq", "update", env=env)
    if alone:
        command = ["apt-get", "-qq", "download", *packages]
    else:
        options = ("-qq", "--yes", "--no-install-recommends", "--download-only")
        command = ["apt-get", *options, "install", *packages]
    downloaded = _try(*command, env=env, cwd=state / "archives")
    if downloaded.end.code:
        raise apt_error(suite, updated.stderr + downloaded.stderr)
    return sorted((state / "archives").glob("*.deb"))


def apt_error(suite: str, said: str) -> EmulationError:
    """Return the error for a failure of apt.

    Args:
        suite: the release that it read.
        said: what it printed on stderr.
    """
    subject = f"packages of Debian {suite}"
    if _UNREACHABLE.search(said):
        return EmulationError(
            subject,
            got="cannot be downloaded: their mirror cannot be reached",
            expected="an internet connection the first time for such a board",
            next_step="connect this machine once; after that they are in its cache",
        )
    lines = [line for line in said.splitlines() if line.startswith(("E:", "Err:"))]
    reason = (lines or said.strip().splitlines() or ["nothing said"])[0]
    return EmulationError(subject, got=f"apt cannot download them ({reason[:300]})")


def unpack(package: Path, folder: Path, *options: str) -> None:
    """Unpack a package's files into an existing folder, with further options for tar.

    Raises:
        EmulationError: dpkg-deb or tar failed.
    """
    with subprocess.Popen(
        ["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE
    ) as unpacking:
        command = ["tar", "--extract", f"--directory={folder}", *options]
        done = subprocess.run(command, stdin=unpacking.stdout, capture_output=True, check=False)
    if done.returncode or unpacking.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["dpkg-deb failed"]
        raise EmulationError(package.name, got=f"cannot be unpacked ({said[0]})")


def make_root(
    packages: Sequence[Path], root: Path, tell: Callable[[str], None] = lambda text: None
) -> None:
    """Unpack packages, without documentation, into a root in which their programs run.

    Raises:
        EmulationError: one cannot be unpacked.
    """
    for done, package in enumerate(packages, start=1):
        tell(f"unpacking Debian's packages: {done} of {len(packages)}")
        unpack(package, root, "--exclude=./usr/share")
    # Since Debian 13 packages have everything in /usr, and base-files has these links.
    for name in ("bin", "lib", "sbin"):
        if not (root / name).exists() and (root / "usr" / name).is_dir():
            (root / name).symlink_to(Path("usr", name))
    # Debian's alternatives, which the packages' scripts would make as links.
    for library in sorted(root.glob("usr/lib/*/*/lib*.so.3")):
        if library.parent.name in ("blas", "lapack"):
            link = library.parent.parent / library.name
            link.symlink_to(library.relative_to(link.parent))


def run_tool(*command: object) -> str:
    """Run a program that must succeed, and return what it printed.

    Raises:
        EmulationError: it did not.
    """
    _require_apt()
    done = _try(*command)
    if done.end.code:
        words = " ".join(map(str, command))
        said = (done.stderr or done.stdout).strip().splitlines() or [done.end.text]
        raise EmulationError(words, got=f"failed ({said[0][:300]})")
    return done.stdout


def _require_apt() -> None:
    missing = [name for name in ("apt-get", "dpkg-deb") if shutil.which(name) is None]
    if missing:
        raise EmulationError(
            "an emulated board",
            got=f"there is no {' and no '.join(missing)} on this machine",
            expected="Debian, Ubuntu or another system with apt, which its userland is made with",
            next_step="run this in a container of Debian, or try the bundle on the board itself",
        )


def _try(
    *command: object, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Finished:
    return run_to_end([str(part) for part in command], env=env, cwd=cwd)

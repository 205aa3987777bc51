"""The package of an earlier commit, taken from git's history, next to the one that is tested.

It runs in a separate environment that has the packages of this one, but not its edgeinfer: a `.pth`
file names the folder of this environment's packages, and such files in that folder, with which an
editable install puts itself in front, are not read then. The children that it starts run there
too. Nothing is built, so the numpy reference prepares its pictures.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sysconfig
import tarfile
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomllib

from tests.compatibility.stored import COMMIT
from tests.support.checkout import ROOT
from tests.system.environments import clean_environ, unavailable

_PACKAGES = ("boards", "converters", "device", "host")


@dataclass(frozen=True, kw_only=True)
class PackageBefore:
    """An environment that has the edgeinfer of before.

    Attributes:
        folder: what it is in.
        python: its interpreter.
    """

    folder: Path
    python: Path

    def edgeinfer(self, *arguments: object, cwd: Path) -> str:
        """Run its program; return what it printed."""
        return self.run("-m", "edgeinfer.device.cli", *arguments, cwd=cwd)

    def run(self, *arguments: object, cwd: Path) -> str:
        """Run its interpreter; return what was printed."""
        done = subprocess.run(
            [str(self.python), "-P", *map(str, arguments)],
            cwd=cwd,
            env=clean_environ(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def make_package_before(folder: Path) -> PackageBefore:
    """Lay the package of before out in an empty folder; without git's history the test skips."""
    sources, packages = folder / "sources", folder / "packages"
    unpack_sources(sources)
    packages.mkdir()
    namespace = packages / "edgeinfer"
    namespace.mkdir()
    # Without it Python would look for one in later places, and take that for the whole.
    (namespace / "__init__.py").touch()
    for name in _PACKAGES:
        (sources / name).rename(namespace / name)
    _write_metadata(tomllib.loads((sources / "pyproject.toml").read_text()), packages)

    environment = folder / "venv"
    venv.create(environment, symlinks=True)
    (site,) = environment.glob("lib/python3*/site-packages")
    places = [packages, *dict.fromkeys(map(sysconfig.get_path, ("purelib", "platlib")))]
    (site / "before.pth").write_text("".join(f"{place}\n" for place in places))
    before = PackageBefore(folder=folder, python=environment / "bin" / "python")

    code = "import edgeinfer.{0}; print(edgeinfer.{0}.__file__)"
    for name in _PACKAGES:
        found = before.run("-c", code.format(name), cwd=folder).strip()
        assert found == str(namespace / name / "__init__.py"), found
    return before


def unpack_sources(folder: Path) -> None:
    """Write the sources of before into a folder; without git's history the test skips."""
    if shutil.which("git") is None:
        unavailable("git is needed, for a commit of its history")
    done = subprocess.run(
        ["git", "archive", "--format=tar", COMMIT], cwd=ROOT, capture_output=True, check=False
    )
    if done.returncode:
        reason = (done.stderr.decode(errors="replace").strip().splitlines() or ["git failed"])[-1]
        unavailable(f"commit {COMMIT[:7]} is needed from git's history ({reason})")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")


def _write_metadata(described: dict[str, Any], packages: Path) -> None:
    """Write what an installation would: by it the program finds its commands and its version."""
    project = described["project"]
    info = packages / f"edgeinfer-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: edgeinfer\nVersion: {project['version']}\n"
    )
    groups = {"console_scripts": project["scripts"], **project["entry-points"]}
    (info / "entry_points.txt").write_text(
        "".join(
            f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
            for group, entries in groups.items()
        )
    )

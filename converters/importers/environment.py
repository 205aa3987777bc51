"""Isolated environments for importers: made on first use in edgeinfer's cache, then kept.

An environment is made in a temporary folder and appears by rename, so it is complete or missing.
Its stamp names the pinned packages: where the pins of edgeinfer have changed, it is made again.
`edgeinfer doctor` reads the stamps.

There are two kinds. A virtual environment has its own Python, and edgeinfer runs a program in it
as a child process. A package folder has packages without their dependencies, for a process of
edgeinfer's own Python that puts the folder on its import path.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.importers.install import install_packages, make_virtual
from edgeinfer.device.core.errors import StorageError, storage_error
from edgeinfer.device.core.files import cache_home
from edgeinfer.device.core.installation.stamps import IMPORTERS_FOLDER, STAMP_FILE

_PACKAGES = "packages"
_SPARE = 1.3
"""Free space that an installation needs, in parts of the final size: downloads are unpacked."""


@dataclass(frozen=True, kw_only=True)
class EnvironmentPlan:
    """What an environment is to hold.

    Attributes:
        name: of its folder, such as "onnx2tf".
        purpose: what it is for, to follow the name, such as "reads ONNX models".
        packages: all its packages as exact requirements, such as "numpy==2.2.6".
        python: the interpreter of a virtual environment; None for a package folder, whose packages
            are those of this process's Python, without their dependencies.
        size_mb: about how much it takes on the disk.
        time_s: about how long it takes to make.
    """

    name: str
    purpose: str
    packages: tuple[str, ...]
    python: Path | None
    size_mb: int
    time_s: int


@dataclass(frozen=True, kw_only=True)
class MadeEnvironment:
    """An environment that is complete.

    Attributes:
        folder: where it is.
        python: its interpreter, for a virtual environment; this process's for a package folder.
        import_path: the folder of the packages of a package folder; None for a virtual environment,
            whose interpreter finds them.
    """

    folder: Path
    python: Path
    import_path: Path | None


def importers_home() -> Path:
    """Return the folder with all environments, `$XDG_CACHE_HOME/edgeinfer/importers`."""
    return cache_home() / IMPORTERS_FOLDER


def ready_environment(plan: EnvironmentPlan, *, home: Path | None = None) -> MadeEnvironment | None:
    """Return the environment if it is complete and has the packages of the plan, else None.

    Args:
        plan: what it must hold. The interpreter of the plan is not compared: any with which it was
            made will do.
        home: where environments are; by default `importers_home()`.
    """
    folder = (home or importers_home()) / plan.name
    try:
        stamp = json.loads((folder / STAMP_FILE).read_bytes())
    except (OSError, ValueError):
        return None
    virtual = plan.python is not None
    wanted = {"packages": list(plan.packages), "virtual": virtual}
    if not isinstance(stamp, dict) or any(stamp.get(key) != wanted[key] for key in wanted):
        return None
    made = _made(folder, virtual=virtual)
    # A link to a Python that was removed since does not exist.
    return made if made.python.exists() else None


def make_environment(
    plan: EnvironmentPlan, progress: Progress, *, home: Path | None = None
) -> MadeEnvironment:
    """Return an environment; it is made first if there is none with these packages.

    Before it is made, its size and time are said. While another process makes it, this one waits.

    Args:
        plan: what it is to hold.
        progress: receives what is said.
        home: where environments are; by default `importers_home()`.

    Raises:
        MissingExtraError: there is no program that installs packages, no package index can be
            reached, or it has no such package. Nothing is left.
        StorageError: the disk is full, or cannot be written. Nothing is left.
    """
    home = home or importers_home()
    made = ready_environment(plan, home=home)
    if made is not None:
        return made
    with _lock(home, plan.name, progress):
        made = ready_environment(plan, home=home)  # the process that had the lock has made it
        if made is None:
            made = _make(plan, home, progress)
    return made


def _made(folder: Path, *, virtual: bool) -> MadeEnvironment:
    return MadeEnvironment(
        folder=folder,
        python=folder / "bin" / "python" if virtual else Path(sys.executable),
        import_path=None if virtual else folder / _PACKAGES,
    )


def _make(plan: EnvironmentPlan, home: Path, progress: Progress) -> MadeEnvironment:
    folder = home / plan.name
    progress.say(
        f"{plan.name}, which {plan.purpose}, is not installed yet: about {plan.size_mb:,} MB go "
        f"into {folder}, which takes about {plan.time_s} s; later runs need no network"
    )
    _require_space(plan, home)
    progress.start(f"install {plan.name}")
    for old in home.glob(f".{plan.name}-*"):  # of a process that was killed; we have the lock
        shutil.rmtree(old, ignore_errors=True)
    try:
        building = Path(tempfile.mkdtemp(prefix=f".{plan.name}-", dir=home))
        try:
            _fill(plan, building / "new", folder)
            _replace(folder, building)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    except OSError as error:
        raise storage_error(folder, error) from error
    return _made(folder, virtual=plan.python is not None)


def _fill(plan: EnvironmentPlan, new: Path, final: Path) -> None:
    """Fill the new folder; the stamp comes last."""
    scratch = new.parent / "scratch"
    scratch.mkdir()
    if plan.python is None:
        new.mkdir()
        target = new / _PACKAGES
        install_packages(plan.name, plan.packages, target=target, scratch=scratch)
    else:
        make_virtual(plan.name, plan.python, new, scratch=scratch)
        python = new / "bin" / "python"
        install_packages(plan.name, plan.packages, python=python, scratch=scratch)
        _rename_in_programs(new, final)
    size_mb = _size_mb(new)
    stamp = {
        "name": plan.name,
        "purpose": plan.purpose,
        "virtual": plan.python is not None,
        "packages": list(plan.packages),
        "size_mb": size_mb,
    }
    (new / STAMP_FILE).write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")


def _replace(folder: Path, building: Path) -> None:
    """Put the new folder where an older one may be; the older one is removed with the rest."""
    if folder.exists():
        folder.rename(building / "old")
    (building / "new").rename(folder)


def _rename_in_programs(new: Path, final: Path) -> None:
    """Have the programs in `bin` start the interpreter where it will be."""
    for program in (new / "bin").iterdir():
        if program.is_symlink() or not program.is_file():
            continue
        content = program.read_bytes()
        if content.startswith(b"#!") and os.fsencode(new) in content:
            program.write_bytes(content.replace(os.fsencode(new), os.fsencode(final)))


def _require_space(plan: EnvironmentPlan, home: Path) -> None:
    needed_mb, free_mb = round(plan.size_mb * _SPARE), shutil.disk_usage(home).free // 10**6
    if free_mb < needed_mb:
        raise StorageError(
            home / plan.name,
            got=f"cannot be made: {free_mb:,} MB are free on this disk",
            expected=f"{needed_mb:,} MB",
            next_step="free some space, or set XDG_CACHE_HOME to a folder on another disk",
        )


def _size_mb(folder: Path) -> int:
    size = 0
    for path, _, names in os.walk(folder):
        size += sum(os.lstat(os.path.join(path, name)).st_size for name in names)
    return round(size / 1e6)


@contextmanager
def _lock(home: Path, name: str, progress: Progress) -> Iterator[None]:
    """Let one process make an environment; the kernel gives the lock back if that one is killed."""
    path = home / f"{name}.lock"
    try:
        home.mkdir(parents=True, exist_ok=True)
        stream = path.open("ab")
    except OSError as error:
        raise storage_error(path, error) from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say(f"another process installs {name}: this one waits for it")
            fcntl.flock(stream, fcntl.LOCK_EX)
        except OSError as error:  # a file system without locks
            raise storage_error(path, error) from error
        yield

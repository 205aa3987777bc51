"""Isolated environments for importers: made on first use in edgeinfer's cache, then kept.

An environment is made in a temporary folder and appears by rename, so it is complete or missing.
Its stamp names the pinned packages: where the pins of edgeinfer have changed, it is made again.
`edgeinfer doctor` reads the stamps.

There are two kinds. A virtual environment has its own Python, and edgeinfer runs a program in it
as a child process. A package folder has packages without their dependencies, for a process of
edgeinfer's own Python that puts the folder on its import path.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.importers.child import this_python
from edgeinfer.converters.importers.install import install_packages, make_virtual
from edgeinfer.converters.importers.kept_folder import make_folder
from edgeinfer.device.core.files import cache_home
from edgeinfer.device.core.installation.stamps import IMPORTERS_FOLDER, STAMP_FILE

_PACKAGES = "packages"


@dataclass(frozen=True, kw_only=True)
class EnvironmentPlan:
    """What an environment is to hold.

    Attributes:
        name: of its folder, such as "onnx2tf".
        purpose: what it is for, to follow the name, such as "reads ONNX models".
        packages: all its packages as exact requirements, such as "numpy==2.2.6".
        python: finds the interpreter of a virtual environment, when one is made; None for a package
            folder, whose packages are for this process's Python.
        size_mb: about how much it takes on the disk.
        time_s: about how long it takes to make.
        advice: what to do where the package index does not have these packages; may be empty.
    """

    name: str
    purpose: str
    packages: tuple[str, ...]
    python: Callable[[Progress], Path] | None
    size_mb: int
    time_s: int
    advice: str = ""


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
    if not isinstance(stamp, dict) or any(stamp.get(k) != v for k, v in _key(plan).items()):
        return None
    made = _made(folder, virtual=plan.python is not None)
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
    folder = home / plan.name
    progress.say(
        f"{plan.name}, which {plan.purpose}, is not installed yet: about {plan.size_mb:,} MB go "
        f"into {folder}, which takes about {plan.time_s} s; later runs need no network"
    )
    python = None if plan.python is None else plan.python(progress)
    progress.start(f"install {plan.name}")

    def fill(new: Path, scratch: Path) -> None:
        install = partial(install_packages, plan.name, plan.packages, scratch, advice=plan.advice)
        if python is None:
            new.mkdir()
            install(target=new / _PACKAGES)
            return
        make_virtual(plan.name, python, new, scratch)
        install(python=new / "bin" / "python")
        _rename_in_programs(new, folder)

    make_folder(
        folder,
        fill,
        stamp={"name": plan.name, "purpose": plan.purpose, **_key(plan)},
        size_mb=plan.size_mb,
        progress=progress,
        is_ready=lambda: ready_environment(plan, home=home) is not None,
    )
    return _made(folder, virtual=python is not None)


def _key(plan: EnvironmentPlan) -> dict[str, object]:
    """Return what of the stamp must be equal."""
    return {"virtual": plan.python is not None, "packages": list(plan.packages)}


def _made(folder: Path, *, virtual: bool) -> MadeEnvironment:
    return MadeEnvironment(
        folder=folder,
        python=folder / "bin" / "python" if virtual else this_python(),
        import_path=None if virtual else folder / _PACKAGES,
    )


def _rename_in_programs(new: Path, final: Path) -> None:
    """Have the programs in `bin` start the interpreter where it will be."""
    for program in (new / "bin").iterdir():
        if program.is_symlink() or not program.is_file():
            continue
        content = program.read_bytes()
        if content.startswith(b"#!") and os.fsencode(new) in content:
            program.write_bytes(content.replace(os.fsencode(new), os.fsencode(final)))

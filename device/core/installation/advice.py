"""What to do where a package is missing: the one place that says how to install it.

Each piece of advice is the end of a sentence, with a command that suits how edgeinfer was installed
and where it runs.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeinfer.device.core.installation.environment import Environment
    from edgeinfer.device.core.installation.source import Source

NEW_ENVIRONMENT = "edgeinfer-env"
"""The folder of the environment that is made where this one cannot take packages."""

_OLDEST_HOST = (3, 11)
_HOST_PYTHONS = "Python 3.11 to 3.13"
_OWN = f"in a new environment, whose program is {NEW_ENVIRONMENT}/bin/edgeinfer"


def add_extra(
    extra: str = "host",
    *,
    source: Source | None = None,
    environment: Environment | None = None,
    version: tuple[int, int] = sys.version_info[:2],
) -> str:
    """Say how the edgeinfer that runs gets an extra.

    Args:
        extra: its name in pyproject.toml.
        source: what edgeinfer was installed from; by default it is looked up.
        environment: where it runs; by default that of this process.
        version: of its Python; an older one than the host's gets no training stack.

    Returns:
        Such as `run: pip install 'edgeinfer[host]==0.1.0'`; the command is the end of it.
    """
    environment = environment or _this_environment()
    if environment.tool == "release" or not environment.wide:
        return "run it on the workstation: a board has the device package alone"
    source = source or _installed_source()
    if not source.version:
        return f"install edgeinfer as docs/quickstart.md says, with the extra {extra}"
    old = extra == "host" and version < _OLDEST_HOST
    notes = [f"with {_HOST_PYTHONS}"] if old else []
    if environment.tool or old or environment.installer == "none":
        if source.gone:
            notes.append(f"after restoring {source.path}, from which edgeinfer was installed")
        notes += _hidden(source)
        if environment.tool:
            return _sentence(notes, _of_tool(environment, source, extra, old=old))
        python = "python3.11" if old else environment.base_python
        notes += _needs_venv(environment) if not old else []
        return _sentence([*notes, _OWN], _new_environment(python, source.arguments(extra)))
    arguments, notes = source.arguments(extra), _hidden(source)
    if source.gone or source.local_repository:
        # What is installed fulfils this requirement, so no file or index is asked for it.
        arguments, notes = (source.exact(extra),), []
    return _sentence([*notes, *_permission(environment)], _installing(environment, arguments))


def add_packages(
    *requirements: str,
    instead_of: Sequence[str] = (),
    force: bool = False,
    source: Source | None = None,
    environment: Environment | None = None,
) -> str:
    """Say how packages get into the environment of edgeinfer.

    Args:
        requirements: as pip takes them.
        instead_of: names of packages that must go first.
        force: install them again where they are there.
        source: what edgeinfer was installed from; by default it is looked up.
        environment: where it runs; by default that of this process.

    Returns:
        Such as "run `pip install 'numpy<2'`".
    """
    environment = environment or _this_environment()
    if environment.tool == "release":
        return "install the release again: on the workstation, run `edgeinfer flash`"
    if environment.installer == "none":
        # Fresh, with what edgeinfer itself requires, the environment has the right ones.
        arguments = (source or _installed_source()).arguments()
        command = _new_environment(environment.base_python, arguments)
        return _phrase([*_needs_venv(environment), _OWN], f"`{command}`")
    options = ("--force-reinstall",) if force else ()
    command = f"`{_installing(environment, (*options, *requirements))}`"
    if instead_of:
        remove = ("uninstall", *(() if environment.installer == "uv" else ("-y",)), *instead_of)
        command = f"`{_pip(environment, remove)}`, then {command}"
    return _phrase(_permission(environment), command)


def _this_environment() -> Environment:
    # Here, for modules that every start imports name this one for the day when something is absent.
    from edgeinfer.device.core.installation.environment import this_environment

    return this_environment()


def _installed_source() -> Source:
    from edgeinfer.device.core.installation.source import installed_source

    return installed_source()


def _sentence(notes: Sequence[str], command: str) -> str:
    return f"{', '.join([*notes, ''])}run: {command}"


def _phrase(notes: Sequence[str], command: str) -> str:
    return f"{', '.join([*notes, ''])}run {command}"


def _hidden(source: Source) -> list[str]:
    return ["after adding the name or password that the URL needs"] if source.secret else []


def _permission(environment: Environment) -> list[str]:
    if environment.writable:
        return []
    return [f"as a user who may write to {environment.prefix}"]


def _needs_venv(environment: Environment) -> list[str]:
    # Debian takes the module out of Python into this package.
    return [] if environment.has_venv else ["after sudo apt install python3-venv"]


def _installing(environment: Environment, arguments: Sequence[str]) -> str:
    """Return the command that installs into the environment itself."""
    command = _pip(environment, ("install", *arguments))
    if environment.installer != "ensurepip":
        return command
    return f"{shlex.join((environment.python, '-m', 'ensurepip'))} && {command}"


def _pip(environment: Environment, arguments: Sequence[str]) -> str:
    verb, *others = arguments
    if environment.installer == "uv":
        return shlex.join(("uv", "pip", verb, "--python", environment.python, *others))
    program = ("pip",) if environment.pip_on_path else (environment.python, "-m", "pip")
    return shlex.join((*program, *arguments))


def _new_environment(python: str, arguments: Sequence[str]) -> str:
    install = (f"{NEW_ENVIRONMENT}/bin/pip", "install", *arguments)
    return f"{shlex.join((python, '-m', 'venv', NEW_ENVIRONMENT))} && {shlex.join(install)}"


def _of_tool(environment: Environment, source: Source, extra: str, *, old: bool) -> str:
    """Return the words with which a tool that manages edgeinfer's environment gets the extra."""
    by_pipx = environment.tool.startswith("pipx")
    python = ("python3.11" if by_pipx else "3.11") if old else environment.base_python
    options = ("--python", python)
    if environment.tool == "pipx":
        suffix = (f"--suffix={environment.suffix}",) if environment.suffix else ()
        install = ("pipx", "install", "--force", *options, *suffix, *source.arguments(extra))
        return shlex.join(install)
    if environment.tool == "uv tool":
        return shlex.join(("uv", "tool", "install", "--force", *options, *source.arguments(extra)))
    if environment.tool == "pipx run":
        return shlex.join(
            ("pipx", "run", *options, "--spec", source.requirement(extra), "edgeinfer")
        )
    return shlex.join(("uvx", *options, "--from", source.requirement(extra), "edgeinfer"))

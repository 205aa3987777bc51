"""The Python environment that edgeinfer runs in, and what installs packages into it."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import struct
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from edgeinfer.device.core.installation.source import DISTRIBUTION

Tool = Literal["", "release", "pipx", "pipx run", "uv tool", "uvx"]
Installer = Literal["pip", "uv", "ensurepip", "none"]


@dataclass(frozen=True, kw_only=True)
class Environment:
    """An environment.

    Attributes:
        tool: what made it for edgeinfer alone and keeps a record of it; `release` is the agent, on
            a board that flash set up. Empty for an environment as Python or uv makes it.
        installer: what can put packages into it. `ensurepip`: Python first has to bring pip;
            `none`: nothing can, or the system forbids it.
        prefix: its folder.
        python: its interpreter, as a path.
        base_python: the interpreter that it was made with.
        pip_on_path: the shell's `pip` is its own.
        writable: this user may install into it.
        has_venv: its Python can make virtual environments with pip in them.
        suffix: what pipx appends to its programs' names.
        wide: its programs are 64-bit ones; for others there is no TensorFlow.
    """

    tool: Tool = ""
    installer: Installer = "pip"
    prefix: Path = Path("/usr")
    python: str = "python3"
    base_python: str = "python3"
    pip_on_path: bool = False
    writable: bool = True
    has_venv: bool = True
    suffix: str = ""
    wide: bool = True


def this_environment() -> Environment:
    """Look at the environment of this process."""
    prefix = Path(sys.prefix)
    python = sys.executable or "python3"
    virtual = sys.prefix != sys.base_prefix
    pipx = _pipx_package(prefix)
    return Environment(
        tool=_tool(prefix, pipx),
        installer=_installer(prefix, virtual=virtual),
        prefix=prefix,
        python=python,
        base_python=os.path.realpath(python) if sys.executable else python,
        # The folder of another Python may hold a different Python's pip.
        pip_on_path=virtual and _is_next_to(shutil.which("pip"), python),
        # Outside of an environment pip takes the user's own folder where it may not write.
        writable=not virtual or os.access(sysconfig.get_path("purelib"), os.W_OK),
        has_venv=importlib.util.find_spec("ensurepip") is not None,
        suffix=str(pipx.get("suffix") or ""),
        wide=struct.calcsize("P") == 8,
    )


def is_of_a_release(prefix: Path) -> bool:
    """Return whether the agent on a board made an environment: a path that ends in `packages/KEY`.

    The agent is above this floor; `tests/device/releases/install` holds that it makes them so.
    """
    folder = prefix.resolve()
    return folder.parent.name == "packages" and (folder / "complete").is_file()


def _tool(prefix: Path, pipx: dict[str, Any]) -> Tool:
    """Return what made the environment for edgeinfer; with another program in it, it is not
    edgeinfer's."""
    if is_of_a_release(prefix):
        return "release"
    if pipx.get("package") == DISTRIBUTION:
        return "pipx" if prefix.parent.name == "venvs" else "pipx run"
    if (prefix / "uv-receipt.toml").is_file() and prefix.name == DISTRIBUTION:
        return "uv tool"
    # What `uvx` runs is in uv's cache.
    return "uvx" if "archive-v0" in prefix.parts and _made_by_uv(prefix) else ""


def _installer(prefix: Path, *, virtual: bool) -> Installer:
    if not virtual and Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED").is_file():
        return "none"  # PEP 668: pip refuses
    if importlib.util.find_spec("pip") is not None:
        return "pip"
    if _made_by_uv(prefix):
        return "uv"
    return "none" if importlib.util.find_spec("ensurepip") is None else "ensurepip"


def _made_by_uv(prefix: Path) -> bool:
    try:
        lines = (prefix / "pyvenv.cfg").read_text(errors="replace").splitlines()
    except OSError:
        return False
    return any(line.partition("=")[0].strip() == "uv" for line in lines)


def _is_next_to(program: str | None, python: str) -> bool:
    """True for a program in the folder of an environment's interpreter."""
    if program is None:
        return False
    try:
        return os.path.samefile(os.path.dirname(program), os.path.dirname(python))
    except OSError:
        return False


def _pipx_package(prefix: Path) -> dict[str, Any]:
    """Return what pipx noted of the package that it made an environment for; empty elsewhere."""
    try:
        package = json.loads((prefix / "pipx_metadata.json").read_bytes())["main_package"]
    except (OSError, ValueError, LookupError, TypeError):
        return {}
    return package if isinstance(package, dict) else {}

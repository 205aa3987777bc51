"""Virtual environments and packages, by pip or uv, and the meaning of their failures in one line.

Only wheels are taken: nothing is built, and no code of a package runs while it is installed. Index
and proxies are those of the user's own settings of pip or uv.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from edgeinfer.converters.importers.child import (
    ChildEnd,
    isolated_command,
    isolated_environment,
    run_child,
    this_python,
)
from edgeinfer.device.core.errors import EdgeinferError, MissingExtraError, StorageError
from edgeinfer.device.core.installation.advice import add_packages

INSTALL_S = 3600.0
"""How long one step of an installation may take; two gigabytes on a slow line need most of it."""

_OTHER_PLACES = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON", "PIP_DRY_RUN")
"""Settings of pip that would install elsewhere."""

_FULL = re.compile(r"No space left on device|Disk quota exceeded")
_UNREACHABLE = re.compile(
    r"Retrying \(|NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|"
    r"confirming the ssl certificate|ProxyError|Network is unreachable|dns error|"
    r"Failed to fetch|error sending request"
)
_NOT_FOUND = re.compile(
    r"Could not find a version that satisfies the requirement (?P<wanted>\S+).*?"
    r"\(from versions: (?P<versions>.*)\)"
)
_REASON = re.compile(r"^(?:ERROR|error|\s*×|\s*╰─▶)\s*:?\s*(?P<text>.+)$", re.MULTILINE)
_ONCE = "connect this machine to the internet once; later runs need no network"


def make_virtual(name: str, python: Path, folder: Path, scratch: Path) -> None:
    """Make a virtual environment.

    Args:
        name: of what it is for, in errors.
        python: the interpreter.
        folder: where it will be.
        scratch: a folder for temporary files.

    Raises:
        MissingExtraError: this Python cannot make one.
        StorageError: the disk is full.
    """
    # Without pip: Debian takes out of Python what would bring it.
    command = isolated_command(python, "venv", "--without-pip", str(folder))
    _run(name, command, scratch)


def install_packages(
    name: str,
    packages: Sequence[str],
    scratch: Path,
    *,
    python: Path | None = None,
    target: Path | None = None,
    advice: str = "",
) -> None:
    """Install packages into a virtual environment, or without dependencies into a folder.

    Args:
        name: of what they are for, in errors.
        packages: exact requirements.
        scratch: a folder for temporary files.
        python: the interpreter of the virtual environment.
        target: the folder.
        advice: what to do where the index does not have these packages.

    Raises:
        MissingExtraError: there is no pip or uv, no package index can be reached, or it does
            not have these packages.
        StorageError: the disk is full.
    """
    place = ("--target", str(target)) if target is not None else ()
    options = ("--only-binary", ":all:", "--no-deps", *place)
    runner = _pip_runner()
    if runner is not None:
        command = isolated_command(
            python or this_python(),
            runner,
            *("install", "--disable-pip-version-check", "--no-input", "--retries", "2"),
            *("--progress-bar", "off", "--no-warn-script-location", *options, *packages),
        )
    elif (program := shutil.which("uv")) is not None:
        of_python = ("--python", str(python or this_python()))
        command = [program, "pip", "install", "--no-progress", *of_python, *options, *packages]
    else:
        raise MissingExtraError(
            name,
            got="cannot be installed: there is no pip or uv here",
            next_step=add_packages("pip"),
        )
    _run(name, command, scratch, advice)


def _pip_runner() -> Path | None:
    """Return the program with which this Python's pip also runs in others: `pip --python` uses it.

    Run directly, it is a child of this process, and ends with it.
    """
    found = importlib.util.find_spec("pip")
    if found is None or found.origin is None:
        return None
    runner = Path(found.origin).with_name("__pip-runner__.py")
    return runner.absolute() if runner.is_file() else None


def _run(name: str, command: Sequence[str], scratch: Path, advice: str = "") -> None:
    environment = isolated_environment(
        TMPDIR=str(scratch), LC_ALL="C.UTF-8", PIP_NO_COLOR="1", NO_COLOR="1"
    )
    for variable in _OTHER_PLACES:
        environment.pop(variable, None)
    done = run_child(command, limit_s=INSTALL_S, environment=environment)
    if done.end.code != 0:
        raise install_error(name, done, advice)


def install_error(name: str, done: ChildEnd, advice: str = "") -> EdgeinferError:
    """Return the error for a failure of what installs.

    Args:
        name: what was to be installed.
        done: how the program ended, and what it said.
        advice: what to do where the index does not have a package.
    """
    full = _FULL.search(done.output)
    if full is not None:
        return StorageError(
            name,
            got=f"cannot be installed ({full[0].lower()})",
            next_step="free some space, or set XDG_CACHE_HOME to a folder on another disk",
        )
    missing, next_step = _NOT_FOUND.search(done.output), _ONCE
    if _UNREACHABLE.search(done.output):
        got = "no package index can be reached"
    elif missing is not None:
        got = f"no package index has {missing['wanted']} for this machine"
        # An index that has other versions was reached.
        next_step = advice if advice and missing["versions"] != "none" else _ONCE
    elif done.end.code is None:
        got = f"it {done.end.text}"
    else:
        reasons = _REASON.findall(done.output)
        got = (reasons[-1] if reasons else done.end.text)[:300]
    return MissingExtraError(name, got=f"cannot be installed: {got}", next_step=next_step)

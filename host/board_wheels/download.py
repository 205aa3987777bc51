"""Wheels for another machine, downloaded by this machine's pip, and the meaning of its failures."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from edgeinfer.device.core.errors import WheelError
from edgeinfer.device.core.processes import python_command, run_to_end, safe_environment
from edgeinfer.host.board_wheels.lock import LockedWheel, requirement_lines
from edgeinfer.host.board_wheels.target import WheelTarget
from edgeinfer.host.board_wheels.wheel_file import locked_file, other_hash

_UNREACHABLE = re.compile(
    r"Retrying \(|NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|"
    r"confirming the ssl certificate|ProxyError|Network is unreachable"
)
_NOT_FOUND = re.compile(
    r"Could not find a version that satisfies the requirement (?P<wanted>.+?) "
    r"\(from versions: (?P<versions>.*)\)"
)
_OTHER_HASH = re.compile(
    r"DO NOT MATCH THE HASHES.*?\n\s+(?P<what>\S+)(?: from \S*?(?P<file>[^/\s#]+\.whl))?[^\n]*\n"
    r"\s+Expected sha256 (?P<expected>[0-9a-f]{64})\s+Got\s+(?P<got>[0-9a-f]{64})",
    re.DOTALL,
)
_CONFLICT = re.compile(r"conflicting dependencies|ResolutionImpossible")
_MOST_VERSIONS = 3


def download_locked(target: WheelTarget, wheels: Sequence[LockedWheel], folder: Path) -> list[Path]:
    """Download exactly these files into an empty folder; none of their code runs here.

    pip accepts nothing with another hash, and no source distribution; the downloaded files are
    checked again.

    Args:
        target: what they are for.
        wheels: the files.
        folder: where to put them.

    Returns:
        The files, in the order of `wheels`.

    Raises:
        WheelError: there is no pip, no package index can be reached, or it does not have these
            files.
    """
    # In a file, since pip reads hashes only from files.
    wanted = folder / "requirements.txt"
    lines = requirement_lines(wheels)
    wanted.write_text("\n".join(lines) + "\n", encoding="utf-8")
    names = [line.partition(" ")[0] for line in lines]
    _pip(target, ["--require-hashes", "--no-deps", "--requirement", str(wanted)], folder, names)
    for wheel in wheels:
        if not (folder / wheel.file).is_file():
            found = ", ".join(sorted(path.name for path in folder.glob("*.whl")))
            raise WheelError(
                wheel.file, got=f"was not downloaded by pip ({found})", expected="this file"
            )
        locked_file(folder / wheel.file, wheel.sha256)
    return [folder / wheel.file for wheel in wheels]


def download_newest(
    target: WheelTarget, wanted: Sequence[str], folder: Path, *, follow: bool
) -> list[Path]:
    """Download what an index has now, to renew the lock; boards get nothing this way.

    Args:
        target: what they must run on.
        wanted: requirements without markers.
        folder: where to put them; it must be empty.
        follow: whether their requirements are downloaded too. pip evaluates markers for this
            machine, so that may be too little or too much.

    Returns:
        The files, by name.

    Raises:
        WheelError: there is no pip, no package index can be reached, or it has no such wheel.
    """
    _pip(target, [*([] if follow else ["--no-deps"]), *wanted], folder, wanted)
    return sorted(folder.glob("*.whl"))


def _pip(
    target: WheelTarget, arguments: Sequence[str], folder: Path, wanted: Sequence[str]
) -> None:
    """Let pip download wheels for a target, and only wheels: they run no code."""
    if importlib.util.find_spec("pip") is None:
        raise WheelError(
            sys.executable,
            got="has no pip",
            expected="pip, which downloads the board's packages",
            next_step="run: python -m ensurepip",
        )
    command = python_command(
        *("-m", "pip", "download", "--disable-pip-version-check", "--no-input"),
        *("--quiet", "--retries", "2", "--dest", str(folder), "--only-binary", ":all:"),
        *("--implementation", "cp", "--python-version", target.python),
        *(f"--platform={platform}" for platform in target.platforms()),
        *arguments,
    )
    # Its messages are parsed below.
    environment = safe_environment(LC_ALL="C.UTF-8", PIP_NO_COLOR="1", PIP_PROGRESS_BAR="off")
    done = run_to_end(command, env=environment)
    if done.end.code:
        raise pip_error(target, wanted, done.stderr or done.stdout)


def pip_error(target: WheelTarget, wanted: Sequence[str], said: str) -> WheelError:
    """Return the error for a failure of pip.

    Args:
        target: the board's system.
        wanted: the requirements given to pip.
        said: what it printed on stderr.
    """
    subject = f"packages for {target.title}"
    missing = _NOT_FOUND.search(said)
    if other := _OTHER_HASH.search(said):
        return other_hash(
            other["file"] or other["what"], got=other["got"], expected=other["expected"]
        )
    if _UNREACHABLE.search(said):
        return WheelError(
            subject,
            got="cannot be downloaded: no package index can be reached",
            expected="an internet connection the first time for such a board",
            next_step="connect this workstation once; after that they are in its cache",
        )
    if missing and missing["wanted"] in said:
        versions = [v for v in missing["versions"].split(", ") if v not in ("", "none")]
        others = f" (only of {', '.join(versions[-_MOST_VERSIONS:])})" if versions else ""
        return WheelError(
            subject,
            got=f"no wheel of {missing['wanted']}{others}",
            expected=f"one for cp{target.python.replace('.', '')} and {target.platforms()[0]} "
            "or an older one",
            next_step="choose a system for the board that has one, or name a wheel with --wheel",
        )
    if _CONFLICT.search(said):
        return WheelError(
            subject,
            got="cannot be installed together: " + ", ".join(wanted),
            expected="requirements that can be met together",
            next_step="leave out or change the requirements that you added",
        )
    lines = [line for line in said.strip().splitlines() if line.startswith("ERROR")]
    last = (lines or said.strip().splitlines() or ["nothing said"])[-1]
    return WheelError(subject, got=f"pip cannot download them ({last[:300]})")

"""What a board's system needs: which wheels, which Python, what of the system's own packages."""

from __future__ import annotations

from dataclasses import dataclass

from edgeinfer.boards.profile import BoardProfile, find_system
from edgeinfer.boards.systems import OLDEST_PYTHON, System
from edgeinfer.device.errors import RemoteError
from edgeinfer.host.board_wheels import WheelTarget
from edgeinfer.host.flashing.facts import BoardFacts

NEWEST_PYTHON = (3, 13)

_PROVIDED = {
    "python3-numpy": ("numpy", "numpy"),
    "python3-opencv": ("opencv-python-headless", "cv2"),
    "python3-click": ("click", "click"),
    "python3-picamera2": ("picamera2", "picamera2"),
}
"""What packages of a system provide: the distribution, and the module that shows it is there."""


@dataclass(frozen=True, kw_only=True)
class BoardSystem:
    """What a release on a board is made for.

    Attributes:
        target: which wheels run there.
        python: the system's interpreter there.
        system_site_packages: whether packages of the system are used beside them.
        carried: the version of a Python that is brought along; empty where the system's serves.
    """

    target: WheelTarget
    python: str
    system_site_packages: bool
    carried: str = ""


def choose_system(
    facts: BoardFacts, profile: BoardProfile, host: str, *, named: bool, picamera: bool
) -> BoardSystem:
    """Say what a board's system needs.

    Args:
        facts: what the board says.
        profile: which board it is.
        host: its name.
        named: the profile is of one board, not of all machines of an architecture: its list of
            systems is meant to be complete.
        picamera: the camera is reached through Picamera2.

    Raises:
        RemoteError: nothing of edgeinfer runs on it, or something must be installed there first.
    """
    system = find_system(profile, facts.os_id, facts.os_version, facts.architecture)
    if system is None and named and profile.systems:
        raise RemoteError(
            host,
            got=f"runs {facts.os_name or facts.os_id or 'an unknown system'}, {facts.architecture}",
            expected=f"one of {', '.join(known.name for known in profile.systems)}",
            next_step="put one of these on it, or try `--board generic-...`",
        )
    if system is not None and not system.runtime:
        raise RemoteError(
            host,
            got=f"runs {system.name}, for which there is no TFLite runtime",
            expected=f"one of {', '.join(s.name for s in profile.systems if s.runtime)}",
            next_step=system.note,
        )
    if facts.glibc is None:
        raise RemoteError(
            host,
            got="its C library is not glibc",
            expected="a system with glibc, such as Debian or Raspberry Pi OS",
        )
    carried = "" if system is None else system.python_carried
    if not carried:
        _check_python(facts, host)
    provided = _provided(facts, system)
    _check_modules(facts, host, system, picamera=picamera)
    try:
        target = WheelTarget(
            architecture=facts.architecture,
            python=carried or "{}.{}".format(*facts.python_version),
            glibc=facts.glibc,
            runtime=_runtime(system),
            system_packages=frozenset(provided),
        )
    except ValueError as error:
        raise RemoteError(host, got=f"has a system without wheels ({error})") from error
    return BoardSystem(
        target=target,
        python=facts.python,
        system_site_packages=system is not None and system.system_packages,
        carried=carried,
    )


def _check_python(facts: BoardFacts, host: str) -> None:
    if not facts.python:
        raise RemoteError(
            host,
            got="has no Python",
            expected="Python 3.10 or newer",
            next_step="install it there: sudo apt install python3 python3-venv",
        )
    if not OLDEST_PYTHON <= facts.python_version[:2] <= NEWEST_PYTHON:
        raise RemoteError(
            host,
            got="its Python is {}.{}.{}".format(*facts.python_version),
            expected="3.10 to 3.13",
            next_step="put a newer system on it"
            if facts.python_version < OLDEST_PYTHON
            else "put Debian 12 or 13 on it",
        )
    if not facts.venv:
        raise RemoteError(
            host,
            got=f"its {facts.python} cannot make virtual environments",
            expected="Python with its module venv",
            next_step="install it there: sudo apt install python3-venv",
        )


def _provided(facts: BoardFacts, system: System | None) -> set[str]:
    """Return the distributions that the system provides in place of wheels."""
    packages = () if system is None else system.packages
    return {_PROVIDED[name][0] for name in packages if name in _PROVIDED} - {"picamera2"}


def _check_modules(facts: BoardFacts, host: str, system: System | None, *, picamera: bool) -> None:
    """Refuse where a package of the system is needed and not installed."""
    needed = [name for name in (() if system is None else system.packages) if name in _PROVIDED]
    if picamera and "python3-picamera2" not in needed:
        needed.append("python3-picamera2")
    lacking = [
        name
        for name in needed
        if _PROVIDED[name][1] not in facts.modules and (name != "python3-picamera2" or picamera)
    ]
    if lacking:
        raise RemoteError(
            host,
            got=f"lacks {', '.join(lacking)}",
            expected="packages of its system that have no wheels",
            next_step=f"install them there: sudo apt install {' '.join(lacking)}",
        )


def _runtime(system: System | None) -> str:
    """Return the runtime as a requirement; empty for the one that edgeinfer itself asks for."""
    if system is None or system.runtime_in_system:
        return ""
    return f"{system.runtime}=={system.runtime_version}"

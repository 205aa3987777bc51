"""What a board's system needs: which wheels, which Python, which of the system's own packages."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace

from edgeinfer.boards.profile import BoardProfile, find_system
from edgeinfer.boards.systems import OLDEST_PYTHON, System
from edgeinfer.device.core.errors import RemoteError
from edgeinfer.host.board_wheels import WheelTarget, wheel_target
from edgeinfer.host.flashing.board.facts import BoardFacts

NEWEST_PYTHON = (3, 13)

_PROVIDED = {
    "numpy": ("python3-numpy", "numpy"),
    "opencv-python-headless": ("python3-opencv", "cv2"),
    "tflite-runtime": ("tflite-runtime", "tflite_runtime"),
    "picamera2": ("python3-picamera2", "picamera2"),
}
"""Distributions that a system may provide: Debian's package, and the module that proves it."""


@dataclass(frozen=True, kw_only=True)
class BoardSystem:
    """The system that a release is made for.

    Attributes:
        target: which wheels run there.
        python: the system's interpreter there.
        system_site_packages: whether packages of the system are used too.
        carried: the version of a Python that is sent; empty if the system's Python is used.
    """

    target: WheelTarget
    python: str
    system_site_packages: bool
    carried: str = ""


def choose_system(
    facts: BoardFacts, profile: BoardProfile, host: str, *, named: bool, picamera: bool
) -> BoardSystem:
    """Return what a board's system needs.

    Args:
        facts: the board's facts.
        profile: which board it is.
        host: its name.
        named: whether the profile describes one board, not all machines of an architecture: then
            its list of systems is complete.
        picamera: whether the camera is used through Picamera2.

    Raises:
        RemoteError: edgeinfer does not run on it, or something must be installed there first.
    """
    system = find_system(profile, facts.os_id, facts.os_version, facts.architecture)
    if system is None and named and profile.systems:
        raise RemoteError(
            host,
            got=f"runs {facts.os_name or facts.os_id or 'an unknown system'}, {facts.architecture}",
            expected=f"one of {', '.join(known.name for known in profile.systems)}",
            next_step="install one of these on it, or try `--board generic-...`",
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
    target = _target(facts, system, host)
    _check_modules(facts, host, {*target.system_packages, *(["picamera2"] if picamera else [])})
    return BoardSystem(
        target=target,
        python=facts.python,
        system_site_packages=bool(target.system_packages)
        or picamera
        or (system is not None and system.system_packages),
        carried=carried,
    )


def _target(facts: BoardFacts, system: System | None, host: str) -> WheelTarget:
    """Return the target for wheels, from the profile and the board's own facts."""
    assert facts.glibc is not None
    python = "{}.{}".format(*facts.python_version)
    try:
        if system is None:
            return WheelTarget(architecture=facts.architecture, python=python, glibc=facts.glibc)
        return replace(
            wheel_target(system), python=system.python_carried or python, glibc=facts.glibc
        )
    except ValueError as error:
        raise RemoteError(
            host, got=f"has a system without wheels ({error})", expected="a system that has them"
        ) from error


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
            next_step="install a newer system on it"
            if facts.python_version < OLDEST_PYTHON
            else "install Debian 12 or 13 on it",
        )
    if not facts.venv:
        raise RemoteError(
            host,
            got=f"its {facts.python} cannot make virtual environments",
            expected="Python with its module venv",
            next_step="install it there: sudo apt install python3-venv",
        )


def _check_modules(facts: BoardFacts, host: str, needed: Set[str]) -> None:
    """Refuse if a package of the system is needed and not installed."""
    known = sorted(needed & _PROVIDED.keys())
    lacking = [_PROVIDED[name][0] for name in known if _PROVIDED[name][1] not in facts.modules]
    if lacking:
        raise RemoteError(
            host,
            got=f"lacks {', '.join(lacking)}",
            expected="the system's own packages, where there are no wheels",
            next_step=f"install them there: sudo apt install {' '.join(lacking)}",
        )

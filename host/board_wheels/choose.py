"""Which of the locked packages a board gets: its system decides, and edgeinfer's own wheel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from edgeinfer.device.core.errors import WheelError
from edgeinfer.host.board_wheels.lock import Lock, LockedPackage, LockedWheel
from edgeinfer.host.board_wheels.target import RUNTIMES, WheelTarget
from edgeinfer.host.board_wheels.wheel_file import requirements

PIP = "pip"
"""It installs the others on the board and runs from its own wheel."""
_MOST_ROUNDS = 10


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """One locked package for one board."""

    package: LockedPackage
    wheel: LockedWheel


def needed(
    target: WheelTarget, own: Iterable[Requirement], replaced: Iterable[str] = ()
) -> tuple[str, ...]:
    """Return what edgeinfer needs on the target, as pip takes it, by name.

    Args:
        target: the board's system.
        own: what edgeinfer's metadata requires.
        replaced: names of what is there already.

    Raises:
        WheelError: there is no TFLite runtime among it.
    """
    found = [r for r in own if target.wants(r)]
    if target.runtime or target.provides_runtime:
        found = [r for r in found if canonicalize_name(r.name) not in RUNTIMES]
    if target.runtime:
        found.append(Requirement(target.runtime))
    there = frozenset(replaced)
    here = {canonicalize_name(r.name) for r in found} | there
    if RUNTIMES.isdisjoint(here) and not target.provides_runtime:
        raise WheelError(
            f"a TFLite runtime for {target.title}",
            got="none has a wheel for it",
            expected=f"one of {', '.join(sorted(RUNTIMES))}",
            next_step="put a 64-bit system on the board, or one with Python 3.11 or older "
            "(Raspberry Pi OS Bookworm)",
        )
    return tuple(
        sorted(
            without_marker(requirement)
            for requirement in found
            if canonicalize_name(requirement.name) not in there
            and not target.provides(requirement.name)
        )
    )


def choose(
    target: WheelTarget, lock: Lock, wanted: Iterable[str], given: Mapping[str, Path]
) -> dict[str, Chosen]:
    """Return the locked wheels that meet the requirements on a board, by name, pip among them.

    What is required of each package depends on the versions of the others, so it is asked again
    until nothing changes.

    Args:
        target: the board's system.
        lock: what there is.
        wanted: requirements without markers.
        given: wheels that the user gave instead of locked ones, by name; their requirements are
            met too.

    Raises:
        WheelError: the lock lacks something.
    """
    roots = [*map(Requirement, wanted), Requirement(PIP)]
    chosen: dict[str, Chosen] = {}
    for _ in range(_MOST_ROUNDS):
        asked = _asked(target, roots, chosen, given)
        before, chosen = chosen, {}
        for name, required in sorted(asked.items()):
            package, wheel = lock.fitting(name, required, target)
            chosen[name] = Chosen(package=package, wheel=wheel)
        if chosen == before:
            return chosen
    raise WheelError(
        f"packages for {target.title}",
        got="cannot be installed together: " + ", ".join(sorted(map(str, roots))),
        expected="requirements that can be met together",
    )


def _asked(
    target: WheelTarget,
    roots: Iterable[Requirement],
    chosen: Mapping[str, Chosen],
    given: Mapping[str, Path],
) -> dict[str, list[Requirement]]:
    """Return what the roots, and the packages chosen so far, require of each package."""
    asked: dict[str, list[Requirement]] = {}
    seen: set[str] = set()
    # A wheel that the user gave is used even if the others require another version.
    ahead = [*roots, *map(Requirement, given)]
    while ahead:
        requirement = ahead.pop()
        name = canonicalize_name(requirement.name)
        if target.provides(name):
            continue
        if name in given:
            more = requirements(given[name])
        else:
            asked.setdefault(name, []).append(requirement)
            more = chosen[name].package.needs() if name in chosen else ()
        if name not in seen:
            seen.add(name)
            ahead += [one for one in more if target.wants(one)]
    return asked


def without_marker(requirement: Requirement) -> str:
    """Return a requirement as pip takes it on any machine.

    Raises:
        WheelError: it asks for extras, which the lock does not follow.
    """
    if requirement.extras:
        raise WheelError(
            str(requirement), got="asks for extras", expected="plain packages for boards"
        )
    return f"{requirement.name}{requirement.specifier}"

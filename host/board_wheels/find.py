"""Find all wheels of a board: what edgeinfer needs there, with all that those need."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from edgeinfer.device.errors import WheelError, storage_error
from edgeinfer.device.files import cache_home, write_atomically
from edgeinfer.host.board_wheels.download import download_wheels
from edgeinfer.host.board_wheels.own import (
    DISTRIBUTION,
    check_given,
    find_built,
    not_found,
    own_version,
    source_checkout,
)
from edgeinfer.host.board_wheels.target import RUNTIMES, WheelTarget
from edgeinfer.host.board_wheels.wheel_file import (
    WheelFile,
    distribution_of,
    parse_name,
    requirements,
    wheel_file,
)

_SCHEMA = 1
_MOST_ROUNDS = 6

Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class BoardWheels:
    """All that is carried to a board and installed there.

    Attributes:
        wheels: edgeinfer and everything that it needs, by name. They need nothing beyond them and
            what the system provides, so that they are installed without looking for more.
        pip: pip's own wheel, which runs without being installed.
    """

    wheels: tuple[WheelFile, ...]
    pip: WheelFile


def board_wheels(
    target: WheelTarget,
    *,
    given: Sequence[Path] = (),
    extra: Sequence[str] = (),
    cache: Path | None = None,
    tell: Tell = lambda text: None,
) -> BoardWheels:
    """Return the wheels that a board needs, downloaded where they are not in the cache yet.

    edgeinfer's own is the given one; else, in a source checkout, that in `dist/` which `make
    wheels` left there; else the package index's of this version. What has been downloaded for the
    same requirements is taken from the cache without asking again, so the answer stays the same
    and needs no connection.

    Args:
        target: the board's system.
        given: wheels to take instead of the index's: edgeinfer's own or any other's.
        extra: requirements beside edgeinfer's own.
        cache: the folder to keep wheels in; by default `$XDG_CACHE_HOME/edgeinfer/wheels`.
        tell: is told what takes a while.

    Raises:
        WheelError: a given wheel or requirement does not fit, no package index can be reached and
            the cache lacks something, or there is no wheel for that system.
        StorageError: the cache cannot be written.
    """
    folder = (cache or cache_home() / "wheels") / target.name
    replaced = {check_given(path, target).distribution: path.resolve() for path in given}
    own = replaced.pop(canonicalize_name(DISTRIBUTION), None)
    own = own or find_built(target, source_checkout()) or _own_of_index(target, folder, tell)
    wanted = needed(target, own, replaced.keys(), extra)
    kept = _cached(
        target, folder, wanted, tuple(replaced.values()), tell, label=f"packages for {target.title}"
    )
    pip = next(wheel for wheel in kept if distribution_of(wheel.path) == "pip")
    wheels = [wheel_file(own), *(wheel for wheel in kept if wheel is not pip)]
    return BoardWheels(wheels=tuple(sorted(wheels, key=lambda wheel: wheel.name)), pip=pip)


def needed(
    target: WheelTarget,
    own: Path,
    replaced: Iterable[str] = (),
    extra: Sequence[str] = (),
) -> tuple[str, ...]:
    """Return what edgeinfer needs on the target, as pip takes it, by name.

    Args:
        target: the board's system.
        own: edgeinfer's wheel, whose metadata says it.
        replaced: names of what is there already.
        extra: requirements beside them.

    Raises:
        WheelError: there is no TFLite runtime among it.
    """
    found = [r for r in requirements(own) if target.wants(r)]
    if target.runtime or target.provides_runtime:
        found = [r for r in found if canonicalize_name(r.name) not in RUNTIMES]
    if target.runtime:
        found.append(Requirement(target.runtime))
    found += map(_parse, extra)
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
            _without_marker(requirement)
            for requirement in found
            if canonicalize_name(requirement.name) not in there
            and not target.provides(requirement.name)
        )
    )


def _own_of_index(target: WheelTarget, folder: Path, tell: Tell) -> Path:
    wanted = f"{DISTRIBUTION}=={own_version()}"
    try:
        kept = _cached(target, folder, (wanted,), (), tell, label=wanted, alone=True)
    except WheelError as error:
        raise not_found(target, error) from error
    return kept[0].path


def _cached(
    target: WheelTarget,
    folder: Path,
    wanted: tuple[str, ...],
    replaced: tuple[Path, ...],
    tell: Tell,
    *,
    label: str,
    alone: bool = False,
) -> list[WheelFile]:
    """Return the wheels for these requirements, downloaded unless the cache has them all.

    A list of what was found lies beside the wheels, one for each set of requirements; it is written
    last.

    Args:
        target: what they must run on.
        folder: the cache's, for this target.
        wanted: the requirements.
        replaced: wheels to take in place of the index's.
        tell: is told of a download.
        label: what it is, for that.
        alone: without pip's own wheel and without what they need.
    """
    # Given wheels are told apart by content: a wheel that was built anew may need other things.
    given = [wheel_file(path) for path in replaced]
    inputs = [
        str(_SCHEMA),
        str(alone),
        *wanted,
        *(wheel.sha256 for wheel in given),
        *sorted(target.system_packages),
    ]
    key = hashlib.sha256("\n".join(inputs).encode()).hexdigest()[:16]
    listing = folder / f"{key}.json"
    kept = _read_listing(listing, folder)
    if kept is None:
        tell(f"downloading {label}")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".download-", dir=folder) as scratch:
                found = _resolve(target, wanted, replaced, Path(scratch), alone=alone)
                kept = [wheel_file(_keep(path, folder)) for path in found]
        except OSError as error:
            raise storage_error(folder, error) from error
        content = {
            "schema": _SCHEMA,
            "requirements": wanted,
            "wheels": [{"name": w.name, "sha256": w.sha256, "size": w.size} for w in kept],
        }
        write_atomically(listing, json.dumps(content, indent=2) + "\n")
    return [*kept, *given]


def _resolve(
    target: WheelTarget,
    wanted: tuple[str, ...],
    replaced: tuple[Path, ...],
    scratch: Path,
    *,
    alone: bool,
) -> list[Path]:
    """Download what the target needs, and return exactly that, without the replaced wheels.

    pip finds the versions that go together, for the markers of this machine; what it left out by
    them is then asked for by name, what it added by them is dropped.
    """
    # Where the system provides some, pip would look for wheels of those that there are none of.
    follow = not alone and not target.system_packages
    roots = (*wanted, *map(str, replaced), *(() if alone else ("pip",)))
    more: set[str] = set()
    for turn in range(_MOST_ROUNDS):
        folder = scratch / str(turn)
        folder.mkdir()
        found = download_wheels(target, [*roots, *sorted(more)], folder, follow=follow)
        if alone:
            return found
        have = {distribution_of(path): path for path in found}
        reached, lacking = _walk(target, [*wanted, "pip"], replaced, have)
        if not lacking:
            mine = {distribution_of(path) for path in replaced}
            return [have[name] for name in sorted(reached - mine)]
        more |= lacking
    raise WheelError(
        f"packages for {target.title}",
        got=f"still lack {', '.join(sorted(lacking))} after {_MOST_ROUNDS} attempts",
        expected="requirements that can be met together",
        next_step="leave out or change the requirements that you added",
    )


def _walk(
    target: WheelTarget,
    wanted: Sequence[str],
    replaced: Sequence[Path],
    have: dict[str, Path],
) -> tuple[set[str], set[str]]:
    """Follow the requirements from the roots, as the target's markers have them.

    Returns:
        The names reached, and the requirements that no wheel meets.
    """
    reached: set[str] = set()
    lacking: set[str] = set()
    followed: set[tuple[str, frozenset[str]]] = set()
    given = {distribution_of(path): path for path in replaced}
    ahead = [*map(Requirement, wanted), *map(Requirement, given)]
    while ahead:
        requirement = ahead.pop()
        name = canonicalize_name(requirement.name)
        if target.provides(name):
            continue
        path = given.get(name) or have.get(name)
        if path is None or not (
            # A wheel that the user named is wanted whatever the others say.
            name in given or requirement.specifier.contains(parse_name(path).version, True)
        ):
            lacking.add(_without_marker(requirement))
            continue
        reached.add(name)
        extras = frozenset(requirement.extras)
        if (name, extras) not in followed:
            followed.add((name, extras))
            ahead += [r for r in requirements(path) if target.wants(r, extras)]
    return reached, lacking


def _parse(text: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        raise WheelError(
            text, got="is no requirement", expected="such as 'paho-mqtt>=2'"
        ) from error


def _without_marker(requirement: Requirement) -> str:
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"{requirement.name}{extras}{requirement.specifier}"


def _keep(path: Path, folder: Path) -> Path:
    """Move a downloaded wheel into the cache; it is there whole or not at all."""
    kept = folder / path.name
    os.replace(path, kept)
    return kept


def _read_listing(listing: Path, folder: Path) -> list[WheelFile] | None:
    """Return the wheels of a listing; None where it or one of them is not as it was written."""
    try:
        content = json.loads(listing.read_text(encoding="utf-8"))
        kept = [wheel_file(folder / Path(entry["name"]).name) for entry in content["wheels"]]
        sums = [entry["sha256"] for entry in content["wheels"]]
    except (OSError, ValueError, KeyError, TypeError, WheelError):
        return None
    return kept if kept and [wheel.sha256 for wheel in kept] == sums else None

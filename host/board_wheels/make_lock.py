"""Renew the lock of board packages: `make board-lock`.

For every system that boards may have, the newest versions that work together are downloaded, and
their hashes are written down. This trusts the package index, one time and on this machine; look at
the changes before you commit them.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from edgeinfer.device.core.errors import WheelError
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.models.bundle.strict import to_json
from edgeinfer.host.board_wheels.choose import needed, without_marker
from edgeinfer.host.board_wheels.download import download_newest
from edgeinfer.host.board_wheels.lock import (
    LOCK_FILE,
    SCHEMA,
    Lock,
    LockedPackage,
    LockedWheel,
)
from edgeinfer.host.board_wheels.supported import all_targets, own_requirements
from edgeinfer.host.board_wheels.target import WheelTarget
from edgeinfer.host.board_wheels.wheel_file import (
    distribution_of,
    licence,
    parse_name,
    requirements,
    requires_python,
    wheel_file,
)

_MOST_ROUNDS = 6


def make_lock(
    targets: Iterable[WheelTarget], own: Sequence[Requirement], tell: Callable[[str], None]
) -> Lock:
    """Download what each system needs, and describe it.

    Raises:
        WheelError: no package index can be reached, or a system has no wheels.
    """
    return lock_of(_downloaded(targets, own, tell))


def _downloaded(
    targets: Iterable[WheelTarget], own: Sequence[Requirement], tell: Callable[[str], None]
) -> Iterator[Path]:
    """Yield each wheel while its file exists."""
    asked = {(needed(target, own), replace(target, runtime="")): target for target in targets}
    for (wanted, _), target in asked.items():
        tell(f"{target.title}: {', '.join(wanted)}")
        with tempfile.TemporaryDirectory(prefix="edgeinfer-lock-") as scratch:
            yield from _resolve(target, wanted, Path(scratch))


def lock_of(paths: Iterable[Path]) -> Lock:
    """Return the lock that names these wheels.

    Raises:
        WheelError: one is not a wheel.
    """
    packages: dict[tuple[str, str], LockedPackage] = {}
    for path in paths:
        name, described = parse_name(path), wheel_file(path)
        key = (str(name.distribution), str(name.version))
        locked = LockedWheel(file=described.name, sha256=described.sha256, size=described.size)
        known = packages.get(key)
        wheels = {locked.file: locked, **({w.file: w for w in known.wheels} if known else {})}
        packages[key] = LockedPackage(
            name=key[0],
            version=key[1],
            licence=licence(path),
            python=requires_python(path),
            requires=tuple(sorted(str(one) for one in requirements(path) if not _of_extra(one))),
            wheels=tuple(wheels[file] for file in sorted(wheels)),
        )
    return Lock(schema=SCHEMA, packages=tuple(packages[key] for key in sorted(packages)))


def _of_extra(requirement: Requirement) -> bool:
    return requirement.marker is not None and "extra" in str(requirement.marker)


def _resolve(target: WheelTarget, wanted: tuple[str, ...], scratch: Path) -> list[Path]:
    """Download what the target needs, and return exactly that.

    pip finds the versions that work together, with the markers of this machine; packages that it
    left out because of them are then asked for by name, and those that it added are dropped.
    """
    # For packages that the system provides, pip would look for wheels that do not exist.
    follow = not target.system_packages
    more: set[str] = set()
    for turn in range(_MOST_ROUNDS):
        folder = scratch / str(turn)
        folder.mkdir()
        found = download_newest(target, [*wanted, "pip", *sorted(more)], folder, follow=follow)
        have = {distribution_of(path): path for path in found}
        reached, lacking = _walk(target, [*wanted, "pip"], have)
        if not lacking:
            return [have[name] for name in sorted(reached)]
        more |= lacking
    raise WheelError(
        f"packages for {target.title}",
        got=f"still lack {', '.join(sorted(lacking))} after {_MOST_ROUNDS} attempts",
        expected="requirements that can be met together",
    )


def _walk(
    target: WheelTarget, wanted: Sequence[str], have: dict[str, Path]
) -> tuple[set[str], set[str]]:
    """Follow the requirements from the roots, with the target's markers.

    Returns:
        The names reached, and the requirements that no wheel meets.
    """
    reached: set[str] = set()
    lacking: set[str] = set()
    ahead = list(map(Requirement, wanted))
    while ahead:
        requirement = ahead.pop()
        name = canonicalize_name(requirement.name)
        if target.provides(name):
            continue
        path = have.get(name)
        if path is None or not requirement.specifier.contains(parse_name(path).version, True):
            lacking.add(without_marker(requirement))
        elif name not in reached:
            reached.add(name)
            ahead += [one for one in requirements(path) if target.wants(one)]
    return reached, lacking


def main() -> int:
    """Renew the lock of this checkout."""
    lock = make_lock(all_targets(), own_requirements(), lambda text: print(text, flush=True))
    write_atomically(LOCK_FILE, json.dumps(to_json(lock), indent=1) + "\n")
    wheels = sum(len(package.wheels) for package in lock.packages)
    print(f"{LOCK_FILE}: {len(lock.packages)} packages, {wheels} wheels")
    return 0


if __name__ == "__main__":
    sys.exit(main())

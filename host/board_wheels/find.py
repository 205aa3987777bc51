"""Find all wheels of a board: edgeinfer's own, and the locked ones that it needs there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from edgeinfer.device.core.errors import WheelError, storage_error
from edgeinfer.device.core.files import cache_home
from edgeinfer.host.board_wheels.choose import PIP, Chosen, choose, needed
from edgeinfer.host.board_wheels.download import download_locked
from edgeinfer.host.board_wheels.installed import installed_wheel
from edgeinfer.host.board_wheels.lock import Lock, LockedWheel, own_lock
from edgeinfer.host.board_wheels.own import (
    DISTRIBUTION,
    check_given,
    find_built,
    not_built,
    source_checkout,
)
from edgeinfer.host.board_wheels.target import WheelTarget
from edgeinfer.host.board_wheels.wheel_file import (
    WheelFile,
    locked_file,
    requirements,
    wheel_file,
)

Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class BoardWheels:
    """Everything that is sent to a board and installed there.

    Attributes:
        wheels: edgeinfer and everything that it needs, by name. They need only each other and
            what the system provides, so they are installed without a search for more.
        pip: pip's own wheel, which runs without an installation.
    """

    wheels: tuple[WheelFile, ...]
    pip: WheelFile


def board_wheels(
    target: WheelTarget,
    *,
    given: Sequence[Path] = (),
    lock: Lock | None = None,
    cache: Path | None = None,
    tell: Tell = lambda text: None,
) -> BoardWheels:
    """Return the wheels that a board needs, downloaded where they are not in the cache yet.

    edgeinfer's own is the given one; else, in a source checkout, that in `dist/` which `make
    wheels` left there; else it is packed again from the installed files. It is never downloaded
    from a package index. All others are in the lock, each with its hash, from any source. So the
    answer stays the same, and needs no connection once they are in the cache.

    Args:
        target: the board's system.
        given: wheels to take instead: edgeinfer's own or any other's.
        lock: the packages that boards may get; by default this installation's.
        cache: the folder to keep wheels in; by default `$XDG_CACHE_HOME/edgeinfer/wheels`.
        tell: called with a text before each slow step.

    Raises:
        WheelError: a given wheel does not fit, edgeinfer's own is not available, the lock lacks
            something for that system, a file has another hash, or no package index can be reached
            and the cache lacks something.
        StorageError: the cache cannot be written.
    """
    folder = (cache or cache_home() / "wheels") / target.name
    replaced: dict[str, Path] = {
        check_given(path, target).distribution: path.resolve() for path in given
    }
    own = replaced.pop(canonicalize_name(DISTRIBUTION), None) or _own(target, folder)
    wanted = needed(target, requirements(own), replaced.keys())
    chosen = choose(target, lock or own_lock(), wanted, replaced)
    found = _kept(target, folder, chosen, tell)
    found |= {name: wheel_file(path) for name, path in replaced.items()}
    pip = found.pop(PIP)
    wheels = [wheel_file(own), *found.values()]
    return BoardWheels(wheels=tuple(sorted(wheels, key=lambda wheel: wheel.name)), pip=pip)


def _own(target: WheelTarget, folder: Path) -> Path:
    """Return edgeinfer's own wheel, of this checkout or this installation."""
    checkout = source_checkout()
    if checkout is None:
        return installed_wheel(target, folder)
    built = find_built(target, checkout)
    if built is None:
        raise not_built(target)
    return built


def _kept(
    target: WheelTarget, folder: Path, chosen: Mapping[str, Chosen], tell: Tell
) -> dict[str, WheelFile]:
    """Return the chosen wheels, downloaded unless the cache has them; their hashes are checked."""
    found = {name: _kept_file(folder, one.wheel) for name, one in chosen.items()}
    missing = [one.wheel for name, one in chosen.items() if found[name] is None]
    if missing:
        tell(f"downloading packages for {target.title}")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".download-", dir=folder) as scratch:
                for path in download_locked(target, missing, Path(scratch)):
                    # A wheel is in the cache completely or not at all.
                    os.replace(path, folder / path.name)
        except OSError as error:
            raise storage_error(folder, error) from error
    return {
        name: found[name] or locked_file(folder / one.wheel.file, one.wheel.sha256)
        for name, one in chosen.items()
    }


def _kept_file(folder: Path, wheel: LockedWheel) -> WheelFile | None:
    try:
        return locked_file(folder / wheel.file, wheel.sha256)
    except WheelError:
        return None

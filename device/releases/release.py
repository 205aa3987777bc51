"""Releases: a bundle, an environment and the command line that runs them, under a number."""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.device.errors import EdgeinferError, ReleaseError, storage_error
from edgeinfer.device.files import sync_folder, write_atomically
from edgeinfer.device.releases.disk import make_folder, remove_tree, sync_tree
from edgeinfer.device.releases.environment import build_environment, environment_key, is_complete
from edgeinfer.device.releases.history import note, now_text, read_history
from edgeinfer.device.releases.layout import Layout
from edgeinfer.device.releases.spec import ReleaseSpec, parse_spec
from edgeinfer.device.releases.store import file_sha256
from edgeinfer.device.releases.told import parse_told

BUNDLE = "bundle.edgebundle"

# The release is found once, without the link `current`: a process is of one release, whenever the
# link is turned.
_RUN = """\
#!/bin/sh
release=$(cd "$(dirname "$0")" && pwd -P) || exit 1
exec "$release/package/bin/edgeinfer" run {options} --model "$release/bundle.edgebundle" \\
    --output "status:${{RUNTIME_DIRECTORY:-/run/edgeinfer}}/status.json"
"""


@dataclass(frozen=True, kw_only=True)
class Release:
    """An installed release.

    Attributes:
        number: counts up; numbers are not used again.
        spec: what it consists of.
        package: its environment's key.
        installed: when, by the wall clock, for people.
    """

    number: int
    spec: ReleaseSpec
    package: str
    installed: str

    def to_json(self) -> dict[str, object]:
        """Return what `state` tells of it."""
        return {
            "bundle": self.spec.bundle,
            "name": self.spec.name,
            "package": self.package,
            "run": list(self.spec.run),
            "installed": self.installed,
        }


def install(layout: Layout, spec: ReleaseSpec, lock: int) -> tuple[int, bool]:
    """Make a release, which nothing uses yet; one that is there already is taken.

    Args:
        layout: where.
        spec: what it consists of; its files are in the store.
        lock: the lock's descriptor.

    Returns:
        Its number, and whether it is new.

    Raises:
        ReleaseError: a file is missing, or the environment cannot be made.
        StorageError: there is no room; nothing half made remains.
    """
    missing = [
        sha256[:12] for sha256 in sorted(spec.files()) if not (layout.store / sha256).is_file()
    ]
    if missing:
        raise ReleaseError(
            f"release {spec.name}",
            got=f"files are missing: {', '.join(missing)}",
            expected="all of them in the store",
            next_step="send them with `receive`",
        )
    key = environment_key(layout, spec)
    known = read_releases(layout)
    for number, release in known.items():
        if release.spec == spec and release.package == key and _is_sound(layout, release):
            return number, False
    build_environment(layout, spec, key, lock)
    number = _next_number(layout)
    _write_release(layout, Release(number=number, spec=spec, package=key, installed=now_text()))
    note(layout, "installed", release=number, name=spec.name)
    return number, True


def read_releases(layout: Layout) -> dict[int, Release]:
    """Return the installed releases by number; what is damaged is left out."""
    found = {}
    for number in _numbers(layout):
        try:
            found[number] = read_release(layout, number)
        except EdgeinferError:
            continue
    return found


def read_release(layout: Layout, number: int) -> Release:
    """Return a release.

    Raises:
        ReleaseError: there is none of this number, or it is damaged.
    """
    path = layout.release(number) / "release.json"
    try:
        told = parse_told(path.read_text())
        return Release(
            number=number,
            spec=parse_spec(told["spec"]),
            package=str(told["package"]),
            installed=str(told["installed"]),
        )
    except FileNotFoundError:
        have = ", ".join(map(str, _numbers(layout))) or "none"
        raise ReleaseError(
            f"release {number}", got="is not installed", expected=f"one of: {have}"
        ) from None
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ReleaseError(f"release {number}", got=f"is damaged ({error})") from error


def is_usable(layout: Layout, number: int | None) -> bool:
    """Tell whether a release is whole: its description, bundle, command and environment."""
    if number is None:
        return False
    try:
        release = read_release(layout, number)
    except EdgeinferError:
        return False
    folder = layout.release(number)
    return (
        (folder / BUNDLE).is_file()
        and os.access(folder / "run", os.X_OK)
        and is_complete(layout, release.package)
        and (folder / "package" / "bin").is_dir()
    )


def check_bundle(layout: Layout, release: Release) -> None:
    """Read the bundle once more: cards forget.

    Raises:
        ReleaseError: it is not what was installed.
    """
    path = layout.release(release.number) / BUNDLE
    try:
        same = file_sha256(path) == release.spec.bundle
    except OSError as error:
        raise ReleaseError(f"release {release.number}", got=f"cannot be read ({error})") from error
    if not same:
        raise ReleaseError(
            f"the bundle of release {release.number}",
            got="is not what was installed",
            next_step="the card may be worn: install it again",
        )


def _is_sound(layout: Layout, release: Release) -> bool:
    """Tell whether a release can be taken as it is; one whose bundle has rotted is made anew."""
    if not is_usable(layout, release.number):
        return False
    try:
        check_bundle(layout, release)
    except ReleaseError:
        return False
    return True


def _numbers(layout: Layout) -> list[int]:
    try:
        names = [path.name for path in layout.releases.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(int(name) for name in names if name.isascii() and name.isdigit())


def _next_number(layout: Layout) -> int:
    told = [event.get("release") for event in read_history(layout)]
    used = [*_numbers(layout), *(number for number in told if isinstance(number, int))]
    return max(used, default=0) + 1


def _write_release(layout: Layout, release: Release) -> None:
    folder = layout.release(release.number)
    beside = folder.with_name(f".{release.number}.new")
    told = {
        "schema": 1,
        "spec": release.spec.to_json(),
        "package": release.package,
        "installed": release.installed,
    }
    try:
        remove_tree(beside)
        make_folder(beside)
        os.link(layout.store / release.spec.bundle, beside / BUNDLE)
        os.symlink(Path("..", "..", "packages", release.package), beside / "package")
        write_atomically(beside / "run", _RUN.format(options=shlex.join(release.spec.run)))
        os.chmod(beside / "run", 0o755)
        write_atomically(beside / "release.json", json.dumps(told, indent=1) + "\n")
        sync_tree(beside)
        os.rename(beside, folder)
        sync_folder(layout.releases)
    except OSError as error:
        remove_tree(beside)
        raise storage_error(folder, error) from error
    except BaseException:
        remove_tree(beside)
        raise

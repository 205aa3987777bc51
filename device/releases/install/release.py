"""Releases: a bundle, an environment and the command line that runs them, under a number."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

from edgeinfer.device.core.camera_url import without_secrets
from edgeinfer.device.core.errors import EdgeinferError, ReleaseError, storage_error
from edgeinfer.device.core.files import sync_folder, write_atomically
from edgeinfer.device.releases.disk import make_folder, remove_tree, sync_tree
from edgeinfer.device.releases.history import note, now_text, read_history
from edgeinfer.device.releases.install import camera_file
from edgeinfer.device.releases.install.environment import (
    build_environment,
    environment_key,
    is_complete,
)
from edgeinfer.device.releases.install.run_program import write_run
from edgeinfer.device.releases.install.spec import ReleaseSpec, parse_spec
from edgeinfer.device.releases.install.store import file_sha256
from edgeinfer.device.releases.paths import Layout
from edgeinfer.device.releases.untrusted_json import parse_json

BUNDLE = "bundle.edgebundle"


@dataclass(frozen=True, kw_only=True)
class Release:
    """An installed release.

    Attributes:
        number: counts up; numbers are not used again.
        spec: what it consists of.
        package: its environment's key.
        installed: when, by the wall clock, for people.
        camera: what may be shown of the camera that is in a separate file; empty where the
            options name the camera.
    """

    number: int
    spec: ReleaseSpec
    package: str
    installed: str
    camera: str = ""

    def to_json(self) -> dict[str, object]:
        """Return what `state` reports of it."""
        return {
            "bundle": self.spec.bundle,
            "name": self.spec.name,
            "package": self.package,
            "run": list(self.spec.run),
            "camera": self.camera,
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
    known = _same(layout, spec, key)
    if known is not None:
        return known, False
    build_environment(layout, spec, key, lock)
    number = _next_number(layout)
    release = Release(
        number=number,
        spec=spec,
        package=key,
        installed=now_text(),
        camera=without_secrets(spec.camera_url),
    )
    _write_release(layout, release)
    note(layout, "installed", release=number, name=spec.name)
    return number, True


def find_release(layout: Layout, spec: ReleaseSpec) -> int | None:
    """Return the number of a whole release that is the same, its secret camera too; or None.

    Raises:
        ReleaseError: the Python that it is for does not run.
    """
    return _same(layout, spec, environment_key(layout, spec))


def move_cameras(layout: Layout) -> list[int]:
    """Take secret cameras out of the files of releases that an earlier agent installed.

    Such a release starts as it did at every instant: the camera's file is there before what reads
    it, and what all may read is rewritten last.

    Returns:
        The releases that were changed; a process that runs has its arguments until it ends.

    Raises:
        StorageError: the disk is full, or fails.
    """
    changed = []
    for number, release in read_releases(layout).items():
        folder = layout.release(number)
        camera_url = release.spec.camera_url
        try:
            record = parse_json((folder / "release.json").read_text())
            if record["spec"]["run"] == list(release.spec.run):
                continue
            if camera_url:
                camera_file.write_camera(folder, camera_url)
            write_run(folder, release.spec, knows_file=False)
            write_atomically(folder / "release.json", _release_text(release))
        except OSError as error:
            raise storage_error(folder, error) from error
        changed.append(number)
    return changed


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
        record = parse_json(path.read_text())
        spec = parse_spec(record["spec"])
        return Release(
            number=number,
            spec=spec,
            package=str(record["package"]),
            installed=str(record["installed"]),
            camera=without_secrets(spec.camera_url or str(record.get("camera", ""))),
        )
    except FileNotFoundError:
        have = ", ".join(map(str, _numbers(layout))) or "none"
        raise ReleaseError(
            f"release {number}", got="is not installed", expected=f"one of: {have}"
        ) from None
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ReleaseError(f"release {number}", got=f"is damaged ({error})") from error


def is_usable(layout: Layout, number: int | None) -> bool:
    """Return whether a release is complete: its description, bundle, command and environment."""
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
        and (bool(release.spec.camera_url) or not release.camera or _has_camera(folder))
        and is_complete(layout, release.package)
        and (folder / "package" / "bin").is_dir()
    )


def check_bundle(layout: Layout, release: Release) -> None:
    """Read the bundle again: memory cards lose data.

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


def _has_camera(folder: Path) -> bool:
    return (folder / camera_file.NAME).is_file()


def _same(layout: Layout, spec: ReleaseSpec, key: str) -> int | None:
    """Return the number of a release that can be taken for one, or None."""
    for number, release in read_releases(layout).items():
        camera_url = release.spec.camera_url or camera_file.read_camera(layout.release(number))
        same = replace(release.spec, camera_url=camera_url) == spec and release.package == key
        if same and _is_sound(layout, release):
            return number
    return None


def _is_sound(layout: Layout, release: Release) -> bool:
    """Return whether a release can be taken as it is; one with a damaged bundle is made again."""
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
    recorded = [event.get("release") for event in read_history(layout)]
    used = [*_numbers(layout), *(number for number in recorded if isinstance(number, int))]
    return max(used, default=0) + 1


def _write_release(layout: Layout, release: Release) -> None:
    folder = layout.release(release.number)
    temporary = folder.with_name(f".{release.number}.new")
    try:
        remove_tree(temporary)
        make_folder(temporary)
        os.link(layout.store / release.spec.bundle, temporary / BUNDLE)
        os.symlink(Path("..", "..", "packages", release.package), temporary / "package")
        if release.spec.camera_url:
            camera_file.write_camera(temporary, release.spec.camera_url)
        write_run(temporary, release.spec)
        write_atomically(temporary / "release.json", _release_text(release))
        sync_tree(temporary)
        os.rename(temporary, folder)
        sync_folder(layout.releases)
    except OSError as error:
        remove_tree(temporary)
        raise storage_error(folder, error) from error
    except BaseException:
        remove_tree(temporary)
        raise


def _release_text(release: Release) -> str:
    # The camera next to the description: an earlier agent ignores it.
    record = {
        "schema": 1,
        "spec": release.spec.to_json(),
        "package": release.package,
        "installed": release.installed,
        "camera": release.camera,
    }
    return json.dumps(record, indent=1) + "\n"

"""Making a board ready for releases, and making it as it was."""

from __future__ import annotations

import grp
import json
import os
import pwd
import shutil
from collections.abc import Sequence

from edgeinfer.device.core.errors import EdgeinferError, ReleaseError, storage_error
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.core.processes import run_to_end
from edgeinfer.device.releases.disk import make_folder, remove_tree
from edgeinfer.device.releases.install.release import move_cameras
from edgeinfer.device.releases.ownership import check_content, check_way
from edgeinfer.device.releases.paths import SERVICE, SETTLE, TRIAL, USER, Layout
from edgeinfer.device.releases.systemd.manager import Systemd
from edgeinfer.device.releases.systemd.units import unit_texts, write_units
from edgeinfer.device.releases.untrusted_json import parse_json

_ENABLED = (SERVICE, SETTLE)
_ANSWER_S = 60.0


def make_prefix(layout: Layout) -> None:
    """Make the prefix, where the lock is.

    Raises:
        ReleaseError: others than root may change it, or what is in it.
        StorageError: it cannot be made.
    """
    check_way(layout.prefix)
    try:
        layout.prefix.parent.mkdir(parents=True, exist_ok=True)
        make_folder(layout.prefix)
    except OSError as error:
        raise storage_error(layout.prefix, error) from error
    check_prefix(layout)


def check_prefix(layout: Layout) -> None:
    """Refuse a prefix that others than root may change; one that is not there is accepted.

    Raises:
        ReleaseError: they may.
        StorageError: it cannot be looked at.
    """
    check_way(layout.prefix)
    check_content(layout.prefix, but=layout.data)


def set_up(layout: Layout, manager: Systemd) -> list[str]:
    """Make the user, the folders and the units, under the lock; what is there is left.

    Returns:
        What was changed.

    Raises:
        ReleaseError: the user cannot be made, or systemd refuses.
        StorageError: the disk is full, or fails.
    """
    changed = []
    try:
        if not layout.setup.is_file():
            # Said before it is made: after a power cut `remove` still knows whose the user is.
            record = {"schema": 1, "creates_user": not _user_exists()}
            write_atomically(layout.setup, json.dumps(record) + "\n")
        if not _user_exists():
            _make_user(layout)
            changed.append(f"user {USER}")
        for folder in (layout.store, layout.packages, layout.releases):
            if make_folder(folder):
                changed.append(f"folder {folder}")
        if make_folder(layout.data, 0o750):
            changed.append(f"folder {layout.data}")
        user = pwd.getpwnam(USER)
        os.chown(layout.data, user.pw_uid, user.pw_gid, follow_symlinks=False)
        units = write_units(layout, unit_texts(layout))
    except OSError as error:
        raise storage_error(layout.prefix, error) from error
    moved = move_cameras(layout)
    changed += [f"the camera of release {number} is in a separate file" for number in moved]
    changed += units
    if units:
        manager.run("daemon-reload")
    for unit in _ENABLED:
        if not _is_enabled(manager, unit):
            manager.run("enable", unit)
            changed.append(f"{unit} enabled")
    # It is active from now on, so that the service's first start, in a trial, does not run it.
    manager.start(SETTLE)
    if layout.linked(layout.current) in moved:
        manager.restart(SERVICE)  # its arguments still hold the camera
    return changed


def remove_all(layout: Layout, manager: Systemd, *, keep_data: bool) -> list[str]:
    """Remove all that `set_up` and the releases made, under the lock.

    Args:
        layout: where.
        manager: ends the services.
        keep_data: leave the folder `data` and the user that it belongs to.

    Returns:
        What was removed.

    Raises:
        ReleaseError: systemd refuses, or the user cannot be removed.
        StorageError: the disk fails.
    """
    removed = []
    present = [unit for unit in (TRIAL, SERVICE, SETTLE) if (layout.units / unit).is_file()]
    for unit in present:
        manager.run("stop", unit)
        if unit in _ENABLED:
            manager.run("disable", unit)
        try:
            remove_tree(layout.units / unit)
        except OSError as error:
            raise storage_error(layout.units / unit, error) from error
        removed.append(unit)
    if present:
        manager.run("daemon-reload")
    ours = _made_user(layout)
    try:
        for folder in (layout.requests, layout.status.parent):
            remove_tree(folder)
        # The lock, the record and the agent go last: until then `remove` can be run again.
        last = [layout.setup, layout.agent, layout.lock]
        for path in sorted(layout.prefix.iterdir()):
            if path not in last and not (keep_data and path == layout.data) and remove_tree(path):
                removed.append(str(path))
        if ours and not keep_data and _user_exists():
            _remove_user()
            removed.append(f"user {USER}")
        if keep_data:
            last.remove(layout.setup)  # it says whose the user is, for the next time
        for path in last:
            remove_tree(path)
        if not keep_data:
            os.rmdir(layout.prefix)
            removed.append(str(layout.prefix))
    except OSError as error:
        raise storage_error(layout.prefix, error) from error
    return removed


def _made_user(layout: Layout) -> bool:
    try:
        record = parse_json(layout.setup.read_text())
        return record["creates_user"] is True
    except (OSError, ValueError, LookupError, TypeError):
        return False


def _is_enabled(manager: Systemd, unit: str) -> bool:
    try:
        return manager.run("is-enabled", unit).strip() == "enabled"
    except EdgeinferError:
        return False


def _user_exists() -> bool:
    try:
        pwd.getpwnam(USER)
    except KeyError:
        return False
    return True


def _group_exists() -> bool:
    try:
        grp.getgrnam(USER)
    except KeyError:
        return False
    return True


def _make_user(layout: Layout) -> None:
    group = ["--gid", USER] if _group_exists() else ["--user-group"]
    home = ["--no-create-home", "--home-dir", str(layout.data)]
    shell = next(
        (path for path in ("/usr/sbin/nologin", "/sbin/nologin") if os.path.exists(path)),
        "/bin/false",
    )
    _call(["useradd", "--system", *group, *home, "--shell", shell, USER])


def _remove_user() -> None:
    _call(["userdel", USER])
    if _group_exists():
        _call(["groupdel", USER])


def _call(command: Sequence[str]) -> None:
    # Not every root's PATH has the folders of these.
    path = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
    program = shutil.which(command[0], path=path)
    if program is None:
        raise ReleaseError(
            command[0], got="is not installed", next_step="install the package passwd"
        )
    try:
        environment = {"PATH": path, "LC_ALL": "C.UTF-8"}
        end = run_to_end([program, *command[1:]], limit_s=_ANSWER_S, env=environment).end
    except OSError as error:
        raise ReleaseError(command[0], got=f"does not run ({error})") from error
    if end.code != 0:
        raise ReleaseError(command[0], got=end.words or end.text)

"""Whether this user may use a device, the command that allows it, and who uses it already."""

from __future__ import annotations

import getpass
import grp
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from edgeinfer.device.diagnose.doctor.system import System, read_text


def may_use(node: Path) -> bool:
    """Return whether this user may read and write a device."""
    return os.access(node, os.R_OK | os.W_OK)


def access_fix(node: Path) -> str:
    """Return how this user gets access to a device that is there.

    A new membership in a group has no effect before the next login, which is often forgotten: a
    user who is a member already is asked to log in again.
    """
    try:
        status = node.stat()
        group = grp.getgrgid(status.st_gid)
    except (OSError, KeyError):
        return f"see who owns it with `ls -l {node}`"
    if group.gr_gid == 0 or status.st_mode & 0o060 != 0o060:
        return f"run `sudo chgrp plugdev {node} && sudo chmod g+rw {node}`, each time it appears"
    if user_name() in group.gr_mem and group.gr_gid not in os.getgroups():
        return f"log out and in again: {user_name()} was added to the group {group.gr_name}"
    return f"run `sudo usermod -aG {group.gr_name} $USER`, then log in again"


def user_name() -> str:
    """Return the user's name; empty for a user without a name, as in some containers."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def holders(system: System, node: Path) -> str:
    """Return the processes that have a device open; only root sees those of other users."""
    folders = {link.parent.parent for link in _links_to(system, node)}
    return ", ".join(
        f"{read_text(folder / 'comm')} (process {folder.name})" for folder in sorted(folders)
    )


def _links_to(system: System, node: Path) -> Iterator[Path]:
    for folder in system.glob("/proc/[0-9]*/fd"):
        try:
            links = list(folder.iterdir())
        except OSError:  # another user's, or it has ended
            continue
        for link in links:
            with suppress(OSError):  # closed in the meantime
                if os.readlink(link) == str(node):
                    yield link

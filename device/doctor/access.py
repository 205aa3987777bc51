"""Whether this user may use a device, and the command that changes it."""

from __future__ import annotations

import getpass
import grp
import os
from pathlib import Path


def may_use(node: Path) -> bool:
    """True where this user may read and write a device."""
    return os.access(node, os.R_OK | os.W_OK)


def access_fix(node: Path) -> str:
    """Return how this user gets access to a device that is there.

    Becoming a member of a group counts from the next login on, which is often forgotten: a user
    who is a member already is told that.
    """
    try:
        status = node.stat()
        group = grp.getgrgid(status.st_gid)
    except (OSError, KeyError):
        return f"look who owns it with `ls -l {node}`"
    if group.gr_gid == 0 or status.st_mode & 0o060 != 0o060:
        return f"run `sudo chgrp plugdev {node} && sudo chmod g+rw {node}`, each time it appears"
    if user_name() in group.gr_mem and group.gr_gid not in os.getgroups():
        return f"log out and in again: {user_name()} is in the group {group.gr_name} since then"
    return f"run `sudo usermod -aG {group.gr_name} $USER`, then log in again"


def user_name() -> str:
    """Return who runs this; empty for a user without a name, as in some containers."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""

"""The camera of a release that may hold a secret, in a file that the service's user alone reads."""

from __future__ import annotations

import os
import pwd
import tempfile
from contextlib import suppress
from pathlib import Path

from edgeinfer.device.core.files import sync_folder
from edgeinfer.device.releases.paths import USER

NAME = "camera-url"
_MOST_BYTES = 1 << 16


def write_camera(folder: Path, camera_url: str) -> None:
    """Write the file into a release's folder, which is root's: it appears whole or not at all.

    It belongs to the service's user, not to root and the user's group: people who are to read
    recordings join that group.

    Raises:
        OSError: it cannot be written.
    """
    handle, temporary = tempfile.mkstemp(prefix=f".{NAME}.", dir=folder)  # for this user alone
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(f"{camera_url}\n".encode())
            file.flush()
            os.fchmod(handle, 0o600)
            if os.geteuid() == 0:
                with suppress(KeyError):  # without a service there is no user to read it
                    user = pwd.getpwnam(USER)
                    os.fchown(handle, user.pw_uid, user.pw_gid)
            os.fsync(handle)
        os.replace(temporary, folder / NAME)
        sync_folder(folder)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)


def read_camera(folder: Path) -> str:
    """Return what the file of a release says; empty where there is none or it cannot be read."""
    try:
        with (folder / NAME).open("rb") as file:
            return file.read(_MOST_BYTES).decode(errors="replace").strip()
    except OSError:
        return ""

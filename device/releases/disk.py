"""What the disk has room for, and links and folders that survive a power cut.

Files are written by `device/core/files.py`, which brings the content to the disk before the name,
and the name before it returns.
"""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path

from edgeinfer.device.core.errors import StorageError
from edgeinfer.device.core.files import sync_folder

KEEP_FREE_BYTES = 64 << 20
"""Left free for logs and for what else the board does."""


def free_bytes(folder: Path) -> int:
    """Return how much may still be written to the disk of a folder, or where it would be made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def check_space(folder: Path, needed_bytes: int, *, subject: str) -> None:
    """Refuse what would fill the disk.

    Args:
        folder: where it will be written.
        needed_bytes: how much.
        subject: what it is.

    Raises:
        StorageError: less than `needed_bytes` and `KEEP_FREE_BYTES` are free.
    """
    free = free_bytes(folder)
    wanted = needed_bytes + KEEP_FREE_BYTES
    if free < wanted:
        raise StorageError(
            subject,
            got=f"{free / 1e6:,.0f} MB are free at {folder}",
            expected=f"{wanted / 1e6:,.0f} MB",
            next_step="free some space, or remove old releases with `releases.pyz collect`",
        )


def make_folder(folder: Path, mode: int = 0o755) -> bool:
    """Make a folder whose parent exists, and bring it to the disk; False when it was there."""
    try:
        os.mkdir(folder, mode)
    except FileExistsError:
        if not folder.is_dir():
            raise NotADirectoryError(
                errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)
            ) from None
        return False
    os.chmod(folder, mode)
    sync_folder(folder.parent)
    return True


def replace_link(link: Path, target: str) -> None:
    """Change where a symbolic link leads: at every instant it leads to the old or the new."""
    temporary = link.with_name(f".{link.name}.new")
    with suppress(FileNotFoundError):
        os.unlink(temporary)
    os.symlink(target, temporary)
    os.replace(temporary, link)
    sync_folder(link.parent)


def remove_file(path: Path) -> bool:
    """Remove a file or link for good; False when there was none."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    sync_folder(path.parent)
    return True


def remove_tree(path: Path) -> bool:
    """Remove a folder and all in it, or a file; False when there was none.

    A folder is first renamed to a name that nothing looks up, so that none is ever there in part.
    """
    if path.is_symlink() or path.is_file():
        return remove_file(path)
    if not path.exists():
        return False
    doomed = path
    if not path.name.startswith("."):
        doomed = path.with_name(f".{path.name}.old")
        shutil.rmtree(doomed, ignore_errors=True)
        os.rename(path, doomed)
        sync_folder(path.parent)
    shutil.rmtree(doomed)
    return True


def sync_tree(folder: Path) -> None:
    """Bring a small folder's files, and their names, to the disk."""
    for current, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(current, name)
            if not os.path.islink(path):
                descriptor = os.open(path, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
        sync_folder(Path(current))

"""Files reached folder by folder from a root, so that no link leads elsewhere."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_HARD_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


@contextmanager
def parent_of(root: Path, path: str, *, create: bool = False) -> Iterator[tuple[int, str]]:
    """Open the folder that a file is in, without following a link below `root`.

    Args:
        root: where to start.
        path: of the file, relative to it.
        create: make the folders that are absent.

    Yields:
        The folder's descriptor, and the file's name.

    Raises:
        OSError: a folder is absent, or a link.
    """
    *folders, name = PurePosixPath(path).parts
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for folder in folders:
            if create:
                try:
                    os.mkdir(folder, dir_fd=descriptor)
                    os.fsync(descriptor)
                except FileExistsError:
                    pass
            inner = os.open(folder, _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor, name
    finally:
        os.close(descriptor)


def state(folder: int, name: str) -> os.stat_result | None:
    """Return what there is of that name, not of what a link points to; None if nothing."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def digest(folder: int, name: str) -> str:
    """Return the SHA-256 of a regular file.

    Raises:
        OSError: it cannot be read, or is not a regular file.
    """
    descriptor = os.open(
        name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder
    )
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        found = hashlib.sha256()
        while piece := stream.read(1 << 20):
            found.update(piece)
        return found.hexdigest()


def carry(source: tuple[int, str], target: tuple[int, str]) -> None:
    """Move a file and never replace another; both folders are on the disk before it returns.

    Raises:
        FileExistsError: there is something of that name.
        OSError: it cannot be moved, such as to another file system.
    """
    try:
        # A rename would replace what is there; a link does not.
        os.link(
            source[1], target[1],
            src_dir_fd=source[0], dst_dir_fd=target[0], follow_symlinks=False,
        )  # fmt: skip
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        if state(*target) is not None:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target[1]) from None
        os.rename(source[1], target[1], src_dir_fd=source[0], dst_dir_fd=target[0])
    else:
        os.fsync(target[0])
        os.unlink(source[1], dir_fd=source[0])
    os.fsync(target[0])
    os.fsync(source[0])

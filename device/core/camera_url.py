"""Sources of a camera that hold secrets: URLs and pipelines, which name passwords and tokens.

They are kept in files that only their user may read, never go into a process's arguments, and are
shown without what may be secret. Standard library only: the agent on a board uses it too.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from edgeinfer.device.core.errors import CameraError, UsageError

GSTREAMER = "gst:"
CAMERA_OPTION = "--camera"
FILE_OPTION = "--camera-url-file"

_MOST_BYTES = 8192
_OTHERS = stat.S_IRWXO | stat.S_IWGRP


def is_private(source: str) -> bool:
    """True for a source that may hold a secret: a URL, of any kind, or a GStreamer pipeline."""
    return "://" in source or source.startswith(GSTREAMER)


def without_secrets(source: str) -> str:
    """Return a URL or a pipeline as it may be shown.

    A URL's name and password, query and fragment are hidden, and what follows an equals sign in
    its path; of a pipeline only the first element is shown. Passwords are often not escaped; so
    nothing before the last @ is shown.
    """
    if source.startswith(GSTREAMER):
        words = source[len(GSTREAMER) :].removesuffix(" ...").replace("!", " ").split()
        return f"{GSTREAMER}{without_secrets(words[0]) if words else ''} ..."
    scheme, separator, rest = source.partition("://")
    if not separator:
        return source
    _, at, rest = rest.rpartition("@")
    ends = [rest.index(mark) for mark in "?#" if mark in rest]
    place, hidden = rest[: min(ends, default=len(rest))], "?***" if ends else ""
    before, equals, _ = place.partition("=")
    if equals:
        place = before.rpartition("/")[0] + "/***"
    return f"{scheme}://{'***@' if at else ''}{place}{hidden}"


def read_camera_url(path: Path) -> str:
    """Return the camera that a file names: one line, a URL or `gst:PIPELINE`.

    Raises:
        CameraError: it cannot be read, others may read it, or it names no such camera. What is in
            the file is not shown.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not (stat.S_ISREG(status.st_mode) or stat.S_ISFIFO(status.st_mode)):
                raise _error(path, "is not a file")
            if status.st_mode & _OTHERS:
                raise _error(
                    path,
                    f"may be read or changed by others (mode {stat.S_IMODE(status.st_mode):04o})",
                    expected="a file for its user and at most a group's readers",
                    next_step=f"run: chmod 600 {path}",
                )
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise _error(path, f"cannot be read ({reason})") from error
    try:
        lines = content.decode().strip().splitlines()
    except UnicodeDecodeError:
        lines = []
    if len(content) > _MOST_BYTES or len(lines) != 1 or not lines[0].isprintable():
        raise _error(path, "does not hold one line of text")
    if not is_private(lines[0]):
        raise _error(path, "does not name a network camera", next_step="name others with --camera")
    return lines[0]


def take_camera(words: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Take a camera that may hold a secret out of the options of `edgeinfer run`.

    Args:
        words: the options, as the program takes them.

    Returns:
        The other options, and the camera; they are as they were, and it is empty, where the options
        name none that is private.
    """
    others: list[str] = []
    cameras: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        option, equals, value = word.partition("=")
        if option != CAMERA_OPTION:
            others.append(word)
        elif equals:
            cameras.append(value)
        # As the program reads it: without a value, the first camera is meant.
        elif index < len(words) and not (words[index].startswith("-") and len(words[index]) > 1):
            cameras.append(words[index])
            index += 1
        else:
            cameras.append("")
    if not any(map(is_private, cameras)):
        return tuple(words), ""
    last = cameras[-1]  # of several the program takes the last
    return (tuple(others), last) if is_private(last) else ((CAMERA_OPTION, last, *others), "")


def check_one_camera(camera: str | None, file: Path | None) -> None:
    """Refuse two cameras, one of them in a file.

    Raises:
        UsageError: both are named.
    """
    if camera is not None and file is not None:
        raise UsageError(
            FILE_OPTION, got=f"is used together with {CAMERA_OPTION}", expected="one of the two"
        )


def _error(path: Path, got: str, *, expected: str = "", next_step: str = "") -> CameraError:
    return CameraError(
        f"{FILE_OPTION} {path}",
        got=got,
        expected=expected or "one line, the camera's URL",
        next_step=next_step,
    )

"""What names a file, in calls from outside."""

from __future__ import annotations

import os
from typing import TypeAlias

from edgeinfer.device.core.errors import EdgeinferError

AnyPath: TypeAlias = str | os.PathLike[str]
"""A path of a file or a folder: text, or a `pathlib.Path` or similar object."""


def file_path(path: AnyPath, *, error: type[EdgeinferError], expected: str) -> str:
    """Return a path as text; callers without a type checker may give anything.

    Args:
        path: what was given.
        error: the kind of error for what is not a path.
        expected: what it says that a path is wanted of.

    Raises:
        EdgeinferError: of that kind: it is not a path, or an empty one.
    """
    given: object = os.fspath(path) if isinstance(path, os.PathLike) else path
    if isinstance(given, str) and given:
        return given
    if given in (None, ""):
        got = "is None" if given is None else "is empty"
    else:
        got = f"is of type {type(given).__name__}"
    raise error("path", got=got, expected=expected)

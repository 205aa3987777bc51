"""Where the files of the boards are: edgeinfer's own, and those that users add.

A user's board is a file `NAME.toml` in `$XDG_CONFIG_HOME/edgeinfer/boards`, by default
`~/.config/edgeinfer/boards`, or in the folder that `EDGEINFER_BOARDS` names.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from edgeinfer.boards.profile import BoardProfile, ProfileError, parse_profile
from edgeinfer.boards.schema import shown

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROFILES = Path(__file__).resolve().parent / "profiles"
"""The folder of the profiles that come with edgeinfer."""

FOLDER_VARIABLE = "EDGEINFER_BOARDS"

_OWN = ("title", "device_tree", "latencies", "note")
"""What a profile never takes from the one that it is based on."""

MOST_BYTES = 1 << 16
"""Of a profile's file; the longest of edgeinfer's own has a tenth of that."""

_MOST_DOTS = 200
"""The most in a line: the time of a TOML parser grows with the square of the parts of a key."""

_DEEPEST = 8
_FIRST_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)
_FAULT_CHARACTERS = 200


class _LineError(ValueError):
    """A line is one that no profile needs."""


def user_folders() -> tuple[Path, ...]:
    """Return the folders that users' boards may be in, whether or not they exist.

    Source: XDG Base Directory Specification 0.8: relative paths in the variable are ignored.
    """
    named = os.environ.get(FOLDER_VARIABLE, "")
    base = os.environ.get("XDG_CONFIG_HOME", "")
    folders = [Path(named)] if named else []
    if os.path.isabs(base):
        folders.append(Path(base) / "edgeinfer" / "boards")
    else:
        with suppress(RuntimeError):  # a system user may have no home
            folders.append(Path.home() / ".config" / "edgeinfer" / "boards")
    return tuple(dict.fromkeys(folders))


def profile_files(folder: Path | None = None) -> dict[str, Path]:
    """Return the file of each board by its name, in alphabetical order.

    Args:
        folder: look only there; None for edgeinfer's own and the users' folders.

    Raises:
        ProfileError: `EDGEINFER_BOARDS` names no folder, or two files have one name.
    """
    if folder is not None:
        return {path.stem: path for path in _files(folder)}
    found = {path.stem: path for path in _files(PROFILES)}
    named = os.environ.get(FOLDER_VARIABLE, "")
    if named and not os.path.isdir(named):
        raise ProfileError(
            f"{FOLDER_VARIABLE}={named}: no such folder, expected a folder with boards"
        )
    for user_folder in user_folders():
        for path in _files(user_folder):
            taken = found.setdefault(path.stem, path)
            if taken == path:
                continue
            owner = "a board of edgeinfer's own" if taken.parent == PROFILES else f"also {taken}"
            raise ProfileError(
                f"{path}: {path.stem!r} is {owner}, expected another name; rename the file "
                f'(`based_on = "{path.stem}"` in it takes over what it does not state)'
            )
    return dict(sorted(found.items()))


def added_files() -> dict[str, Path]:
    """Return the files of the boards that the user added, by name.

    Raises:
        ProfileError: as `profile_files`.
    """
    return {name: path for name, path in profile_files().items() if path.parent != PROFILES}


def _files(folder: Path) -> list[Path]:
    """Return the profiles in a folder; none of one that is not there or may not be read."""
    try:
        found = [path for path in folder.iterdir() if path.suffix == ".toml"]
    except OSError:
        return []
    return sorted(found, key=lambda path: path.stem)


def profile_names(folder: Path | None = None) -> tuple[str, ...]:
    """Return the names of all boards, in alphabetical order.

    Raises:
        ProfileError: two files have one name.
    """
    return tuple(profile_files(folder))


def load_profile(name: str, folder: Path | None = None) -> BoardProfile:
    """Read a profile.

    Args:
        name: the file's name without `.toml`.
        folder: look only there; None for edgeinfer's own and the users' folders.

    Raises:
        ProfileError: it is absent, is not TOML, has a key that is not known, has no key that is
            needed, or states an impossible value.
    """
    files = profile_files(folder)
    path = files.get(name, (folder or PROFILES) / f"{name}.toml")
    content = read_document(path)
    try:
        return parse_profile(name, _with_base(name, content, files))
    except ProfileError:
        raise
    except ValueError as error:
        raise ProfileError(f"{path}: {error}") from error


def read_document(path: Path) -> dict[str, Any]:
    """Read a profile's file as it is, without what it is based on.

    Raises:
        ProfileError: it cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(_read_text(path))
    except RecursionError as error:
        raise ProfileError(f"{path}: is nested too deeply, expected a profile") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, _LineError) as error:
        reason = str(error)[:_FAULT_CHARACTERS]
        raise ProfileError(f"{path}: cannot be read ({reason}), expected a profile") from error
    except ValueError as error:  # Python reads no number of thousands of digits
        reason = "it has a number with too many digits"
        raise ProfileError(f"{path}: cannot be read ({reason}), expected a profile") from error


def read_head(path: Path) -> dict[str, Any]:
    """Read what comes before a profile's first table: all of its plain keys, by TOML's rules.

    A board is recognised at every start, and most of a file are the tables of its systems.

    Raises:
        ProfileError: it cannot be read, or is not TOML.
    """
    try:
        text = _read_text(path)
        return tomllib.loads(_FIRST_TABLE.split(text, maxsplit=1)[0])
    except (OSError, ValueError, RecursionError):
        # A bracket within a text or a list of several lines, or an error that is reported there.
        return read_document(path)


def _read_text(path: Path) -> str:
    """Read a file of a bounded size, without waiting for what is not a file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("it is not a regular file")
        content = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise OSError(f"it has more than {MOST_BYTES:,} bytes")
    # As a text file is read: TOML's parsers take no carriage return alone.
    text = content.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") > _MOST_DOTS:
            raise _LineError(f"line {number} has more than {_MOST_DOTS} dots")
    return text


def _with_base(name: str, content: Mapping[str, Any], files: Mapping[str, Path]) -> dict[str, Any]:
    """Return the document with what its bases state and it does not."""
    whole = dict(content)
    seen = [name]
    base = whole.get("based_on", "")
    while base:
        if not isinstance(base, str) or base not in files:
            raise ValueError(
                f"based_on is {shown(base)}, expected the name of a board: {list(files)}"
            )
        if base in seen or len(seen) > _DEEPEST:
            raise ValueError(f"based_on forms a circle: {', '.join([*seen, base])}")
        seen.append(base)
        document = read_document(files[base])
        kept = {key: item for key, item in document.items() if key not in _OWN}
        whole = kept | whole
        base = document.get("based_on", "")
    return whole

"""Which board this is."""

from __future__ import annotations

import platform
from pathlib import Path

from edgeinfer.boards.files import load_profile, profile_files, read_head
from edgeinfer.boards.profile import BoardProfile
from edgeinfer.boards.threads import DEVICE_TREE_MODEL

_GENERIC = {
    "x86_64": "generic-x86-64",
    "amd64": "generic-x86-64",
    "aarch64": "generic-aarch64",
    "arm64": "generic-aarch64",
    "armv7l": "generic-armv7l",
    "armv8l": "generic-armv7l",
}
"""Profiles by `platform.machine()`; armv8l is a 64-bit core in 32-bit mode."""


def detect_board(root: Path = Path("/")) -> BoardProfile:
    """Return the profile of the board that this runs on.

    Args:
        root: the file system's root.

    Returns:
        The profile with the longest text that the device tree's model begins with, since one
        board's name may begin with another's; without one, the generic profile of the machine's
        architecture; of an architecture without one, a profile that says nothing but its name.
    """
    model = _model(root)
    found: tuple[int, str] | None = None
    for name, path in profile_files().items() if model else ():
        # The file alone: what a board is based on never lends it a device tree.
        texts = read_head(path).get("device_tree", [])
        length = max((len(t) for t in texts if model.startswith(t)), default=0)
        if length and (found is None or length > found[0]):
            found = (length, name)
    if found is not None:
        return load_profile(found[1])
    machine = platform.machine()
    generic = _GENERIC.get(machine)
    if generic is None:
        return BoardProfile(
            name="generic", title="a machine without a profile", architecture=machine or "unknown"
        )
    return load_profile(generic)


def _model(root: Path) -> str:
    """Return the device tree's model, empty where there is none; the file ends in a zero byte."""
    try:
        content = (root / DEVICE_TREE_MODEL).read_bytes()
    except OSError:
        return ""
    return content.rstrip(b"\0\n").decode(errors="replace")

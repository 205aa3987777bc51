"""What each board is: one profile a board, and how to tell which one this is.

The names below are imported when they are first asked for: the camera loop needs none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeinfer.boards.detect import detect_board
    from edgeinfer.boards.files import load_profile, profile_names
    from edgeinfer.boards.profile import BoardProfile, Latency, ProfileError, find_system
    from edgeinfer.boards.systems import System

__all__ = [
    "BoardProfile",
    "Latency",
    "ProfileError",
    "System",
    "detect_board",
    "find_system",
    "load_profile",
    "profile_names",
]

_HOMES = {
    "detect": ("detect_board",),
    "files": ("load_profile", "profile_names"),
    "profile": ("BoardProfile", "Latency", "ProfileError", "find_system"),
    "systems": ("System",),
}


if not TYPE_CHECKING:  # a checker would take any name for one that is here

    def __getattr__(name: str) -> object:
        """Import a public name from its module (PEP 562)."""
        for module, names in _HOMES.items():
            if name in names:
                return getattr(import_module(f"{__name__}.{module}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""How many interpreter threads suit the board that this runs on."""

from __future__ import annotations

import os
from pathlib import Path

DEVICE_TREE_MODEL = "proc/device-tree/model"
"""Where Linux tells the board's name, on boards that are described by a device tree."""


def thread_rule(cores: int = 0) -> int:
    """Return the threads for so many cores, 1 or more; 0 for those that the system has.

    One core is left to capture and preprocessing. Not measured on the boards: `edgeinfer benchmark`
    compares other numbers on the machine where it runs.
    """
    return max(1, (cores or os.cpu_count() or 1) - 1)


def threads_here(root: Path = Path("/")) -> int:
    """Return the threads that suit this machine, 1 or more.

    Where no device tree names a board the rule alone decides, as the generic profiles say; then
    none is read, for which every start would wait.

    Args:
        root: the file system's root.

    Raises:
        ProfileError: the board's profile cannot be used.
    """
    if not (root / DEVICE_TREE_MODEL).exists():
        return thread_rule()
    from edgeinfer.boards.detect import detect_board

    return detect_board(root).thread_count()

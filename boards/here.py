"""What suits the machine that this runs on."""

from __future__ import annotations

from pathlib import Path

from edgeinfer.boards.threads import DEVICE_TREE_MODEL, thread_rule


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

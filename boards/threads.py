"""How many interpreter threads suit a board."""

from __future__ import annotations

import os

DEVICE_TREE_MODEL = "proc/device-tree/model"
"""Where Linux tells the board's name, on boards that are described by a device tree."""


def thread_rule(cores: int = 0) -> int:
    """Return the threads for this many cores, 1 or more; 0 for the cores that the system has.

    One core is left to capture and preprocessing. Not measured on the boards: `edgeinfer benchmark`
    compares other numbers on the machine where it runs.
    """
    return max(1, (cores or os.cpu_count() or 1) - 1)

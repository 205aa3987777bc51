"""Where each class of one model is among those of another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgeinfer.device.core.errors import UsageError

_SHOWN = 5


def label_order(run: Path, theirs: Sequence[str], ours: Sequence[str]) -> list[int]:
    """Return the position of each of a student's classes among its teacher's.

    Args:
        run: the teacher's run, for errors.
        theirs: the teacher's labels.
        ours: the student's labels.

    Raises:
        UsageError: they do not know the same classes.
    """
    if set(theirs) != set(ours):
        raise UsageError(
            run,
            got=f"the teacher knows {_listing(theirs)}",
            expected=f"the classes of the data, {_listing(ours)}",
            next_step="train a teacher on this data with `edgeinfer train`",
        )
    return [theirs.index(label) for label in ours]


def _listing(labels: Sequence[str]) -> str:
    shown = ", ".join(sorted(labels)[:_SHOWN])
    return shown if len(labels) <= _SHOWN else f"{shown}, ... ({len(labels)} classes)"

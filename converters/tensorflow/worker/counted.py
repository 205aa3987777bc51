"""A job's progress as part of a step that counts on."""

from __future__ import annotations

from edgeinfer.converters.common.progress import Progress


class Counted:
    """A `Reporter` that adds up what all pieces of work have done.

    Args:
        progress: told how many steps are done, and of how many.
        total: how many there are in all.
    """

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total = progress, total
        self._done = 0

    def start(self, title: str, total: int) -> None:
        """Go on counting."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Count steps."""
        self._done += steps
        self._progress(self._done, self._total)

    def say(self, line: str) -> None:
        """Tell nobody."""

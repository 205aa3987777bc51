"""A task of another package that boards can read, and that nothing compares."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from edgeinfer.device.tasks.guess import Guess, Shown
from edgeinfer.device.tasks.value.task import ValueTask


class TallyTask(ValueTask):
    """Reads a value under another name."""

    name: ClassVar[str] = "tally"
    first_schema: ClassVar[int] = 2

    def guess(self, shown: Shown) -> Guess | None:
        found = super().guess(shown)
        return None if found is None else replace(found, task=self.name)


TASK = TallyTask()
ENTRY_POINTS = f"[edgeinfer.tasks]\n{TASK.name} = {__name__}:TASK\n"

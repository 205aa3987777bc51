"""A task of another package that boards can read, and that nothing compares."""

from __future__ import annotations

from typing import ClassVar

from edgeinfer.device.tasks.value.task import ValueTask


class TallyTask(ValueTask):
    """Reads a value under another name."""

    name: ClassVar[str] = "tally"
    first_schema: ClassVar[int] = 2


TASK = TallyTask()
ENTRY_POINTS = f"[edgeinfer.tasks]\n{TASK.name} = {__name__}:TASK\n"

"""What a network is to learn: a task, and the description of its outputs."""

from __future__ import annotations

from dataclasses import dataclass

from edgeinfer.device.tasks.task import Said
from edgeinfer.host.tasks.task import Floats, Rows, TaughtTask


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """A task and the description of one model's outputs, which batches need.

    Attributes:
        task: how it is trained.
        said: the description of the outputs.
    """

    task: TaughtTask
    said: Said

    @property
    def numbers(self) -> int:
        """The number of values in the network's output."""
        return self.task.numbers(self.said)

    def targets(self, rows: Rows) -> Floats:
        """Return the values to compare the output with in the loss."""
        return self.task.targets(rows, self.said)

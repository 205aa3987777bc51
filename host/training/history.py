"""The history of a run, on disk after every epoch: `history.csv` and `history.json`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Protocol

from edgeinfer.device.core.files import write_atomically
from edgeinfer.host.tasks.shown_score import ShownScore

CSV_FILE = "history.csv"
JSON_FILE = "history.json"


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """The figures of one epoch; accuracies are the task's own score, from 0 to 1.

    Attributes:
        stage: `train`, or `head` and `fine-tune` in transfer learning.
        epoch: from 1 within the stage.
        loss: mean over the augmented training samples.
        accuracy: mean over the augmented training samples.
        val_loss: mean over the validation samples.
        val_accuracy: mean over the validation samples.
        learning_rate: at the epoch's last step.
        seconds: wall time, with validation.
    """

    stage: str
    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float

    def line(self, score: ShownScore) -> str:
        """Return a line for people, who read the accuracies as `score` says."""
        return (
            f"{self.stage} epoch {self.epoch}: loss {self.loss:.4f}, "
            f"{score.words(self.accuracy)}, validation loss {self.val_loss:.4f}, "
            f"{score.words(self.val_accuracy)} ({self.seconds:.1f} s)"
        )


class Logs(Protocol):
    """Also gets the figures of a training while it runs."""

    def step(self, loss: float) -> None:
        """Take the mean loss of an epoch so far, after a step."""

    def epoch(self, epoch: Epoch) -> None:
        """Take an epoch that has ended."""


class History:
    """All epochs of a run so far.

    Args:
        folder: where to write the two files, at first without epochs; None keeps them in memory.
        logs: gets the same figures; None for none.

    Raises:
        StorageError: the files cannot be written.
    """

    def __init__(self, folder: Path | None = None, logs: Logs | None = None) -> None:
        self._folder, self._logs = folder, logs
        self.epochs: list[Epoch] = []
        self._write()

    def add(self, epoch: Epoch) -> None:
        """Append an epoch and rewrite both files.

        Raises:
            StorageError: they cannot be written.
        """
        self.epochs.append(epoch)
        self._write()
        if self._logs is not None:
            self._logs.epoch(epoch)

    def step(self, loss: float) -> None:
        """Report a step's loss to the logs, if there are any.

        Raises:
            StorageError: they cannot be written.
        """
        if self._logs is not None:
            self._logs.step(loss)

    def read(self, folder: Path) -> None:
        """Append the epochs of a run, as far as it has them."""
        with suppress(OSError, ValueError, TypeError):
            rows = json.loads((folder / JSON_FILE).read_text())
            self.extend([Epoch(**row) for row in rows])

    def extend(self, epochs: Iterable[Epoch]) -> None:
        """Append the epochs of a training that was stopped, and rewrite both files.

        Raises:
            StorageError: they cannot be written.
        """
        earlier = list(epochs)
        self.epochs.extend(earlier)
        self._write()
        if self._logs is not None:
            # Each start has its own folder of logs, which so holds the whole training.
            for epoch in earlier:
                self._logs.epoch(epoch)

    def _write(self) -> None:
        if self._folder is None:
            return
        table = io.StringIO(newline="")
        writer = csv.DictWriter(table, [field.name for field in fields(Epoch)], lineterminator="\n")
        writer.writeheader()
        rows = [asdict(entry) for entry in self.epochs]
        writer.writerows(rows)
        write_atomically(self._folder / CSV_FILE, table.getvalue())
        write_atomically(self._folder / JSON_FILE, json.dumps(rows, indent=1) + "\n")

"""The history of a run, on disk after every epoch: `history.csv` and `history.json`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from edgeinfer.device.core.files import write_atomically

CSV_FILE = "history.csv"
JSON_FILE = "history.json"


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """The figures of one epoch; accuracies are shares from 0 to 1.

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

    def line(self) -> str:
        """Return a line for people."""
        return (
            f"{self.stage} epoch {self.epoch}: loss {self.loss:.4f}, "
            f"accuracy {100 * self.accuracy:.2f} %, validation loss {self.val_loss:.4f}, "
            f"accuracy {100 * self.val_accuracy:.2f} % ({self.seconds:.1f} s)"
        )


class History:
    """All epochs of a run so far.

    Args:
        folder: where to write the two files, at first without epochs; None keeps them in memory.

    Raises:
        StorageError: the files cannot be written.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self.epochs: list[Epoch] = []
        self._write()

    def add(self, epoch: Epoch) -> None:
        """Append an epoch and rewrite both files.

        Raises:
            StorageError: they cannot be written.
        """
        self.epochs.append(epoch)
        self._write()

    def extend(self, epochs: Iterable[Epoch]) -> None:
        """Append the epochs of a training that was stopped, and rewrite both files.

        Raises:
            StorageError: they cannot be written.
        """
        self.epochs.extend(epochs)
        self._write()

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

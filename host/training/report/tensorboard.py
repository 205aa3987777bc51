"""The figures of a training as logs for TensorBoard, written by its own library."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from edgeinfer.device.core.errors import MissingExtraError, storage_error
from edgeinfer.device.core.installation.advice import add_extra
from edgeinfer.host.training.history import Epoch

_MOST_TRAININGS = 10_000
_EVERY_STEPS = 10


def check_tensorboard(option: str) -> None:
    """Check quickly whether TensorBoard's library is installed: nothing is imported.

    Args:
        option: what needs it, for the error.

    Raises:
        MissingExtraError: it is not.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise MissingExtraError(
            option,
            got="needs tensorboard, not installed here",
            next_step=add_extra("tensorboard"),
        )


class TensorBoardLogs:
    """Writes each epoch's figures, and the loss of every tenth step, while a training runs.

    Args:
        folder: where the logs of all trainings are; this one gets its own folder there.
        name: the training's name.

    Attributes:
        folder: the training's own folder.

    Raises:
        MissingExtraError: TensorBoard's library is not installed.
        StorageError: the folder cannot be written.
    """

    def __init__(self, folder: Path, name: str) -> None:
        check_tensorboard("TensorBoard's logs")
        from tensorboard.summary import Writer

        self.folder = _new_folder(folder, name)
        try:
            self._writer: Any = Writer(str(self.folder))
        except OSError as error:
            raise storage_error(self.folder, error) from error
        self._steps = self._epochs = 0

    def step(self, loss: float) -> None:
        """Count a step, and write the mean loss of its epoch so far."""
        self._steps += 1
        if self._steps % _EVERY_STEPS == 0:
            self._write("step/loss", loss, self._steps)

    def epoch(self, epoch: Epoch) -> None:
        """Write an epoch's figures; the stages count on."""
        self._epochs += 1
        figures = {
            "loss/train": epoch.loss,
            "loss/validation": epoch.val_loss,
            "accuracy/train": epoch.accuracy,
            "accuracy/validation": epoch.val_accuracy,
            "learning rate": epoch.learning_rate,
            "seconds": epoch.seconds,
        }
        for name, figure in figures.items():
            self._write(f"epoch/{name}", figure, self._epochs)
        try:
            self._writer.flush()
        except OSError as error:
            raise storage_error(self.folder, error) from error

    def close(self) -> None:
        """Finish the logs."""
        try:
            self._writer.close()
        except OSError as error:
            raise storage_error(self.folder, error) from error

    def _write(self, name: str, value: float, step: int) -> None:
        self._writer.add_scalar(name, float(value), step=step)


def _new_folder(folder: Path, name: str) -> Path:
    """Make a folder that no other training has: its name, or with a number."""
    try:
        for number in range(1, _MOST_TRAININGS):
            place = folder / (name if number == 1 else f"{name}-{number}")
            if not place.exists():
                place.mkdir(parents=True)
                return place
    except OSError as error:
        raise storage_error(folder, error) from error
    raise storage_error(folder, FileExistsError())

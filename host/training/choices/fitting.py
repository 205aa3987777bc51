"""Whether a training's settings fit its task."""

from __future__ import annotations

from edgeinfer.device.core.errors import UsageError
from edgeinfer.host.tasks.lesson import Lesson
from edgeinfer.host.training.config import TrainConfig
from edgeinfer.host.training.data.choose_augmentation import MOSAIC


def require_fitting(config: TrainConfig, lesson: Lesson) -> None:
    """Refuse settings that the task would not obey.

    Raises:
        UsageError: names the option.
    """
    task = lesson.task
    task.check_loss(config.loss_settings, lesson.said)
    task.check_size(config.size)
    if config.dropout and not task.drops_features:
        raise UsageError(
            "--dropout", got=f"given for the task '{task.name}'", next_step="leave it out"
        )
    if config.augment == MOSAIC and not task.makes_mosaics:
        raise UsageError(
            "--augment",
            got=f"{MOSAIC} for the task '{task.name}'",
            expected="detection or points, where things have places",
            next_step="leave it out",
        )
    if task.in_two_stages:
        return
    given = {"--fine-tune-epochs": config.fine_tune_epochs, "--folds": config.folds != "none"}
    for option, value in given.items():
        if value:
            raise UsageError(
                option,
                got=f"given for the task '{task.name}', which is trained in one stage",
                next_step="leave it out, or see --epochs",
            )

"""Checks the options of `edgeinfer train`: each is obeyed, or refused before any work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeinfer.device.core.errors import UsageError

if TYPE_CHECKING:
    from edgeinfer.host.training.config import TrainConfig

IMAGENET = "imagenet"


def make_config(
    architecture: str,
    settings: dict[str, Any],
    *,
    weights: str | None,
    grey_28: bool,
    task: str = "classification",
) -> TrainConfig:
    """Return the settings of a training, checked as far as possible without the data.

    Args:
        architecture: the network's name.
        settings: fields of `TrainConfig` from the options; None if an option is not given.
        weights: a file, or `imagenet` for the weights that are installed or downloaded.
        grey_28: the data are small grey pictures.
        task: what is to be learned; its defaults count.

    Raises:
        UsageError: options contradict each other, or would have no effect.
        ModelError: the file of weights does not exist.
        MissingExtraError: the weights' package is not installed.
    """
    from edgeinfer.host.models import check_model
    from edgeinfer.host.training.config import default_config

    settings = {**settings, "weights": None if weights in (None, IMAGENET) else Path(str(weights))}
    if weights == IMAGENET:
        if settings["initializer"] not in (None, "pretrained"):
            raise UsageError(
                "--weights",
                got=f"is {IMAGENET}, together with --init {settings['initializer']}",
                expected="--init pretrained",
            )
        settings["initializer"] = "pretrained"
    if grey_28 and not _is_pretrained(architecture, settings["initializer"]):
        settings["size"] = settings["size"] or (28, 28)
        settings["channels"] = settings["channels"] or "grey"
    config = default_config(architecture, task=task, **settings)
    check_model(
        config.architecture,
        size=config.size,
        initializer=config.initializer,
        width=config.width,
        weights=config.weights,
    )
    _refuse_idle(settings, config, task)
    return config


def _is_pretrained(architecture: str, initializer: str | None) -> bool:
    from edgeinfer.host.models import ARCHITECTURES

    if initializer is not None or architecture not in ARCHITECTURES:
        return initializer == "pretrained"
    return ARCHITECTURES[architecture].pretrained


def _refuse_idle(settings: dict[str, Any], config: TrainConfig, task: str) -> None:
    """Refuse options of transfer learning's stages where there is no such stage."""
    from edgeinfer.host.tasks.registry import find_taught

    if settings.get("folds") == "auto" and not config.pretrained:
        raise UsageError(
            "--folds",
            got=f"is given with --init {config.initializer}, which trains in one stage",
            expected="pretrained weights with it",
        )
    given = [name for name in settings if name.startswith("fine_tune") and settings[name]]
    if given and not config.pretrained:
        raise UsageError(
            _option(given[0]),
            got=f"is given with --init {config.initializer}, which trains in one stage",
            expected="pretrained weights with it",
        )
    if given and not find_taught(task).in_two_stages:
        # Which layers are trained is a choice in one stage, too.
        idle = [name for name in given if name != "fine_tune"]
        if idle:
            raise UsageError(
                _option(idle[0]),
                got=f"is given for the task '{task}', which is trained in one stage",
                expected="--epochs and --learning-rate, which are of this stage",
            )
        return
    if given and config.fine_tune_epochs == 0:
        raise UsageError(
            _option(given[0]),
            got="is given with --fine-tune-epochs 0, which leaves the second stage out",
            expected="one of the two",
        )


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")

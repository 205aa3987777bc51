"""What `edgeinfer train` makes of its options: each is obeyed, or refused before any work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeinfer.device.core.errors import UsageError

if TYPE_CHECKING:
    from edgeinfer.host.training.config import TrainConfig

IMAGENET = "imagenet"


def make_config(
    architecture: str, settings: dict[str, Any], *, weights: str | None, grey_28: bool
) -> TrainConfig:
    """Return the settings of a training, checked as far as they can be without the data.

    Args:
        architecture: the network's name.
        settings: fields of `TrainConfig` as options give them; None where they do not.
        weights: a file, or `imagenet` for the weights that are installed or downloaded.
        grey_28: the data are small grey pictures.

    Raises:
        UsageError: options do not go together, or would be without effect.
        ModelError: there is no such file of weights.
        MissingExtraError: the weights' package is not installed.
    """
    from edgeinfer.host.models import check_model
    from edgeinfer.host.training.config import default_config

    settings = {**settings, "weights": None if weights in (None, IMAGENET) else Path(str(weights))}
    if weights == IMAGENET:
        if settings["initializer"] not in (None, "pretrained"):
            raise UsageError(
                "--weights",
                got=f"{IMAGENET}, given for --init {settings['initializer']}",
                expected="--init pretrained",
            )
        settings["initializer"] = "pretrained"
    if grey_28 and not _is_pretrained(architecture, settings["initializer"]):
        settings["size"] = settings["size"] or (28, 28)
        settings["channels"] = settings["channels"] or "grey"
    config = default_config(architecture, **settings)
    check_model(
        config.architecture,
        size=config.size,
        initializer=config.initializer,
        width=config.width,
        weights=config.weights,
    )
    _refuse_idle(settings, config)
    return config


def _is_pretrained(architecture: str, initializer: str | None) -> bool:
    from edgeinfer.host.models import ARCHITECTURES

    if initializer is not None or architecture not in ARCHITECTURES:
        return initializer == "pretrained"
    return ARCHITECTURES[architecture].pretrained


def _refuse_idle(settings: dict[str, Any], config: TrainConfig) -> None:
    """Refuse options of a second stage where there is none."""
    given = [name for name in settings if name.startswith("fine_tune") and settings[name]]
    if given and not config.pretrained:
        raise UsageError(
            _option(given[0]),
            got=f"given for --init {config.initializer}, which trains in one stage",
            expected="pretrained weights with it",
        )
    if given and not config.fine_tune_epochs:
        raise UsageError(
            _option(given[0]),
            got="given with --fine-tune-epochs 0, which leaves the second stage out",
            expected="one of the two",
        )


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")

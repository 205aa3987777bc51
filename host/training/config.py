"""TrainConfig: every setting of a training run, checked when it is made."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.preprocess.spec import Channels, CropPolicy
from edgeinfer.host.models import Initializer, architecture
from edgeinfer.host.tasks.loss_settings import LossSettings

Loss = Literal["crossentropy", "focal"]
ClassWeights = Literal["none", "balanced"]
Optimizer = Literal["sgd", "adam", "adamw", "rmsprop"]
Schedule = Literal["constant", "cosine", "step", "plateau"]
FineTune = Literal["upper", "whole"]
Augmentation = Literal["auto", "none", "flip", "photos", "small-grey"]

_CHOICES: dict[str, Any] = {
    "channels": Channels,
    "crop": CropPolicy,
    "initializer": Initializer,
    "loss": Loss,
    "class_weights": ClassWeights,
    "optimizer": Optimizer,
    "schedule": Schedule,
    "fine_tune": FineTune,
    "augment": Augmentation,
}


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Settings of one run; `default_config` fills in the defaults of an architecture.

    Examples:
        >>> config = edgeinfer.train_config("small-cnn", size=(96, 96), epochs=30)
        >>> edgeinfer.train("photos", "runs/photos", config)

    Attributes:
        architecture: a name in `edgeinfer.host.models.ARCHITECTURES`.
        size: (width, height) of the input in pixels.
        channels: `grey` has one, `rgb` and `bgr` three.
        crop: what happens to photographs of another aspect ratio.
        width: scales the channels of the scratch architectures.
        initializer: of the weights; `pretrained` trains in two stages, see `transfer.py`.
        weights: file of pretrained weights instead of the installed or downloaded ones.
        loss: `focal` gives easy samples less weight (Lin et al. 2017).
        label_smoothing: share of the target spread evenly over all classes, 0 to below 1.
        focal_gamma: exponent of the focal loss.
        class_weights: `balanced` weighs each class by the inverse of its frequency.
        optimizer: how weights follow gradients.
        learning_rate: at its peak.
        momentum: of `sgd`.
        weight_decay: decoupled weight decay of every optimizer.
        schedule: how the learning rate changes, see `schedules.py`.
        warmup_epochs: the learning rate rises linearly over these first epochs.
        epochs: at most this many, of training from scratch or of the head stage.
        patience: stop after this many epochs without a better validation loss.
        batch_size: samples per step.
        dropout: share of the features that each training step leaves out, 0 to below 1.
        augment: of the training pictures; `auto` chooses by the channels.
        seed: of weights, order and augmentation.
        fine_tune_epochs: at most this many epochs of the second stage; 0 skips it.
        fine_tune_learning_rate: at its peak, in the second stage.
        fine_tune: `upper` trains the upper blocks on activations cached below them; `whole`
            trains all of the backbone on augmented pictures, which takes several times as long.
    """

    architecture: str
    size: tuple[int, int]
    channels: Channels = "rgb"
    crop: CropPolicy = "stretch"
    width: float = 1.0
    initializer: Initializer = "he"
    weights: Path | None = None
    loss: Loss = "crossentropy"
    label_smoothing: float = 0.1
    focal_gamma: float = 2.0
    class_weights: ClassWeights = "none"
    optimizer: Optimizer = "adamw"
    learning_rate: float = 2e-3
    momentum: float = 0.9
    weight_decay: float = 1e-4
    schedule: Schedule = "cosine"
    warmup_epochs: float = 1.0
    epochs: int = 40
    patience: int = 8
    batch_size: int = 64
    dropout: float = 0.0
    augment: Augmentation = "auto"
    seed: int = 0
    fine_tune_epochs: int = 0
    fine_tune_learning_rate: float = 1e-4
    fine_tune: FineTune = "whole"

    def __post_init__(self) -> None:
        """Refuse impossible values.

        Raises:
            UsageError: names the setting.
        """
        for name, literal in _CHOICES.items():
            allowed = get_args(literal)
            got = getattr(self, name)
            if got not in allowed:
                raise _wrong(name, got, "one of " + ", ".join(allowed))
        for name in ("learning_rate", "fine_tune_learning_rate", "width"):
            _check_range(name, getattr(self, name), above=0.0, to=10.0)
        for name in ("weight_decay", "warmup_epochs", "focal_gamma"):
            _check_range(name, getattr(self, name), to=1000.0)
        for name in ("label_smoothing", "momentum", "dropout"):
            _check_range(name, getattr(self, name), to=0.999)
        for name in ("epochs", "patience", "batch_size"):
            _check_range(name, getattr(self, name), above=0, to=1_000_000)
        for name in ("seed", "fine_tune_epochs"):
            _check_range(name, getattr(self, name), to=2**32 - 1)
        if min(self.size) < 8 or max(self.size) > 1024:
            raise _wrong("size", f"{self.size[0]}x{self.size[1]}", "8 to 1024 pixels a side")
        architecture(self.architecture)

    @property
    def pretrained(self) -> bool:
        """Whether training starts from ImageNet weights."""
        return self.initializer == "pretrained"

    @property
    def loss_settings(self) -> LossSettings:
        """The task's settings for its loss."""
        return LossSettings(
            name=self.loss, focal_gamma=self.focal_gamma, label_smoothing=self.label_smoothing
        )

    def settings(self) -> dict[str, str]:
        """Return all settings as text, for the provenance."""
        return {field.name: str(getattr(self, field.name)) for field in fields(self)}


def default_config(name: str, **overrides: Any) -> TrainConfig:
    """Return the default settings for an architecture, with overrides.

    Examples:
        >>> default_config("small-cnn", epochs=5).learning_rate
        0.002

    Args:
        name: the architecture.
        overrides: fields of `TrainConfig`; None stands for the default.

    Raises:
        UsageError: there is no such architecture, or a value is impossible.
    """
    info = architecture(name)
    given = {key: value for key, value in overrides.items() if value is not None}
    settings: dict[str, Any] = {"architecture": name, "size": (info.size, info.size)}
    initializer = given.get("initializer", "pretrained" if info.pretrained else "he")
    settings["initializer"] = initializer
    if initializer == "pretrained":
        # A linear head on a thousand features overfits a few thousand pictures; leaving out
        # half of the features at each step removed a tenth of its errors on held-out cats and dogs.
        settings |= {"learning_rate": 1e-3, "epochs": 20, "patience": 5, "dropout": 0.5}
        settings |= {"fine_tune_epochs": 2}
    return TrainConfig(**(settings | given))


def _check_range(name: str, value: float, *, to: float, above: float | None = None) -> None:
    too_low = value < 0 if above is None else value <= above
    if not math.isfinite(value) or too_low or value > to:
        lowest = "0" if above is None else f"above {above:g}"
        raise _wrong(name, value, f"{lowest} to {to:g}")


def _wrong(name: str, got: object, expected: str) -> UsageError:
    return UsageError("--" + name.replace("_", "-"), got=str(got), expected=expected)

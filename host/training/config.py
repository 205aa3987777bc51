"""TrainConfig: every setting of a training run, checked when it is made."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.pictures.region import Region, exact
from edgeinfer.device.preprocess.spec import Channels, CropPolicy
from edgeinfer.host.models import ARCHITECTURES, Initializer, architecture
from edgeinfer.host.tasks.loss_settings import LossSettings

if TYPE_CHECKING:
    from edgeinfer.converters.run_folder.trained_run import TrainedModel

Loss = Literal["crossentropy", "focal", "huber", "mse", "mae", "circular", "overlap", "centres"]
"""The loss function, see `TrainConfig.loss`."""

ClassWeights = Literal["none", "balanced"]
"""The weights of the classes, see `TrainConfig.class_weights`."""

Optimizer = Literal["sgd", "adam", "adamw", "rmsprop", "muon"]
"""The optimizer, see `TrainConfig.optimizer`."""

Schedule = Literal["constant", "cosine", "step", "plateau"]
"""How the learning rate changes, see `TrainConfig.schedule`."""

FineTune = Literal["upper", "whole"]
"""Which layers the second stage trains, see `TrainConfig.fine_tune`."""

Folds = Literal["auto", "none"]
"""Whether folds choose how long the first stage trains, see `TrainConfig.folds`."""

Augmentation = Literal["auto", "none", "flip", "photos", "small-grey", "mosaic"]
"""Random changes to the training pictures, see `TrainConfig.augment`."""


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
    "folds": Folds,
}


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """The network and all settings of a training, for `edgeinfer.train`.

    Make one with `edgeinfer.train_config`, which knows the settings that suit each network; the
    defaults below are those of a network that starts from random weights.

    Examples:
        >>> config = edgeinfer.train_config("small-cnn", size=(96, 96), epochs=30)
        >>> edgeinfer.train("photos", "runs/photos", config)

    Attributes:
        architecture: name of the network, such as "small-cnn" or "efficientnet-lite0". The command
            `edgeinfer train --list` lists them.
        size: (width, height) of the model's input in pixels, each from 8 to 1024.
        channels: the colour channels of the input and their order: "rgb", "bgr" or "grey".
        crop: what happens to pictures of another aspect ratio: "stretch", "center-crop" or
            "letterbox", see `PreprocessSpec`.
        region: the part of each picture that the model sees: (x, y, width, height) in ratios of its
            width and height, see `PreprocessSpec`. None is all of it.
        width: factor for the number of channels in each layer: 0.5 halves them. Only for networks
            that start from random weights.
        initializer: the weights at the start: "he" and "glorot" are random, "pretrained" are
            ImageNet weights. With "pretrained" only the last layer is trained first, and then,
            in a second stage, the rest.
        weights: path of a file with pretrained weights. None takes those that are installed or
            downloaded.
        loss: the loss function: "crossentropy", or "focal", which gives easy pictures less weight
            (Lin et al. 2017). For values "huber", "mse", "mae", or "circular" for values on a
            circle; for detection "overlap"; for points "centres".
        label_smoothing: share of each label that is spread over all classes, from 0 to below 1.
        focal_gamma: exponent of the "focal" loss.
        class_weights: "balanced" gives rare classes more weight, "none" does not.
        optimizer: "sgd", "adam", "adamw", "rmsprop", or "muon", which trains the kernels of layers
            by Muon and the rest as "adamw": for networks that start from random weights.
        learning_rate: the highest learning rate.
        momentum: momentum of "sgd".
        weight_decay: weight decay of the optimizer, decoupled from the gradients.
        clip_norm: shorten the gradients of a step, all weights together, to at most this length. 0
            does not.
        schedule: how the learning rate falls: "cosine" smoothly, "step" to a tenth after half and
            after three quarters of the epochs, "plateau" when the validation loss stops falling,
            "constant" not at all.
        warmup_epochs: over this many epochs at the start the learning rate rises.
        epochs: train at most this many epochs. With "pretrained", this counts only the first stage.
        patience: stop after this many epochs without a better validation loss.
        batch_size: number of pictures in each training step.
        dropout: share of the features that each training step leaves out, from 0 to below 1.
        augment: how the training pictures are changed at random: "photos" (for photographs), "flip"
            (only mirrored), "small-grey" (for small grey pictures), "none", "mosaic" (as "photos",
            and half of the pictures are made of four; only for detection and points), or "auto",
            which takes "small-grey" for grey input and "photos" for colour.
        seed: random seed of the weights, of the order of the pictures and of the augmentation.
        fine_tune_epochs: train at most this many epochs in the second stage. 0 skips it. None
            takes 2 to 12, the more the fewer pictures there are, and stops where the validation
            loss no longer falls. Only with "pretrained".
        fine_tune_learning_rate: the highest learning rate of the second stage.
        fine_tune: which layers the second stage trains: "whole" all of them, "upper" only the upper
            ones, which is several times faster.
        folds: with "auto" and less than 50 training pictures a class, five folds choose how long
            the first stage trains: `epochs`, or up to eight times as many. Only with "pretrained",
            for tasks that have one class a picture, and without a teacher.

    Raises:
        UsageError: a setting is not a possible value.
    """

    architecture: str
    size: tuple[int, int]
    channels: Channels = "rgb"
    crop: CropPolicy = "stretch"
    region: Region | None = None
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
    clip_norm: float = 0.0
    schedule: Schedule = "cosine"
    warmup_epochs: float = 1.0
    epochs: int = 40
    patience: int = 8
    batch_size: int = 64
    dropout: float = 0.0
    augment: Augmentation = "auto"
    seed: int = 0
    fine_tune_epochs: int | None = 0
    fine_tune_learning_rate: float = 1e-4
    fine_tune: FineTune = "whole"
    folds: Folds = "none"

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
        for name in ("weight_decay", "clip_norm", "warmup_epochs", "focal_gamma"):
            _check_range(name, getattr(self, name), to=1000.0)
        for name in ("label_smoothing", "momentum", "dropout"):
            _check_range(name, getattr(self, name), to=0.999)
        for name in ("epochs", "patience", "batch_size"):
            _check_range(name, getattr(self, name), above=0, to=1_000_000)
        for name in ("seed", "fine_tune_epochs"):
            _check_range(name, getattr(self, name) or 0, to=2**32 - 1)
        if min(self.size) < 8 or max(self.size) > 1024:
            raise _wrong("size", f"{self.size[0]}x{self.size[1]}", "8 to 1024 pixels a side")
        if self.region is not None:
            try:
                exact(self.region)
            except ValueError as error:
                raise UsageError("--region", got=str(error)) from error
        if self.optimizer == "muon" and self.pretrained:
            raise UsageError(
                "--optimizer",
                got="muon, with pretrained weights",
                expected="muon for networks that start from random weights",
                next_step="choose adamw",
            )
        architecture(self.architecture)

    @property
    def pretrained(self) -> bool:
        """Whether training starts from ImageNet weights."""
        return self.initializer == "pretrained"

    @property
    def loss_settings(self) -> LossSettings:
        """The settings of the loss function."""
        return LossSettings(
            name=self.loss, focal_gamma=self.focal_gamma, label_smoothing=self.label_smoothing
        )

    def settings(self) -> dict[str, str]:
        """Return all settings as text, for the provenance."""
        return {field.name: str(getattr(self, field.name)) for field in fields(self)}


def default_config(name: str, **overrides: Any) -> TrainConfig:
    """Return the settings that suit a network, with your changes, for `edgeinfer.train`.

    Examples:
        >>> config = edgeinfer.train_config("small-cnn", epochs=5)
        >>> config.epochs, config.learning_rate
        (5, 0.002)
        >>> edgeinfer.train("photos", "runs/photos", config)

    Args:
        name: name of the network, such as "small-cnn" or "efficientnet-lite0". The command
            `edgeinfer train --list` lists them.
        overrides: settings to choose yourself, by their names in `TrainConfig`. None takes the
            network's setting. Also, `task` is what the network is to predict: another task than
            "classification", such as "value", has other defaults for some settings.

    Raises:
        UsageError: there is no such network, or a setting is not a possible value.
    """
    info = architecture(name)
    task = overrides.pop("task", None) or "classification"
    given = {key: value for key, value in overrides.items() if value is not None}
    settings: dict[str, Any] = {"architecture": name, "size": (info.size, info.size)}
    initializer = given.get("initializer", "pretrained" if info.pretrained else "he")
    settings["initializer"] = initializer
    if initializer == "pretrained":
        # A linear head on a thousand features overfits a few thousand pictures; leaving out
        # half of the features at each step removed a tenth of its errors on held-out cats and dogs.
        settings |= {"learning_rate": 1e-3, "epochs": 20, "patience": 5, "dropout": 0.5}
        settings |= {"fine_tune_epochs": None}
        # Who names a number of epochs means it.
        settings["folds"] = "none" if "epochs" in given else "auto"
    if task != "classification":
        from edgeinfer.host.tasks.registry import find_taught  # it needs numpy

        of_task = find_taught(task)
        settings |= of_task.settings
        settings |= of_task.pretrained_settings if initializer == "pretrained" else {}
    return TrainConfig(**(settings | given))


def run_config(trained: TrainedModel) -> TrainConfig:
    """Return the settings that a run was trained with, from its provenance.

    Settings that are missing there, as in a run of another version, are the architecture's
    defaults.
    """
    told = {
        name.removeprefix("setting."): _value(text)
        for name, text in trained.provenance.items()
        if name.startswith("setting.")
    }
    spec = trained.preprocess
    name = told.get("architecture", "small-cnn")
    known = {key: value for key, value in told.items() if key in TrainConfig.__dataclass_fields__}
    known |= {"size": spec.size, "channels": spec.channels, "crop": spec.crop}
    known |= {"region": spec.region, "weights": None, "task": trained.task}
    known.pop("architecture", None)
    return default_config(name if name in ARCHITECTURES else "small-cnn", **known)


def _value(text: str) -> Any:
    """Read a setting in the form of `TrainConfig.settings`."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _check_range(name: str, value: float, *, to: float, above: float | None = None) -> None:
    too_low = value < 0 if above is None else value <= above
    if not math.isfinite(value) or too_low or value > to:
        lowest = "0" if above is None else f"above {above:g}"
        raise _wrong(name, value, f"{lowest} to {to:g}")


def _wrong(name: str, got: object, expected: str) -> UsageError:
    return UsageError("--" + name.replace("_", "-"), got=str(got), expected=expected)

"""PruneConfig: every setting of a pruning, checked when it is made."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields
from typing import get_args

from edgeinfer.converters.pruning.importance import Importance
from edgeinfer.device.core.errors import UsageError

_RANGES: dict[str, tuple[float, float]] = {
    "speedup": (1.0, 1000.0),
    "keep_cost": (0.0, 1.0),
    "steps": (1, 100),
    "step_epochs": (0, 10_000),
    "epochs": (0, 10_000),
    "patience": (1, 10_000),
    "learning_rate": (0.0, 10.0),
    "multiple": (1, 256),
    "min_share": (0.0, 1.0),
    "batch_size": (1, 1_000_000),
    "dropout": (0.0, 0.99),
    "seed": (0, 2**32 - 1),
}


@dataclass(frozen=True, kw_only=True)
class PruneConfig:
    """How to make a trained model faster, for `edgeinfer.prune`.

    Give exactly one of `speedup`, `keep_cost` and `sparsity`.

    Examples:
        >>> edgeinfer.prune("runs/photos", "runs/fast", edgeinfer.PruneConfig(speedup=3))

    Attributes:
        speedup: how many times as fast the INT8 model must become, measured on this machine with
            one thread.
        keep_cost: share of the arithmetic that the model keeps, 0 to 1.
        sparsity: set weights to 0 instead of removing channels: a share of the weights such as
            "0.75", or "2:4" to keep 2 of every 4. The model becomes smaller when it is compressed,
            but not faster.
        importance: how the importance of a channel is measured: "taylor" by the change of the loss,
            "l1" by the size of its weights, "bn" by the scale of its batch normalization.
        steps: in how many steps channels are removed.
        step_epochs: train this many epochs after each step but the last.
        epochs: train at most this many epochs after the last step.
        patience: stop this training after this many epochs without a better validation loss.
        learning_rate: the highest learning rate. None takes one that suits the network.
        multiple: each layer keeps a multiple of this many channels, or all of them. Some processors
            are slow with other numbers.
        min_share: each layer keeps at least this share of its channels, 0 to 1.
        size: (width, height) of the model's input in pixels. None keeps the size of the trained
            model.
        batch_size: number of pictures in each training step. None takes 32, or what suits the task:
            for detection 8.
        dropout: share of the features that each training step leaves out, from 0 to below 1. None
            takes 0.2, for tasks that can leave features out.
        seed: random seed of the order of the pictures, of the augmentation and of the measured
            importance.

    Raises:
        UsageError: a setting is out of range, or not exactly one of the three is given.
    """

    speedup: float | None = None
    keep_cost: float | None = None
    sparsity: str | None = None
    importance: Importance = "taylor"
    steps: int = 3
    step_epochs: int = 1
    epochs: int = 8
    patience: int = 4
    learning_rate: float | None = None
    multiple: int = 8
    min_share: float = 0.25
    size: tuple[int, int] | None = None
    batch_size: int | None = None
    dropout: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse impossible values.

        Raises:
            UsageError: names the setting.
        """
        aims = (self.speedup, self.keep_cost, self.sparsity)
        count = sum(aim is not None for aim in aims)
        if count != 1:
            raise UsageError(
                "--speedup, --keep-cost and --sparsity",
                got=f"{count} of them",
                expected="exactly one",
            )
        if self.sparsity is not None:
            parse_sparsity(self.sparsity)
            if self.size is not None:
                raise UsageError("--size", got="given with --sparsity", expected="one of them")
        if self.importance not in get_args(Importance):
            expected = ", ".join(get_args(Importance))
            raise UsageError("--importance", got=self.importance, expected=f"one of {expected}")
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            # NaN is in no range.
            if value is not None and not low <= value <= high:
                option = "--" + name.replace("_", "-")
                raise UsageError(option, got=f"{value:g}", expected=f"{low:g} to {high:g}")
        if self.size is not None and not 8 <= min(self.size) <= max(self.size) <= 1024:
            got = f"{self.size[0]}x{self.size[1]}"
            raise UsageError("--size", got=got, expected="8 to 1024 pixels a side")

    def settings(self) -> dict[str, str]:
        """Return all settings as text, for the provenance."""
        return {field.name: str(getattr(self, field.name)) for field in fields(self)}


def parse_sparsity(text: str) -> float | tuple[int, int]:
    """Return the share of weights that become 0, or (N, M).

    Raises:
        UsageError: it is none of the two.
    """
    match = re.fullmatch(r"(\d{1,2}):(\d{1,2})", text)
    if match and 1 <= int(match[1]) < int(match[2]):
        return int(match[1]), int(match[2])
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 < share < 1:
        raise UsageError(
            "--sparsity", got=repr(text), expected="a share such as 0.75, or N:M such as 2:4"
        )
    return share

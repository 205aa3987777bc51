"""What the user chose of the loss; without numpy, for commands that only tell of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LossSettings:
    """What the user chose of the loss.

    Attributes:
        name: `crossentropy` or `focal`.
        focal_gamma: of the focal loss.
        label_smoothing: how much of a target is spread over all others, 0 to 1.
    """

    name: str = "crossentropy"
    focal_gamma: float = 2.0
    label_smoothing: float = 0.0

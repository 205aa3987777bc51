"""The user's settings of the loss; without numpy, for commands that only show them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LossSettings:
    """The user's settings of the loss.

    Attributes:
        name: `crossentropy` or `focal`; for values `huber`, `mse`, `mae` or `circular`; for
            detection `overlap`; for points `centres`.
        focal_gamma: of the focal loss.
        label_smoothing: share of a target that is spread over all others, 0 to 1.
    """

    name: str = "crossentropy"
    focal_gamma: float = 2.0
    label_smoothing: float = 0.0

"""Whether the splits show pictures of the same kind."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.host.evaluation.dataset.looks import Look

_QUANTITIES: dict[str, Callable[[Look], float]] = {
    "brightness": lambda look: look.brightness,
    "contrast": lambda look: look.contrast,
    "colour": lambda look: look.colour,
    "sharpness": lambda look: look.sharpness,
    "size": lambda look: math.log2(look.width * look.height),
    "aspect ratio": lambda look: math.log2(look.width / look.height),
}

_Values = NDArray[np.float64]

WORTH_NAMING = 0.3
"""Standard deviations; a difference is named if its whole interval lies beyond."""


@dataclass(frozen=True, kw_only=True)
class Drift:
    """How much a quantity differs between a split and the training split.

    Attributes:
        split: which is compared with training.
        quantity: of what, such as `brightness`.
        difference: of the means, in standard deviations (Cohen's d); positive: more than in train.
        low: the lower end of its 95 % interval.
        high: the upper end.
    """

    split: Split
    quantity: str
    difference: float
    low: float
    high: float

    @property
    def named(self) -> bool:
        """Whether it is beyond chance and large enough to be named."""
        return self.low > WORTH_NAMING or self.high < -WORTH_NAMING

    @property
    def text(self) -> str:
        """The difference in words."""
        word = "more" if self.difference > 0 else "less"
        return (
            f"{self.quantity}: {abs(self.difference):.2f} standard deviations {word} than in train "
            f"(95 % interval {self.low:.2f} to {self.high:.2f})"
        )


def drifts(looks: Sequence[Look], own: frozenset[Split]) -> list[Drift]:
    """Compare the data set's own splits with its training split, quantity by quantity.

    Splits that were drawn at random cannot drift, so they are not compared.
    """
    found: list[Drift] = []
    if "train" not in own:
        return found
    train = [look for look in looks if look.split == "train"]
    for split in sorted(own - {"train"}):
        there = [look for look in looks if look.split == split]
        if len(train) < 2 or len(there) < 2:
            continue
        for quantity, value in _QUANTITIES.items():
            a = np.array([value(look) for look in there])
            b = np.array([value(look) for look in train])
            found.append(_difference(split, quantity, a, b))
    return found


def _difference(
    split: Split,
    quantity: str,
    here: _Values,
    train: _Values,
) -> Drift:
    n, m = len(here), len(train)
    pooled = math.sqrt(((n - 1) * here.var(ddof=1) + (m - 1) * train.var(ddof=1)) / (n + m - 2))
    gap = float(here.mean() - train.mean())
    # No difference within either: any gap is a difference in kind.
    d = gap / pooled if pooled > 1e-9 else math.copysign(10.0, gap) if abs(gap) > 1e-9 else 0.0
    half = 1.96 * math.sqrt((n + m) / (n * m) + d * d / (2 * (n + m)))
    return Drift(split=split, quantity=quantity, difference=d, low=d - half, high=d + half)

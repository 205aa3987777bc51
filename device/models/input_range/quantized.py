"""What the quantization of an 8-bit tensor says about the pixels it is made for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess.input_range import RANGES, Normalization

_STEPS = 2
"""How many quantization steps a range may be off at each end: MobileNet's -1..1 is -1..0.992."""
_SLACK = 1.02
_LEAST_PART = 0.2
"""Calibration pictures fill at least so much of each side of the true range."""
_IMAGENET = (-1.8, 2.25)
"""Pixels that are normalized by ImageNet's mean and deviation reach about -2.1 and 2.6."""


@dataclass(frozen=True, kw_only=True)
class QuantizedRange:
    """What a quantized tensor covers.

    Attributes:
        low: the smallest real value.
        high: the largest.
        name: of the range in `RANGES` that it covers or is a part of; None for any other.
        whole: it covers the range, so that pixel p becomes the p-th quantized value.
    """

    low: float
    high: float
    name: str | None
    whole: bool

    @property
    def text(self) -> str:
        """The range for people."""
        covers = f"covers {self.low:.4g} to {self.high:.4g}"
        return covers if self.whole or self.name is None else f"{covers}, a part of {self.name}"


def quantized_range(tensor: TensorSpec) -> QuantizedRange:
    """Return what an 8-bit tensor with a scale covers.

    >>> tensor = TensorSpec(name="", shape=(1,), dtype="uint8", scale=1 / 128, zero_point=128)
    >>> quantized_range(tensor).name
    '-1..1'
    """
    bounds = np.iinfo(tensor.dtype)
    low = (int(bounds.min) - tensor.zero_point) * tensor.scale
    high = (int(bounds.max) - tensor.zero_point) * tensor.scale
    near = _STEPS * tensor.scale * (1 + 1e-6)
    for name, (first, last) in (("0..1", (0, 1)), ("-1..1", (-1, 1)), ("0..255", (0, 255))):
        if abs(low - first) <= near and abs(high - last) <= near:
            return QuantizedRange(low=low, high=high, name=name, whole=True)
    return QuantizedRange(low=low, high=high, name=_part_of(low, high, near), whole=False)


def pixels_as_values(tensor: TensorSpec) -> Normalization:
    """Return the normalization by which pixel p becomes the p-th quantized value."""
    lowest = int(np.iinfo(tensor.dtype).min)
    return (float(tensor.zero_point - lowest),), (1.0 / tensor.scale,)


def quantized_normalization(tensor: TensorSpec) -> tuple[Normalization, str]:
    """Return how pixels are fed to an 8-bit input, and why, for people."""
    found = quantized_range(tensor)
    if found.name is not None and not found.whole:
        return RANGES[found.name], f"its input's quantization {found.text}"
    return pixels_as_values(tensor), f"its input's quantization {found.text}"


def _part_of(low: float, high: float, near: float) -> str | None:
    """Return the range that calibration pictures have filled in part."""
    tests: dict[str, Callable[[], bool]] = {
        "0..1": lambda: abs(low) <= near and _LEAST_PART <= high <= _SLACK,
        "0..255": lambda: abs(low) <= near and _LEAST_PART * 255 <= high <= _SLACK * 255,
        # A range with equal ends is a whole one, such as -0.5..0.5.
        "-1..1": lambda: (
            -_SLACK <= low <= -_LEAST_PART
            and _LEAST_PART <= high <= _SLACK
            and abs(low + high) > near
        ),
        "imagenet": lambda: -2.2 <= low <= _IMAGENET[0] and _IMAGENET[1] <= high <= 2.75,
    }
    return next((name for name, test in tests.items() if test()), None)

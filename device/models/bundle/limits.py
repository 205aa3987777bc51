"""What a manifest may state of texts and tensors, so that no later step fails on it.

A manifest is as untrusted as its bundle, and is read before its model is.
"""

from __future__ import annotations

import math

import numpy as np

from edgeinfer.device.core.errors import printable
from edgeinfer.device.core.tensors import TensorSpec

MOST_CHARACTERS = 1000
_MOST_AXES = 16
_MOST_SIZE = 2**31 - 1
"""TFLite counts along an axis in 32 bits."""

_SCALES = (float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max))
"""A scale is a float32 above 0."""

_INPUTS = ("uint8", "int8", "int16", "float16", "float32")
"""What a frame can become."""


def refuse_unless_plain(field: str, text: str) -> None:
    """Refuse a text that is very long or would damage a terminal.

    Raises:
        ValueError: it is refused.
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(
            f"{field} has {len(text):,} characters, expected {MOST_CHARACTERS} or less"
        )
    if printable(text) != text:
        raise ValueError(f"{field} {text!r} has control characters")


def refuse_unless_tensor(tensor: TensorSpec, *, is_input: bool = False) -> None:
    """Refuse a tensor that no model has, and an input that no frame fits into.

    Raises:
        ValueError: its sizes, scale or zero point are not possible.
    """
    named = f"tensor '{tensor.name}'"
    if len(tensor.shape) > _MOST_AXES or max(tensor.shape, default=1) > _MOST_SIZE:
        raise ValueError(
            f"{named}: shape has {len(tensor.shape)} axes or too large a size, expected "
            f"{_MOST_AXES} axes and {_MOST_SIZE:,} at most"
        )
    if is_input and tensor.dtype not in _INPUTS:
        raise ValueError(f"{named}: dtype is {tensor.dtype}, expected one of {', '.join(_INPUTS)}")
    if _is_real(tensor):
        if tensor.scale or math.copysign(1, tensor.scale) < 0 or tensor.zero_point:
            raise ValueError(f"{named}: {tensor.dtype} has a scale or a zero point, expected none")
        return
    if tensor.scale and not _SCALES[0] <= tensor.scale <= _SCALES[1]:
        raise ValueError(f"{named}: scale is {tensor.scale}, expected a float32 above 0")
    if math.copysign(1, tensor.scale) < 0:
        raise ValueError(f"{named}: scale is {tensor.scale}, expected 0 or more")
    limits = np.iinfo(tensor.dtype)
    if not limits.min <= tensor.zero_point <= limits.max:
        raise ValueError(
            f"{named}: zero_point is {tensor.zero_point}, expected {limits.min} to {limits.max}"
        )


def _is_real(tensor: TensorSpec) -> bool:
    return tensor.dtype in ("float16", "float32", "bool")

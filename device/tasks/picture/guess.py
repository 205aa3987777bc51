"""Whether a plain model gives a picture: by its channels, its size, and its last operator."""

from __future__ import annotations

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.tasks.guess import AmbiguousError, Guess, Shown, gives_probabilities
from edgeinfer.device.tasks.spec import Decoder, PictureSpec

_RANGES = {"TANH": (-1.0, 1.0), "LOGISTIC": (0.0, 1.0)}
_NO_LOGITS = {"TANH", "RELU", "RELU6", "RELU_0_TO_1", "DEPTH_TO_SPACE"}
"""Operators that end a map of values and no scores of classes."""
_LEAST_SIDE = 8
"""Fewer places along a side are a grid of classes."""
_CHOICES = "say --task picture for a map such as depth, or --task segmentation for classes"


def guess_picture(shown: Shown) -> Guess | None:
    """Return how a picture is to be read; None for any other model.

    A sigmoid of one channel is a mask of one class; so is any softmax. Three channels that are
    larger than the input are a picture enlarged, and three that are smaller are classes.

    Raises:
        AmbiguousError: it may be a picture, or scores of one class or of three.
    """
    output, behind = shown.outputs[0], shown.behind()
    shape, source = output.shape, shown.inputs[0].shape
    if len(shown.outputs) != 1 or len(shape) not in (3, 4) or shape[0] != 1:
        return None
    if min(shape[1:3]) < 2 or shape[3:] not in ((), (1,), (3,)):
        return None
    op = "" if behind is None else behind.op
    if shown.wanted:
        return _guess(output, op, "")
    if (
        min(shape[1:3]) < _LEAST_SIDE
        or len(shape) == 3
        or op in ("SOFTMAX", "ARG_MAX")
        or _holds_indices(output)
    ):
        return None
    sides = f"{shape[2]} x {shape[1]}"
    if op in _NO_LOGITS:
        return _guess(output, op, f"a model of pictures, by its output of {sides} behind {op}")
    if shape[3] == 1:
        if gives_probabilities(shown):
            return None
        raise AmbiguousError(
            f"its output of {sides} x 1 without a sigmoid may be a map of values or a mask of one "
            "class",
            _CHOICES,
        )
    height, width = source[1:3] if len(source) == 4 else (0, 0)
    if shape[1] > height and shape[2] > width:
        reason = f"a model that enlarges pictures, by its output of {sides}"
        return _guess(output, op, reason)
    if (shape[1], shape[2]) != (height, width):
        return None
    raise AmbiguousError(
        f"its output of {sides} x 3 may be a picture or scores of three classes", _CHOICES
    )


def _guess(output: TensorSpec, op: str, reason: str) -> Guess:
    return Guess(task="picture", decoder=Decoder(picture=_range(output, op)), reason=reason)


def _range(output: TensorSpec, op: str) -> PictureSpec | None:
    """Return which values are black and white, where the model shows it."""
    if output.shape[3:] != (3,):
        return None
    if op in _RANGES:
        low, high = _RANGES[op]
        return PictureSpec(low=low, high=high)
    if output.dtype == "uint8":
        scale = output.scale or 1.0
        return PictureSpec(low=-output.zero_point * scale, high=(255 - output.zero_point) * scale)
    return None


def _holds_indices(output: TensorSpec) -> bool:
    """Return whether whole numbers stand for themselves; of three channels they are colours."""
    return output.shape[3] == 1 and not output.dtype.startswith("float") and not output.scale

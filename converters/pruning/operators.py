"""What each Keras layer does with the channels along the last axis."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.tensorflow.trace import Call


class Kind(enum.Enum):
    """How a layer treats channels."""

    CONV = "conv"
    DENSE = "dense"
    TRANSPOSED = "transposed convolution"
    SEPARABLE = "depthwise and pointwise convolution"
    DEPTHWISE = "depthwise convolution"
    NORMALIZE = "batch normalization"
    PASS = "channel by channel, without weights"
    RESHAPE = "axes of length 1 added or taken away"
    MERGE = "several inputs, channel by channel"
    CONCATENATE = "one after another"
    FLATTEN = "repeated for each position"
    UNKNOWN = "unknown"

    @property
    def makes_channels(self) -> bool:
        """Whether its weights decide how many channels there are."""
        return self in (Kind.CONV, Kind.DENSE, Kind.TRANSPOSED, Kind.SEPARABLE, Kind.DEPTHWISE)


_KINDS = {
    "Conv2D": Kind.CONV,
    "Conv1D": Kind.CONV,
    "Dense": Kind.DENSE,
    "Conv2DTranspose": Kind.TRANSPOSED,
    "SeparableConv2D": Kind.SEPARABLE,
    "DepthwiseConv2D": Kind.DEPTHWISE,
    "BatchNormalization": Kind.NORMALIZE,
    "Concatenate": Kind.CONCATENATE,
    "Flatten": Kind.FLATTEN,
    "Reshape": Kind.RESHAPE,
    **dict.fromkeys(("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"), Kind.MERGE),
    **dict.fromkeys(
        (
            *("ReLU", "Relu", "Relu6", "LeakyReLU", "ELU", "Activation", "HardSigmoid", "Sigmoid"),
            *("Dropout", "SpatialDropout2D", "ActivityRegularization", "Identity"),
            *("MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D"),
            *("GlobalAveragePooling1D", "GlobalAveragePooling2D"),
            *("GlobalMaxPooling1D", "GlobalMaxPooling2D"),
            *("ZeroPadding1D", "ZeroPadding2D", "Cropping2D", "UpSampling2D", "Resizing"),
        ),
        Kind.PASS,
    ),
}

# Each result depends on all channels, so leaving one out changes the others.
_ACROSS_CHANNELS = ("softmax", "log_softmax", "sparsemax", "glu")


def kind_of(call: Call, incoming: Sequence[NDArray[np.int64]]) -> Kind:
    """Return how a call treats channels; UNKNOWN where that is not certain.

    Args:
        call: the call.
        incoming: the channels of each tensor that it takes.
    """
    layer = call.layer
    module = type(layer).__module__
    kind = _KINDS.get(type(layer).__name__, Kind.UNKNOWN)
    # A user's own class may have the name of one of Keras's.
    if not module.startswith("keras.") or not incoming or _works_otherwise(layer, call):
        return Kind.UNKNOWN
    width = call.shape[-1]
    if kind is Kind.PASS and (width != len(incoming[0]) or len(incoming) != 1):
        return Kind.UNKNOWN
    if kind is Kind.MERGE and not _merges(call, incoming):
        return Kind.UNKNOWN
    if kind is Kind.RESHAPE and not (
        hasattr(layer, "target_shape")
        and width == len(incoming[0])
        and all(side == 1 for side in call.shape[1:-1])
    ):
        return Kind.UNKNOWN
    if kind is Kind.FLATTEN and (not width or width % len(incoming[0])):
        return Kind.UNKNOWN
    return kind


def mixes_channels(layer: Any) -> bool:
    """Return whether a layer may end in an activation such as softmax, which looks at all channels.

    Nothing is known about a user's own function, or a layer used instead of it.
    """
    activation = getattr(layer, "activation", None)
    if activation is None:
        return False
    module = getattr(activation, "__module__", None) or ""
    name = getattr(activation, "__name__", None)
    return not module.startswith("keras.") or name is None or name in _ACROSS_CHANNELS


def _works_otherwise(layer: Any, call: Call) -> bool:
    """Return whether an option makes a known layer work along another axis or across channels."""
    last = call.rank - 1
    axis = getattr(layer, "axis", None)
    return (
        getattr(layer, "data_format", "channels_last") == "channels_first"
        or getattr(layer, "groups", 1) not in (1, None)
        or (type(layer).__name__ == "Activation" and mixes_channels(layer))
        or (isinstance(axis, int) and axis not in (-1, last))
        or getattr(layer, "lora_enabled", False)
        or getattr(layer, "quantization_mode", None) is not None
    )


def _merges(call: Call, incoming: Sequence[NDArray[np.int64]]) -> bool:
    """Return whether all tensors have the result's channels, or one that is spread over all.

    The other arguments of an operation such as `x * 2` must be plain numbers.
    """
    import keras

    width = call.shape[-1]
    rest = keras.tree.flatten(call.fill([None] * len(call.inputs)))
    plain = all(value is None or isinstance(value, bool | int | float | str) for value in rest)
    return plain and all(len(numbers) in (1, width) for numbers in incoming)

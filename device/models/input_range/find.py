"""How pixels are fed to a plain `.tflite`: what the user says, else the best evidence there is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgeinfer.device.core.errors import ModelError, UnknownRangeError, UsageError
from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.models.input_range.first_weights import wants_whole_pixels
from edgeinfer.device.models.input_range.leading_operators import fitting_range, read_leading
from edgeinfer.device.models.input_range.quantized import (
    quantized_normalization,
    quantized_range,
)
from edgeinfer.device.preprocess.input_range import (
    RANGES,
    Normalization,
    per_channel,
    told_normalization,
)
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.tasks.guess import Guess, Shown
from edgeinfer.device.tflite.metadata.tflite_metadata import TensorMetadata

_BARE = "--mean=128 --std=1 feeds pixels minus 128, --input-range=0..255 pixels as they are"
_LEAST_NUMBERS = 64
"""256 pixel values make at least this many different numbers."""
CHOICES = "--input-range 0..255, 0..1, -1..1 or imagenet, or --mean and --std"


@dataclass(frozen=True, kw_only=True)
class InputRange:
    """How pixels are fed: (pixel - mean) / std.

    Attributes:
        mean: one number for all channels, or one for each of red, green and blue.
        std: in the same form.
        reason: what states it, for people.
        told: the user states it.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    reason: str
    told: bool = False


def find_input_range(
    shown: Shown, guess: Guess, options: OpenOptions, *, subject: str
) -> InputRange:
    """Return how pixels are fed to a model's input.

    The user's word counts first. Then, each only where those before it say nothing: TFLite
    Metadata, the quantization of the input, what the exporter wrote behind the model, a leading
    QUANTIZE or arithmetic in the graph, what the makers of models of this form feed, and weights
    into which a division by 255 was folded.

    Raises:
        UnknownRangeError: nothing states it; the error lists the choices.
        UsageError: the user's options contradict each other.
    """
    told = read_told(options)
    source = shown.inputs[0]
    if told is not None:
        if _is_bare(source) and not _holds(source, told):
            raise UsageError(
                "--input-range",
                got=f"makes almost the same of all pixels, or more than fits: the input of "
                f"{subject} is {source.dtype} without quantization",
                expected="a range of whole numbers",
                next_step=_BARE,
            )
        return InputRange(mean=told[0], std=told[1], reason="the options state it", told=True)
    found = _evidence(shown, guess)
    if found is None and _is_bare(source):
        raise ModelError(
            subject,
            got=f"its input is {source.dtype} without quantization, and nothing in the file states "
            "which numbers stand for pixels",
            expected="--mean and --std",
            next_step=_BARE,
        )
    if found is None:
        raise UnknownRangeError(
            subject,
            got=f"its input is {source.dtype}, and nothing in the file states the range of its "
            "pixels",
            expected=CHOICES,
            next_step="try the choices on labelled pictures: `edgeinfer adopt FILE --pictures "
            "FOLDER`",
        )
    (mean, std), reason = found
    return InputRange(mean=mean, std=std, reason=reason)


def read_told(options: OpenOptions) -> Normalization | None:
    """Return what the user says of the input; None where nothing is said.

    Raises:
        UsageError: the options contradict each other.
    """
    try:
        return told_normalization(options.input_range, options.mean, options.std)
    except ValueError as error:
        raise UsageError("--input-range", got=str(error), expected=CHOICES) from error


def _evidence(shown: Shown, guess: Guess) -> tuple[Normalization, str] | None:
    source = shown.inputs[0]
    metadata = shown.metadata
    about = metadata.inputs[0] if metadata is not None and metadata.inputs else None
    quantized = source.dtype in ("uint8", "int8") and source.scale > 0
    if about is not None and about.std:
        said = about.mean or (0.0,), about.std
        if _is_bare(source):
            if _holds(source, said):
                return said, "its TFLite Metadata states it"
        elif not quantized or _says_more(source, about):
            return said, "its TFLite Metadata states it"
    if quantized:
        return quantized_normalization(source)
    if source.dtype == "uint8":
        return RANGES["0..255"], "its input is uint8"
    if shown.export is not None and guess.input_range is not None:
        return RANGES[guess.input_range], "the metadata behind the model names its exporter"
    graph = shown.graph.subgraphs[0]
    leading = read_leading(graph)
    if leading.quantized is not None and leading.quantized.dtype in ("uint8", "int8"):
        name = quantized_range(leading.quantized).name
        if name is not None:
            return RANGES[name], f"its first operator quantizes {name}"
    fitting = fitting_range(leading)
    if fitting is not None:
        return RANGES[fitting], f"its first operators ({', '.join(leading.operators)}) normalize it"
    if guess.input_range is not None:
        return RANGES[guess.input_range], "models of this form take it"
    if not leading.operators and wants_whole_pixels(graph):
        return RANGES["0..255"], "the weights of its first convolution are as small as that needs"
    return None


def _is_bare(source: TensorSpec) -> bool:
    """Return whether an input holds integers as they are, without quantization."""
    return source.dtype in ("uint8", "int8", "int16") and source.scale <= 0


def _holds(source: TensorSpec, said: Normalization) -> bool:
    """Return whether integers can hold what a normalization makes of pixels."""
    bounds = np.iinfo(source.dtype)
    mean, std = per_channel(said[0], "rgb"), per_channel(said[1], "rgb")
    for m, s in zip(mean, std, strict=True):
        low, high = -m / s, (255 - m) / s
        if high - low < _LEAST_NUMBERS or low < bounds.min - 1 or high > bounds.max + 1:
            return False
    return True


def _says_more(source: TensorSpec, about: TensorMetadata) -> bool:
    """Return whether a normalization feeds a quantized input with other values than pixels.

    It does not where pixel p becomes the p-th quantized value all the same, two steps more or less,
    and where the input cannot hold what it gives: then it is about the float model, and
    TensorFlow's own library, too, feeds 8-bit inputs with pixels as they are.
    """
    bounds = np.iinfo(source.dtype)
    differs = False
    mean, std = per_channel(about.mean or (0.0,), "rgb"), per_channel(about.std, "rgb")
    for m, s in zip(mean, std, strict=False):
        for pixel in (0, 255):
            value = (pixel - m) / s / source.scale + source.zero_point - bounds.min
            if not -2 <= value <= 257:
                return False
            differs |= abs(value - pixel) > 2
    return differs

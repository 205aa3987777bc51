"""Where a quantized model differs from its float original, operator by operator.

Both run on the same pictures with their intermediate results kept, on the runtime's own kernels.
Operators of both are matched by the names of their results. The measure is the signal
to quantization noise ratio, SQNR = 10 log10(sum of real**2 / sum of (real - quantized)**2), in
decibels over all pictures: 20 dB is an error of a tenth, and each 6 dB are one bit.

Errors are passed on: a low SQNR may come from an earlier operator. So an operator's own loss is how
far the SQNR of its result is below the worst of its inputs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.common.progress import Progress, Silent
from edgeinfer.converters.quantize.all_tensors import WatchedModel, dequantize, stable
from edgeinfer.device.core.errors import ConversionError
from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tflite.model import Operator, Subgraph

MAX_SQNR_DB = 120.0
"""The value for no error at all."""

_WEIGHTED = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"}


@dataclass(frozen=True, kw_only=True)
class LayerError:
    """An operator's result, quantized compared with float.

    Attributes:
        index: of the operator in the quantized graph.
        op: its kind.
        tensor: the result's name.
        shape: of the result.
        sqnr_db: of the result, with the errors of earlier operators.
        loss_db: how far that is below the worst of the operator's inputs; 0 if it is not below.
        weight_sqnr_db: of the operator's weights; None where it has none.
        float_range: smallest and largest value of the float result on the pictures.
        quantized_range: what the quantized result can hold; None for float results.
        clipped: share of the float values outside of that range.
    """

    index: int
    op: str
    tensor: str
    shape: tuple[int, ...]
    sqnr_db: float
    loss_db: float
    weight_sqnr_db: float | None
    float_range: tuple[float, float]
    quantized_range: tuple[float, float] | None
    clipped: float


@dataclass(kw_only=True)
class _Sums:
    """The sums of a tensor over the pictures."""

    signal: float = 0.0
    noise: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    outside: int = 0
    count: int = 0

    def add(
        self,
        real: NDArray[np.float64],
        quantized: NDArray[np.float64],
        limits: tuple[float, float] | None,
    ) -> None:
        self.signal += float(np.square(real).sum())
        self.noise += float(np.square(real - quantized).sum())
        self.low, self.high = min(self.low, float(real.min())), max(self.high, float(real.max()))
        self.count += real.size
        if limits is not None:
            # A value that rounds to the last step is not clipped.
            self.outside += int(((real < limits[0]) | (real > limits[1])).sum())


def layer_errors(
    float_model: bytes,
    quantized_model: bytes,
    preprocess: PreprocessSpec,
    pictures: Iterable[Pixels],
    *,
    progress: Progress | None = None,
) -> list[LayerError]:
    """Compare two forms of one model on pictures.

    Args:
        float_model: the original's `.tflite` bytes.
        quantized_model: the other's.
        preprocess: how a picture becomes the input of both.
        pictures: (H, W, 3) uint8 RGB each; read one time.
        progress: reports each picture.

    Raises:
        ConversionError: the two have no results in common, or there are no pictures.
        ModelError: one of them is damaged.
    """
    real, small = (WatchedModel(content, preprocess) for content in (float_model, quantized_model))
    pairs = _common_results(real.graph, small.graph)
    if not pairs:
        raise ConversionError(
            "layer errors",
            got="the two models have no results of the same name",
            expected="two forms of one model",
        )
    limits = {ours: _limits(small.graph, ours) for ours in pairs}
    sums = {ours: _Sums() for ours in pairs}
    progress = progress or Silent()
    done = 0
    for pixels in pictures:
        real.run(pixels)
        small.run(pixels)
        for ours, theirs in pairs.items():
            sums[ours].add(real.value(theirs), small.value(ours), limits[ours])
        done += 1
        progress.advance()
    if not done:
        raise ConversionError("layer errors", got="no pictures", expected="at least one")
    return _table(real.graph, small.graph, pairs, sums, limits)


def worst_layer(errors: Sequence[LayerError]) -> LayerError | None:
    """Return the operator that itself loses most; None if none loses."""
    worst = max(errors, key=lambda error: error.loss_db, default=None)
    return worst if worst is not None and worst.loss_db > 0 else None


def sqnr_db(signal: float, noise: float) -> float:
    """Return a ratio of powers in decibels, at most `MAX_SQNR_DB`, and `-MAX_SQNR_DB` for a NaN."""
    if noise <= 0:
        return MAX_SQNR_DB
    if not signal > 0 or not math.isfinite(noise):
        return -MAX_SQNR_DB
    return max(-MAX_SQNR_DB, min(MAX_SQNR_DB, 10 * math.log10(signal / noise)))


def _common_results(real: Subgraph, small: Subgraph) -> dict[int, int]:
    """Return the tensors that both graphs compute: from the quantized graph's to the float's."""
    theirs = {real.tensors[i].name: i for op in real.operators if stable(op) for i in op.outputs}
    return {
        i: theirs[small.tensors[i].name]
        for op in small.operators
        for i in op.outputs
        if small.tensors[i].name in theirs
    }


def _limits(graph: Subgraph, index: int) -> tuple[float, float] | None:
    """Return the range of a quantized tensor, in real values: half a step wider at both ends."""
    tensor = graph.tensors[index]
    quantization = tensor.quantization
    if quantization is None or tensor.dtype not in ("int8", "uint8", "int16"):
        return None
    span = np.iinfo(tensor.dtype)
    scale, zero_point = quantization.scales[0], quantization.zero_points[0]
    return (span.min - 0.5 - zero_point) * scale, (span.max + 0.5 - zero_point) * scale


def _table(
    real: Subgraph,
    small: Subgraph,
    pairs: dict[int, int],
    sums: dict[int, _Sums],
    limits: dict[int, tuple[float, float] | None],
) -> list[LayerError]:
    ratios = {ours: sqnr_db(total.signal, total.noise) for ours, total in sums.items()}
    producers = {i: op for op in real.operators for i in op.outputs}
    rows = []
    for index, operator in enumerate(small.operators):
        for ours in operator.outputs:
            if ours not in pairs:
                continue
            total = sums[ours]
            inherited = min((ratios[i] for i in operator.inputs if i in ratios), default=None)
            # At the input there is only the rounding of pixels, and no operator before it.
            loss = 0.0 if inherited is None else max(0.0, inherited - ratios[ours])
            rows.append(
                LayerError(
                    index=index,
                    op=operator.op,
                    tensor=small.tensors[ours].name,
                    shape=small.tensors[ours].shape,
                    sqnr_db=ratios[ours],
                    loss_db=loss,
                    weight_sqnr_db=_weight_sqnr(real, producers[pairs[ours]], small, operator),
                    float_range=(total.low, total.high),
                    quantized_range=limits[ours],
                    clipped=total.outside / total.count,
                )
            )
    return rows


def _weight_sqnr(real: Subgraph, theirs: Operator, small: Subgraph, ours: Operator) -> float | None:
    """Return the SQNR of an operator's weights; None where it has none, or of another layout."""
    if ours.op not in _WEIGHTED or theirs.op != ours.op:
        return None
    original, quantized = real.tensors[theirs.inputs[1]], small.tensors[ours.inputs[1]]
    if original.dtype != "float32" or not len(original.data) or not len(quantized.data):
        return None
    if quantized.dtype not in ("int8", "uint8", "float16", "float32"):
        return None
    exact = np.frombuffer(original.data, np.float32).astype(np.float64)
    raw = np.frombuffer(quantized.data, quantized.dtype).reshape(quantized.shape)
    rounded = dequantize(raw, quantized.quantization).reshape(-1)
    if rounded.size != exact.size:
        return None
    return sqnr_db(float(np.square(exact).sum()), float(np.square(exact - rounded).sum()))

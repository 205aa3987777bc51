"""Bias correction: the biases correct the average shift that quantization causes.

The errors of rounded weights and clipped activations are not even: a channel's mean moves, and
every layer after it gets the shift. Layer by layer, in the order in which they run, the bias
restores the mean that pictures give in float; each layer sees the corrections before it.

Method: Nagel et al. 2019, arXiv:1906.04721, section 4.2, with the means measured on pictures. They
are measured after a fused ReLU, where only the values that are not cut to zero move with the bias:
the shift is divided by their share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.quantize.all_tensors import WatchedModel
from edgeinfer.converters.quantize.float_graph import NO_ACTIVATION, FloatGraph
from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.device.preprocess import PreprocessSpec

LEAST_SHARE = 0.1
"""The smallest share of a channel's values that ReLU must keep to measure a shift reliably."""

Means = NDArray[np.float64]


def correct_biases(
    model: bytes,
    quantize: Callable[[bytes], bytes],
    preprocess: PreprocessSpec,
    pictures: Sequence[Pixels],
    progress: Progress,
) -> bytes:
    """Return a float model whose quantized form has the means of the given model.

    Args:
        model: the float `.tflite` bytes.
        quantize: makes the INT8 form of a model's bytes.
        preprocess: how a picture becomes the input.
        pictures: (H, W, 3) uint8 RGB each, like those that the model will see.
        progress: reports what is going on.

    Raises:
        ConversionError: the model has loops or custom operators.
    """
    graph = FloatGraph(model)
    layers = [index for index in graph.weighted if graph.takes_bias(index)]
    results = {index: graph.result(index) for index in layers}
    wanted, shares = _means(model, preprocess, pictures, list(results.values()))
    progress.start("correct biases", len(layers))
    for index in layers:
        name = results[index]
        found, _ = _means(quantize(graph.to_bytes()), preprocess, pictures, [name])
        if name in found:
            shift = wanted[name] - found[name]
            if graph.activation(index) != NO_ACTIVATION:
                shift /= np.maximum(shares[name], LEAST_SHARE)
            graph.set_bias(index, graph.bias(index) + shift.astype(np.float32))
        progress.advance()
    return graph.to_bytes()


def _means(
    model: bytes, preprocess: PreprocessSpec, pictures: Sequence[Pixels], names: Sequence[str]
) -> tuple[dict[str, Means], dict[str, Means]]:
    """Return the mean of each channel of the tensors named, and the share that is not zero."""
    watched = WatchedModel(model, preprocess)
    indices = {watched.graph.tensors[i].name: i for i in watched.computed()}
    wanted = {name: indices[name] for name in names if name in indices}
    channels = {name: watched.graph.tensors[i].shape[-1] for name, i in wanted.items()}
    sums = {name: np.zeros(count) for name, count in channels.items()}
    passed = {name: np.zeros(count) for name, count in channels.items()}
    for pixels in pictures:
        watched.run(pixels)
        for name, index in wanted.items():
            rows = watched.value(index).reshape(-1, channels[name])
            sums[name] += rows.mean(axis=0)
            passed[name] += (rows != 0).mean(axis=0)
    count = max(1, len(pictures))
    return (
        {name: total / count for name, total in sums.items()},
        {name: total / count for name, total in passed.items()},
    )

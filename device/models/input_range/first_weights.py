"""Whether the first convolution has weights for pixels 0 to 255.

TensorFlow's converter folds a Rescaling layer into the convolution behind it, and nothing but the
size of the weights is left of it. A convolution of pixels 0 to 255 has weights some 255 times
smaller than one of normalized pixels: what it computes has to be of the same size for the layers
behind it.

Measured over 46 models, trained and untrained, as the median over the filters of the root of the
sum of squares: 0.34 to 5.2 where the input is normalized, 0.0018 to 0.019 where it is 0 to 255.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.models.input_range.constants import constant_tensor, stored_numbers
from edgeinfer.device.tflite.model import Subgraph, Tensor

_PASS = {"CAST", "DEQUANTIZE", "QUANTIZE", "RESHAPE", "TRANSPOSE", "PAD"}
_MOST_STEPS = 6
_MOST_NORM = 0.05
"""Between the two groups that were measured."""
_MOST_WEIGHTS = 1_000_000


def wants_whole_pixels(graph: Subgraph) -> bool:
    """Return whether the first operator that computes is a convolution for pixels 0 to 255."""
    current = graph.inputs[0]
    for _ in range(_MOST_STEPS):
        readers = [step for step in graph.operators if current in step.inputs]
        if len(readers) != 1 or not readers[0].outputs:
            return False
        (step,) = readers
        if step.op == "CONV_2D" and len(step.inputs) > 1 and step.inputs[1] >= 0:
            norms = _norms(constant_tensor(graph, step.inputs[1]))
            return norms is not None and 0 < float(np.median(norms)) <= _MOST_NORM
        if step.op not in _PASS or step.inputs[0] != current:
            return False
        current = step.outputs[0]
    return False


def _norms(tensor: Tensor) -> NDArray[np.float64] | None:
    """Return the norm of each filter, (filters,); None for weights that cannot be read here."""
    values = stored_numbers(tensor, _MOST_WEIGHTS)
    if values is None or len(tensor.shape) != 4:
        return None
    with np.errstate(all="ignore"):  # what a file states may overflow
        real = values.reshape(tensor.shape[0], -1)
        if tensor.quantization is not None:
            scales = np.array(tensor.quantization.scales)
            zeros = np.array(tensor.quantization.zero_points)
            if {scales.size, zeros.size} - {1, len(real)} or tensor.quantization.axis:
                return None
            real = (real - zeros.reshape(-1, 1)) * scales.reshape(-1, 1)
        norms: NDArray[np.float64] = np.sqrt((real**2).sum(axis=1))
    return norms if np.isfinite(norms).all() else None

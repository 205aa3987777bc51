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
            norms = _norms(_weights(graph, step.inputs[1]))
            return norms is not None and 0 < float(np.median(norms)) <= _MOST_NORM
        if step.op not in _PASS or step.inputs[0] != current:
            return False
        current = step.outputs[0]
    return False


def _weights(graph: Subgraph, number: int) -> Tensor:
    tensor = graph.tensors[number]
    if not tensor.data:
        maker = next((step for step in graph.operators if number in step.outputs), None)
        if maker is not None and maker.op == "DEQUANTIZE" and maker.inputs[0] >= 0:
            return graph.tensors[maker.inputs[0]]
    return tensor


def _norms(tensor: Tensor) -> NDArray[np.float64] | None:
    """Return the norm of each filter, (filters,); None for weights that cannot be read here."""
    if tensor.sparse or not tensor.data or len(tensor.shape) != 4:
        return None
    if tensor.dtype not in ("float32", "float16", "int8", "uint8"):
        return None
    if not 1 <= tensor.elements <= _MOST_WEIGHTS:
        return None
    dtype = np.dtype(tensor.dtype).newbyteorder("<")
    if len(tensor.data) != tensor.elements * dtype.itemsize:
        return None
    values = np.frombuffer(tensor.data, dtype)
    with np.errstate(all="ignore"):  # what a file states may overflow
        real = values.astype(np.float64).reshape(tensor.shape[0], -1)
        if tensor.quantization is not None:
            scales = np.array(tensor.quantization.scales)
            zeros = np.array(tensor.quantization.zero_points)
            if {scales.size, zeros.size} - {1, len(real)} or tensor.quantization.axis:
                return None
            real = (real - zeros.reshape(-1, 1)) * scales.reshape(-1, 1)
        norms: NDArray[np.float64] = np.sqrt((real**2).sum(axis=1))
    return norms if np.isfinite(norms).all() else None

"""Constants of a graph as numbers: those in the file, and those behind a DEQUANTIZE."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.tflite.model import Subgraph, Tensor

_DTYPES = ("float32", "float16", "int8", "uint8", "int16", "int32")


def constant_tensor(graph: Subgraph, number: int) -> Tensor:
    """Return a tensor; for weights of 16 bits the constant behind their DEQUANTIZE."""
    tensor = graph.tensors[number]
    if not tensor.data:
        maker = next((step for step in graph.operators if number in step.outputs), None)
        if maker is not None and maker.op == "DEQUANTIZE" and maker.inputs[0] >= 0:
            return graph.tensors[maker.inputs[0]]
    return tensor


def stored_numbers(tensor: Tensor, most: int) -> NDArray[np.float64] | None:
    """Return the numbers as they are stored, before their scale, (elements,) float64.

    None for a tensor that is computed, sparse or damaged, has more than `most` numbers, or numbers
    of another kind.
    """
    if tensor.sparse or not tensor.data or tensor.dtype not in _DTYPES:
        return None
    dtype = np.dtype(tensor.dtype).newbyteorder("<")
    if not 1 <= tensor.elements <= most or len(tensor.data) != tensor.elements * dtype.itemsize:
        return None
    values: NDArray[np.float64] = np.frombuffer(tensor.data, dtype).astype(np.float64)
    return values

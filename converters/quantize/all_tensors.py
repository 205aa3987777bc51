"""A `.tflite` model that keeps the results of all its operators, on the runtime's own kernels."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.errors import ConversionError
from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec
from edgeinfer.device.runtime.runner import Runner
from edgeinfer.device.tflite.model import Operator, Quantization, Subgraph

_OPAQUE = frozenset({"WHILE", "IF", "CALL", "CALL_ONCE", "STABLEHLO_WHILE"})
_UNSTABLE = frozenset({"TFLite_Detection_PostProcess"})
"""Operators that leave whatever was in memory behind their results: those say nothing about
values, and nothing is to be measured on them."""


class WatchedModel:
    """Runs pictures and then returns any tensor's real values.

    XNNPACK fuses operators and drops the results between them, so it is not used.

    Args:
        content: the `.tflite` bytes.
        preprocess: how a picture becomes the input.

    Raises:
        ConversionError: it has loops or custom operators.
        ModelError: it is damaged, or has an input that no picture fits.
    """

    def __init__(self, content: bytes, preprocess: PreprocessSpec) -> None:
        runner = Runner(content, subject="the model", runtime="ai-edge-litert")
        self.graph: Subgraph = runner.graph.subgraphs[0]
        for index, operator in enumerate(self.graph.operators):
            if operator.op in _OPAQUE or (operator.custom and operator.op not in _UNSTABLE):
                raise ConversionError(
                    "the model",
                    got=f"operator {index} is {operator.op}, whose inner results cannot be seen",
                    expected="layers that TFLite itself has, without loops",
                    next_step="replace recurrent or custom layers (an LSTM with unroll=True works)",
                )
        self._preprocessor = Preprocessor(preprocess, runner.inputs[0])
        module = importlib.import_module("ai_edge_litert.interpreter")
        self._interpreter: Any = module.Interpreter(
            model_content=content,
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]

    def run(self, pixels: Pixels) -> None:
        """Run a picture: (H, W, 3) uint8 RGB."""
        self._interpreter.set_tensor(self._input, self._preprocessor.tensor(pixels))
        self._interpreter.invoke()

    def value(self, index: int) -> NDArray[np.float64]:
        """Return a tensor's real values after a run, float64."""
        raw = self._interpreter.get_tensor(index)
        return dequantize(raw, self.graph.tensors[index].quantization)

    def computed(self) -> list[int]:
        """Return the tensors that depend on a picture: the inputs and every operator's results.

        Those of a detector's post-processing are left out: a part of them is not repeatable.
        """
        results = [index for op in self.graph.operators if stable(op) for index in op.outputs]
        return list(dict.fromkeys([*self.graph.inputs, *results]))


def stable(operator: Operator) -> bool:
    """Return whether all that an operator computes is its result."""
    return operator.op not in _UNSTABLE


def dequantize(
    values: NDArray[np.generic], quantization: Quantization | None
) -> NDArray[np.float64]:
    """Return real values, float64 of the same shape, with one scale or one for each channel."""
    real = values.astype(np.float64)
    if quantization is None:
        return real
    shape = [1] * real.ndim
    if len(quantization.scales) > 1:
        shape[quantization.axis] = -1
    real -= np.array(quantization.zero_points, np.float64).reshape(shape)
    real *= np.array(quantization.scales, np.float64).reshape(shape)
    return real

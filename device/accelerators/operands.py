"""One operator with its tensors, as the rules look at it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from edgeinfer.device.tflite.model import OPTIONAL_TENSOR, Operator, Subgraph, Tensor

_INTEGERS = {"int32": "i", "int64": "q", "int16": "h", "int8": "b", "uint8": "B"}


@dataclass(frozen=True, kw_only=True)
class OpView:
    """An operator and its tensors.

    Attributes:
        operator: the operator.
        inputs: its inputs; None for one that it does without.
        outputs: its outputs.
    """

    operator: Operator
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]

    @property
    def activations(self) -> list[Tensor]:
        """What flows: the computed inputs and the outputs, without what an operator remembers."""
        flowing = [item for item in self.inputs if item and not item.variable and not item.data]
        return [*flowing, *self.outputs]

    @property
    def constants(self) -> list[Tensor]:
        """The inputs whose bytes are in the file."""
        return [item for item in self.inputs if item and item.data]

    def input(self, index: int) -> Tensor | None:
        """Return an input; None where there is none."""
        return self.inputs[index] if index < len(self.inputs) else None

    def constant_integers(self, index: int) -> tuple[int, ...] | None:
        """Return the numbers of a constant input; None where it is computed, or absent."""
        tensor = self.input(index)
        if tensor is None or tensor.dtype not in _INTEGERS or not tensor.data:
            return None
        code = _INTEGERS[tensor.dtype]
        count = len(tensor.data) // struct.calcsize(code)
        return struct.unpack_from(f"<{count}{code}", tensor.data)


Limit = Callable[[OpView], str]
"""Returns why an operator stays on the CPU; empty where the limit is kept."""


def view(subgraph: Subgraph, operator: Operator) -> OpView:
    """Return an operator of `subgraph` with its tensors."""
    return OpView(
        operator=operator,
        inputs=tuple(
            None if index == OPTIONAL_TENSOR else subgraph.tensors[index]
            for index in operator.inputs
        ),
        outputs=tuple(
            subgraph.tensors[index] for index in operator.outputs if index != OPTIONAL_TENSOR
        ),
    )


def sizes_text(tensor: Tensor) -> str:
    """Return a shape as people write it."""
    return " x ".join(map(str, tensor.shape)) or "scalar"


def matters(shape: tuple[int, ...]) -> int:
    """Return how many dimensions are left without the leading ones of size 1."""
    leading = next((i for i, size in enumerate(shape) if size != 1), len(shape))
    return len(shape) - leading

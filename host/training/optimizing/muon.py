"""Muon: steps whose directions all count the same, for the weights that are matrices."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

MOMENTUM = 0.95
LARGEST = 200_000
"""Kernels with more weights are trained as AdamW does: of them a step would cost more than the
rest of the network (measured: a third of the time, and a larger error for the pictures seen)."""

_ROUNDS = 5
_CUBIC = (3.4445, -4.7750, 2.0315)
"""Factors of x, x^3 and x^5, which bring singular values from 0 to 1 near 1 (Jordan 2024)."""
_RMS = 0.2
"""Root mean square of a step: that of AdamW, so that both share a learning rate."""


class Muon(keras.optimizers.AdamW):  # type: ignore[misc]
    """Trains the kernels of dense and convolution layers by Muon, and the rest by AdamW.

    A kernel is a matrix, from its inputs to its outputs. The step is the momentum with all its
    singular values made 1, so that rare directions are learned as fast as common ones. The last
    layer, biases, normalization, depthwise kernels and those beyond `LARGEST` weights are AdamW's.

    Muon is by Jordan et al. 2024 (https://kellerjordan.github.io/posts/muon); its scale, which lets
    it share a learning rate with AdamW, by Liu et al. 2025 (arXiv 2502.16982). The class that Keras
    has leaves out convolutions, and works otherwise in each of its versions.

    With 84,000 drawn gauges seen, the mean error of `spatial-cnn` on others was 1.32 % of the range
    with it, 1.80 % with Adam and 1.81 % with AdamW, in the same time.

    Examples:
        >>> model.compile(optimizer=Muon(3e-3, weight_decay=4e-3), loss="mae")
    """

    def build(self, variables: list[Any]) -> None:
        """Make the state of each weight."""
        if self.built:
            return
        super().build(variables)
        self._momenta = [
            self.add_variable_from_reference(variable, name="muon_momentum")
            if is_matrix(tuple(variable.shape)) and "logits" not in variable.path
            else None
            for variable in variables
        ]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Change a weight."""
        momentum = self._momenta[self._get_variable_index(variable)]
        if momentum is None:
            super().update_step(gradient, variable, learning_rate)
            return
        gradient = ops.cast(gradient, variable.dtype)
        self.assign(momentum, MOMENTUM * momentum + gradient)
        ahead = gradient + MOMENTUM * momentum  # as Nesterov
        rate = ops.cast(learning_rate, variable.dtype)
        self.assign_sub(variable, rate * muon_step(ahead))


def is_matrix(shape: tuple[int, ...]) -> bool:
    """Return whether a weight of a shape is a kernel that Muon trains."""
    # A depthwise kernel is (height, width, channels, 1).
    return len(shape) in (2, 4) and shape[-1] > 1 and math.prod(shape) <= LARGEST


def muon_step(direction: Any) -> Any:
    """Return the step for a direction: its singular values are near 1, then scaled.

    Args:
        direction: (..., outputs) float; all axes but the last are inputs.

    Returns:
        The same shape.
    """
    shape = tuple(direction.shape)
    inputs, outputs = math.prod(shape[:-1]), shape[-1]
    matrix = ops.reshape(direction, (inputs, outputs))
    if inputs > outputs:  # the products below are then smaller
        matrix = ops.transpose(matrix)
    matrix = matrix / (ops.norm(matrix) + 1e-7)
    first, third, fifth = _CUBIC
    for _ in range(_ROUNDS):
        square = ops.matmul(matrix, ops.transpose(matrix))
        matrix = first * matrix + ops.matmul(
            third * square + fifth * ops.matmul(square, square), matrix
        )
    if inputs > outputs:
        matrix = ops.transpose(matrix)
    return ops.reshape(matrix, shape) * (_RMS * math.sqrt(max(inputs, outputs)))

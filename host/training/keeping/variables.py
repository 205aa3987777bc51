"""The variables that decide how a network goes on learning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray


def state_variables(model: Any) -> list[Any]:
    """Return a model's weights and the state of its random numbers, without its metrics."""
    metrics = {id(variable) for variable in metric_variables(model)}
    return [variable for variable in model.variables if id(variable) not in metrics]


def metric_variables(model: Any) -> list[Any]:
    """Return what the metrics of a compiled model have summed up so far."""
    return [variable for metric in model.metrics for variable in metric.variables]


def values(variables: Iterable[Any]) -> list[NDArray[Any]]:
    """Return copies of the variables' values."""
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def give(variables: Sequence[Any], arrays: Sequence[NDArray[Any]]) -> None:
    """Set variables to values that `values` returned.

    Raises:
        ValueError: they are those of another network.
    """
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)

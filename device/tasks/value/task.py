"""Value: an output of one number, which has a unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.task import Decode, Rows, Said, Task, check_vector
from edgeinfer.device.tasks.value.prediction import Value


class ValueTask(Task):
    """A measured quantity."""

    name: ClassVar[str] = "value"
    first_schema: ClassVar[int] = 1
    parts: ClassVar[frozenset[str]] = frozenset({"value"})
    smooths: ClassVar[bool] = True

    def check(self, said: Said) -> None:
        """Refuse labels, and a value without its unit."""
        if said.value is None or said.labels:
            raise ValueError("task 'value' needs a value's unit and no labels")
        super().check(said)

    def check_outputs(self, said: Said, outputs: Sequence[TensorSpec]) -> None:
        """Refuse an output of more than one number."""
        check_vector(outputs[0], 1)

    def make_decode(
        self, said: Said, outputs: Sequence[TensorSpec], preprocess: PreprocessSpec
    ) -> Decode:
        """Return what turns the output into a quantity: output * scale + offset."""
        output, value = outputs[0], said.value
        assert value is not None

        def decode(tensors: Sequence[NDArray[np.generic]]) -> Value:
            real = float(output.dequantize(tensors[0]).reshape(-1)[0])
            return Value(value=real * value.scale + value.offset, unit=value.unit)

        return decode

    def rows(self, said: Said) -> Rows:
        """Return the unit as well."""
        assert said.value is not None
        return [("unit", said.value.unit), *super().rows(said)]


TASK = ValueTask()

"""The CPU variant as the fallback of a delegate's, whose tensors may be of other dtypes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.runtime.runner import ModelRunner


def convert_tensor(
    tensor: NDArray[Any], source: TensorSpec, target: TensorSpec
) -> NDArray[np.generic]:
    """Return the tensor of `target`'s dtype and quantization that stands for the same real values.

    Values that `target` cannot hold become its nearest; halves round to even, as the quantizing
    kernels of numpy and the preprocessing's own tables do within half a step.
    """
    if (source.dtype, source.scale, source.zero_point) == (
        target.dtype,
        target.scale,
        target.zero_point,
    ):
        return tensor
    real = source.dequantize(tensor)
    dtype = np.dtype(target.dtype)
    if not target.scale:
        if dtype.kind in "iu":
            bounds = np.iinfo(dtype)
            real = np.clip(np.rint(real), bounds.min, bounds.max)
        return cast("NDArray[np.generic]", real.astype(dtype))
    bounds = np.iinfo(dtype)
    steps = np.rint(real / target.scale) + target.zero_point
    return cast("NDArray[np.generic]", np.clip(steps, bounds.min, bounds.max).astype(dtype))


class Substitute:
    """Answers with another variant's model, through tensors with the specs of the first.

    Args:
        runner: the other variant's model.
        inputs: specs of the tensors that come in.
        outputs: specs of the tensors that go out.
    """

    def __init__(
        self,
        runner: ModelRunner,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
    ) -> None:
        self._runner = runner
        self._inputs = inputs
        self._outputs = outputs

    def invoke(self, tensors: Sequence[NDArray[Any]]) -> list[NDArray[np.generic]]:
        """Run the model once.

        Raises:
            ModelError: the runtime failed.
        """
        given = [
            convert_tensor(tensor, source, target)
            for tensor, source, target in zip(
                tensors, self._inputs, self._runner.inputs, strict=True
            )
        ]
        return [
            convert_tensor(output, source, target)
            for output, source, target in zip(
                self._runner.invoke(given), self._runner.outputs, self._outputs, strict=True
            )
        ]

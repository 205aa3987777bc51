"""The first operators of a `.tflite` model as a separate model.

See `device/tflite/edits/cut.py` for how a file is cut.
"""

from __future__ import annotations

from collections.abc import Iterable

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.tflite.edits.cut import cut_model
from edgeinfer.device.tflite.model import ELEMENT_BITS, Subgraph, Tensor
from edgeinfer.device.tflite.reader import read_tflite


class Prefixes:
    """Makes models of the first operators of one model.

    Args:
        model: the `.tflite` file's bytes.
        subject: the file's name, for errors.

    Raises:
        ModelError: it is not a model, or one of whose operators prefixes cannot be made: it has
            several graphs, no operators, or an operator whose results cannot be outputs.

    Attributes:
        graph: the main graph.
    """

    def __init__(self, model: bytes, *, subject: str) -> None:
        parsed = read_tflite(model, subject=subject)
        self._model = model
        self._subject = subject
        if len(parsed.subgraphs) != 1:
            raise self._error(
                f"has {len(parsed.subgraphs)} graphs", "one: operators that call graphs cannot be "
            )
        self.graph: Subgraph = parsed.subgraphs[0]
        if not self.graph.operators:
            raise self._error("has no operators", "some: nothing can be ")
        for number in range(len(self.graph.operators)):
            self._check(number)

    def __len__(self) -> int:
        """Return how many operators the model has."""
        return len(self.graph.operators)

    def model(self, count: int) -> bytes:
        """Return the model that ends after the first `count` operators, 1 to all of them.

        Its outputs are all that those operators computed and none of them used, so that a runtime
        can leave none out: the results that wait for a later operator, and those of the last one.

        Raises:
            ModelError: the file shares lists between tables, so that changing it changed more.
        """
        try:
            return cut_model(self._model, count, self.outputs(count), subject=self._subject)
        except ModelError as error:
            raise self._error(error.got, "separate lists: it cannot be ") from error

    def outputs(self, count: int) -> tuple[int, ...]:
        """Return the tensors that the model of the first `count` operators answers with."""
        steps = self.graph.operators[:count]
        used = {index for step in steps for index in step.inputs}
        computed = dict.fromkeys(index for step in steps for index in step.outputs)
        wanted = {*self.graph.outputs, *steps[-1].outputs}
        return tuple(index for index in computed if index not in used or index in wanted)

    def result(self, number: int) -> Tensor:
        """Return the first output of an operator, counted from 0."""
        return self.graph.tensors[self.graph.operators[number].outputs[0]]

    def _check(self, number: int) -> None:
        """Refuse an operator whose results cannot be a model's outputs."""
        step = self.graph.operators[number]
        if not step.outputs:
            raise self._error(f"operator {number} ({step.op}) has no output", "one: it cannot be ")
        for tensor in _tensors(self.graph, step.outputs):
            if ELEMENT_BITS[tensor.dtype] is None:
                raise self._error(
                    f"operator {number} ({step.op}) gives a {tensor.dtype}",
                    "numbers: it cannot be ",
                )

    def _error(self, got: str, expected: str) -> ModelError:
        return ModelError(
            self._subject,
            got=got,
            expected=f"{expected}profiled operator by operator",
            next_step="leave --ops out",
        )


def _tensors(graph: Subgraph, indices: Iterable[int]) -> list[Tensor]:
    return [graph.tensors[index] for index in indices if index >= 0]

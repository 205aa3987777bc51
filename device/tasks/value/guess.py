"""What a plain model's numbers measure: one number, or several with names."""

from __future__ import annotations

import re

from edgeinfer.device.tasks.guess import Guess, Shown, gives_probabilities
from edgeinfer.device.tasks.spec import ValueSpec
from edgeinfer.device.tasks.task import is_one_number, is_vector

_MEANINGLESS = r"(statefulpartitionedcall|identity|output|outputs|unknown|keras_tensor|tensor)?"
_NUMBER = r"[_:\d]*"
"""Names that exporters give to outputs without a name, such as `StatefulPartitionedCall_1:0`."""


def guess_values(shown: Shown) -> Guess | None:
    """Return how one number, or several, are to be read; None for any other model.

    Several numbers of one output are values where the user says so only: a classifier's logits
    look the same. Several outputs of one number each are values.
    """
    outputs = shown.outputs
    spec = ValueSpec(unit="")
    if len(outputs) == 1 and is_one_number(outputs[0]):
        if gives_probabilities(shown) and not shown.wanted:
            return None
        return Guess(
            task="value", value=spec, reason="" if shown.wanted else "a value, by its one number"
        )
    if len(outputs) == 1 and shown.wanted and is_vector(outputs[0]):
        return Guess(task="value", value=spec, classes=outputs[0].shape[-1])
    if len(outputs) > 1 and all(map(is_one_number, outputs)):
        return Guess(
            task="value",
            value=spec,
            classes=len(outputs),
            labels=_names(shown),
            reason=""
            if shown.wanted
            else f"a model of {len(outputs)} values, by its outputs of one number each",
        )
    return None


def _names(shown: Shown) -> tuple[str, ...]:
    """Return the outputs' names by metadata, signature or tensors; none where they say nothing."""
    candidates = [tuple(tensor.name for tensor in shown.said), shown.output_names]
    # Converters write a tensor's name with its scope and output, such as `model/angle/BiasAdd:0`.
    candidates.append(tuple(output.name for output in shown.outputs))
    for names in candidates:
        if len(set(names)) == len(shown.outputs) == len(names) and not any(
            map(_says_nothing, names)
        ):
            return names
    return ()


def _says_nothing(name: str) -> bool:
    return re.fullmatch(_MEANINGLESS + _NUMBER, name, re.IGNORECASE) is not None

"""Models with several signatures: a copy of a `.tflite` file that has one, which is its main graph.

Runtimes run the first graph unless they are asked by a signature's name. In the copy the first
graph is the one of that signature, so that all that reads or runs a model takes it. Two offsets
change places in the list of graphs, and the list of signatures ends after the chosen one.
"""

from __future__ import annotations

import struct
from dataclasses import replace

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.tflite.flatbuffer import FlatBuffer
from edgeinfer.device.tflite.model import Signature, TfliteModel
from edgeinfer.device.tflite.reader import read_tflite
from edgeinfer.device.tflite.safety.subgraphs import CALLS
from edgeinfer.device.tflite.weights_outside import MODEL_SUBGRAPHS, require_apart

_MODEL_SIGNATURES = 7
_SIGNATURE_GRAPH = 4


def with_signature(model: bytes, name: str, *, subject: str) -> bytes:
    """Return the model whose main graph and only signature are those of a name.

    Args:
        model: the file's bytes.
        name: one of its signatures.
        subject: the file's name, for errors.

    Raises:
        ModelError: it is not a model, has no such signature, or cannot be changed: a graph calls
            the one that is chosen, or its lists share bytes with something else.
    """
    before = read_tflite(model, subject=subject)
    number = next((i for i, item in enumerate(before.signatures) if item.name == name), None)
    if number is None:
        listed = ", ".join(item.name for item in before.signatures)
        raise ModelError(
            subject, got=f"has no signature '{name}'", expected=f"one of {listed or 'none'}"
        )
    chosen = before.signatures[number].subgraph
    if chosen and _is_called({0, chosen}, before):
        raise ModelError(
            subject,
            got=f"its graphs call the one of signature '{name}', or the first one",
            expected="separate graphs",
            next_step="convert the model with this signature only",
        )
    numbers = _changes(model, number, chosen)
    require_apart(model, [(place, 4) for place in numbers], subject=subject)
    changed = bytearray(model)
    for place, value in numbers.items():
        # An offset that would lead back is not possible; the comparison below finds it.
        struct.pack_into("<I", changed, place, max(value, 0))
    one = bytes(changed)
    if _read(one, subject) != _expected(before, before.signatures[number]):
        raise ModelError(
            subject,
            got="shares bytes between its lists",
            expected=f"separate lists: signature '{name}' cannot be chosen",
            next_step="convert the model with this signature only",
        )
    return one


def _changes(model: bytes, number: int, chosen: int) -> dict[int, int]:
    """Return which 32-bit numbers change, by their places in the file.

    Args:
        model: the file's bytes.
        number: of the signature.
        chosen: of its graph.
    """
    root = FlatBuffer(model).root()
    signatures = root.table_places(_MODEL_SIGNATURES)
    # The chosen signature is the first, and the list ends after it: its length comes before it.
    changes = {
        signatures[0]: _target(model, signatures[number]) - signatures[0],
        signatures[0] - 4: 1,
    }
    if chosen:
        graphs = root.table_places(MODEL_SUBGRAPHS)
        first, other = graphs[0], graphs[chosen]
        changes[first] = _target(model, other) - first
        changes[other] = _target(model, first) - other
        place = root.tables(_MODEL_SIGNATURES)[number].number_place(_SIGNATURE_GRAPH, "I")
        assert place is not None, "a number other than its default is there"
        changes[place] = 0
    return changes


def _target(model: bytes, place: int) -> int:
    """Return where an offset leads, which counts from its own place."""
    return place + int.from_bytes(model[place : place + 4], "little")


def _read(model: bytes, subject: str) -> TfliteModel | None:
    try:
        return read_tflite(model, subject=subject)
    except ModelError:
        return None


def _is_called(numbers: set[int], model: TfliteModel) -> bool:
    return any(
        operator.options[option] in numbers
        for graph in model.subgraphs
        for operator in graph.operators
        for option in CALLS.get(operator.op, ())
    )


def _expected(before: TfliteModel, signature: Signature) -> TfliteModel:
    graphs = list(before.subgraphs)
    chosen = signature.subgraph
    graphs[0], graphs[chosen] = graphs[chosen], graphs[0]
    return replace(before, subgraphs=tuple(graphs), signatures=(replace(signature, subgraph=0),))

"""Models that end earlier: a copy of a `.tflite` file with a shorter list of operators.

The copy is changed in few places: the main graph's list of operators is made shorter, and its
outputs become a new list at the end. No FlatBuffer writer is needed. Weights of operators that were
cut off stay in the copy; runtimes ignore them.
"""

from __future__ import annotations

import struct

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.tflite.flatbuffer import FlatBuffer
from edgeinfer.device.tflite.model import TfliteModel
from edgeinfer.device.tflite.reader import read_tflite
from edgeinfer.device.tflite.weights_outside import MODEL_SUBGRAPHS, require_apart

# Fields of the schema's tables.
_MODEL_CODES = 1
_GRAPH_OUTPUTS, _GRAPH_OPERATORS = 2, 3
_CODE_OLD, _CODE_NEW = 0, 3

POSE_DECODER = "PosenetDecoderOp"
"""Coral's custom operator at the end of its PoseNets, which no runtime for Python has."""


def cut_model(model: bytes, count: int, outputs: tuple[int, ...], *, subject: str) -> bytes:
    """Return the model that ends after the first `count` operators of its main graph.

    Args:
        model: the file's bytes.
        count: how many operators stay.
        outputs: the tensors that the copy answers with.
        subject: the file's name, for errors.

    Raises:
        ModelError: it is not a model, or its lists cannot be changed: it has none, the file shares
            them between tables, or its weights overlap them, so that changing one would change
            more.
    """
    before = read_tflite(model, subject=subject).subgraphs[0]
    main = FlatBuffer(model).root().tables(MODEL_SUBGRAPHS)[0]
    places = main.offset_place(_GRAPH_OUTPUTS), main.offset_place(_GRAPH_OPERATORS)
    if places[0] is None or places[1] is None:
        raise ModelError(subject, got="names no outputs", expected="outputs: it cannot be cut")
    require_apart(model, [(places[0][0], 4), (places[1][1], 4)], subject=subject)
    # Behind everything: what lies outside the FlatBuffer stays where the file says it is.
    end = -(-len(model) // 4) * 4
    changed = bytearray(model.ljust(end, b"\0"))
    changed += struct.pack(f"<I{len(outputs)}i", len(outputs), *outputs)
    struct.pack_into("<I", changed, places[0][0], end - places[0][0])
    struct.pack_into("<I", changed, places[1][1], count)
    cut = bytes(changed)
    # Equal lists may be stored once for several tables; then more was changed than was meant.
    graph = read_tflite(cut, subject=subject).subgraphs[0]
    if (graph.operators, graph.outputs, graph.inputs) != (
        before.operators[:count],
        outputs,
        before.inputs,
    ):
        raise ModelError(
            subject,
            got="shares lists between its tables",
            expected="separate lists: it cannot be cut",
        )
    return cut


def without_pose_decoder(model: bytes, *, subject: str) -> bytes:
    """Return a model that ends before its `PosenetDecoderOp`, any other one as it is.

    The copy answers with what the operator took: heatmaps, offsets and displacements.

    Raises:
        ModelError: it is not a model, or one that cannot be cut.
    """
    if POSE_DECODER.encode() not in model:
        return model
    graph = read_tflite(model, subject=subject).subgraphs[0]
    if not graph.operators or graph.operators[-1].op != POSE_DECODER:
        return model
    last = graph.operators[-1]
    cut = cut_model(model, len(graph.operators) - 1, last.inputs, subject=subject)
    return _forget_operator(cut, read_tflite(cut, subject=subject), subject)


def _forget_operator(model: bytes, parsed: TfliteModel, subject: str) -> bytes:
    """Declare a builtin operator instead of the custom one: runtimes look up what is declared.

    The operator is ADD, number 0, which every runtime has.
    """
    tables = FlatBuffer(model).root().tables(_MODEL_CODES)
    places: list[tuple[str, int | None]] = []
    for table, code in zip(tables, parsed.operator_codes, strict=True):
        if code.custom and code.op == POSE_DECODER:
            places.append(("<b", table.number_place(_CODE_OLD, "b")))
            places.append(("<i", table.number_place(_CODE_NEW, "i")))
    there = [(kind, place) for kind, place in places if place is not None]
    require_apart(model, [(place, 4) for _, place in there], subject=subject)
    changed = bytearray(model)
    for kind, place in there:
        struct.pack_into(kind, changed, place, 0)
    return bytes(changed)

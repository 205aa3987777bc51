"""Which tensors hold values that depend on what a model is fed.

A size, an axis or a padding that is computed from a picture's values could be anything, and some
kernels trust it: what is tried with one picture says nothing of the next. Sizes that are computed
from shapes, counts and indices are bounded by the tensors' own sizes.
"""

from __future__ import annotations

from collections.abc import Sequence

from edgeinfer.device.tflite.model import Operator, Subgraph, TfliteModel
from edgeinfer.device.tflite.safety.subgraphs import CALLS

_BOUNDED_OUTPUTS: dict[str, tuple[int, ...]] = {
    "SHAPE": (0,),
    "RANK": (0,),
    "ARG_MAX": (0,),
    "ARG_MIN": (0,),
    "WHERE": (0,),
    "TOPK_V2": (1,),
    "UNIQUE": (1,),
    "NON_MAX_SUPPRESSION_V4": (0, 1),
    "NON_MAX_SUPPRESSION_V5": (0, 2),
}
"""Outputs that are sizes, counts or indices, of each operator that has some."""


def tensors_from_data(model: TfliteModel) -> list[set[int]]:
    """Return for each graph the tensors whose values depend on what the model is fed.

    What a graph takes from its caller depends on that as the caller's tensors do; a loop's, as what
    its body gives back does too. A variable may hold anything that was fed before.

    Args:
        model: one whose graphs call none that is not there.
    """
    found = [set[int]() for _ in model.subgraphs]
    found[0].update(model.subgraphs[0].inputs)
    known = -1
    # Sets only grow, so that this ends; graphs that call each other take a round for each level.
    while known != (known := sum(map(len, found))):
        for number, graph in enumerate(model.subgraphs):
            _follow(graph, found[number], found, model)
    return found


def _follow(graph: Subgraph, mine: set[int], found: Sequence[set[int]], model: TfliteModel) -> None:
    """Follow a graph's operators once, and note what depends on data, here and in others."""
    for operator in graph.operators:
        if operator.op in CALLS:
            _call(operator, mine, found, model)
        elif operator.op == "READ_VARIABLE" or not mine.isdisjoint(operator.inputs):
            bounded = _BOUNDED_OUTPUTS.get(operator.op, ())
            mine.update(
                index for place, index in enumerate(operator.outputs) if place not in bounded
            )


def _call(
    operator: Operator, mine: set[int], found: Sequence[set[int]], model: TfliteModel
) -> None:
    given = operator.inputs[1:] if operator.op == "IF" else operator.inputs
    # Which branch answers, and how often a loop turns, is decided by a value too.
    decided = operator.op == "IF" and operator.inputs[0] in mine
    for option in CALLS[operator.op]:
        number = operator.options[option]
        callee, theirs = model.subgraphs[number], found[number]
        pairs = list(zip(given, callee.inputs, strict=False))
        theirs.update(there for here, there in pairs if here in mine)
        if option == "cond_graph":
            continue
        for place, index in enumerate(operator.outputs):
            if place >= len(callee.outputs):
                continue
            if decided or callee.outputs[place] in theirs:
                mine.add(index)
                if operator.op == "WHILE" and place < len(callee.inputs):
                    _feed_back(operator, place, found, model)


def _feed_back(
    operator: Operator, place: int, found: Sequence[set[int]], model: TfliteModel
) -> None:
    """Note that what a loop's body gives at a place, its next turn takes."""
    for option in CALLS["WHILE"]:
        number = operator.options[option]
        inputs = model.subgraphs[number].inputs
        if place < len(inputs):
            found[number].add(inputs[place])

"""Graphs that call graphs: each one is there, fits its caller, and none calls itself.

A runtime prepares a called graph while it prepares the caller: a graph that calls itself, over
others or directly, ends the process because the stack is full.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgeinfer.device.tflite.flatbuffer import FlatbufferError
from edgeinfer.device.tflite.model import Operator, Subgraph, Tensor, TfliteModel

CALLS: Mapping[str, tuple[str, ...]] = {
    "IF": ("then_graph", "else_graph"),
    "WHILE": ("cond_graph", "body_graph"),
    "CALL_ONCE": ("init_graph",),
    "STABLEHLO_COMPOSITE": ("decomposition_graph",),
}
"""The options that hold the number of a graph, of each operator that has some."""

_MOST_DEPTH = 32
"""How deep graphs may call each other; converters nest a few."""


def check_calls(model: TfliteModel) -> None:
    """Refuse graphs that call themselves or a graph that does not fit.

    Raises:
        FlatbufferError: naming the operator.
    """
    called: list[set[int]] = []
    for subgraph in model.subgraphs:
        numbers: set[int] = set()
        for position, operator in enumerate(subgraph.operators):
            subject = f"operator {position} ({operator.op})"
            for option in CALLS.get(operator.op, ()):
                number = operator.options[option]
                if not 0 <= number < len(model.subgraphs):
                    raise FlatbufferError(
                        f"{subject}: graph {number} is none of {len(model.subgraphs)}"
                    )
                numbers.add(number)
                _check_fit(subgraph, operator, option, model.subgraphs[number], subject)
        called.append(numbers)
    depths: dict[int, int] = {}
    for number in range(len(called)):
        _depth(number, called, depths, ())


def _check_fit(
    subgraph: Subgraph, operator: Operator, option: str, callee: Subgraph, subject: str
) -> None:
    """Compare what a caller hands over and takes back with the graph that it calls."""
    given = [subgraph.tensors[index] for index in operator.inputs if index >= 0]
    taken: Sequence[Tensor] | None = [subgraph.tensors[index] for index in operator.outputs]
    if operator.op == "IF":
        given = given[1:]
    if option == "cond_graph":
        taken = None
        answers = [callee.tensors[index].dtype for index in callee.outputs]
        if answers != ["bool"]:
            raise FlatbufferError(f"{subject}: its condition answers {answers}, expected one bool")
    for what, here, there in (
        ("inputs", given, callee.inputs),
        ("outputs", taken, callee.outputs),
    ):
        if here is None:
            continue
        wanted = [callee.tensors[index].dtype for index in there]
        types = [tensor.dtype for tensor in here]
        if types != wanted:
            raise FlatbufferError(
                f"{subject}: its {what} are {types}, those of the graph that it calls {wanted}"
            )


def _depth(
    number: int, called: Sequence[set[int]], depths: dict[int, int], above: tuple[int, ...]
) -> int:
    if number in above:
        raise FlatbufferError(f"graph {number} calls itself")
    if len(above) > _MOST_DEPTH:
        raise FlatbufferError(f"its graphs call each other more than {_MOST_DEPTH} deep")
    if number not in depths:
        below = (_depth(other, called, depths, (*above, number)) for other in called[number])
        depths[number] = 1 + max(below, default=0)
    return depths[number]

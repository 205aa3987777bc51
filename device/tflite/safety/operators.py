"""Holds operators to the table of signatures, before a runtime is handed the model."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence, Set
from dataclasses import dataclass
from functools import cache

from edgeinfer.device.tflite.flatbuffer import FlatbufferError
from edgeinfer.device.tflite.model import (
    OPTIONAL_TENSOR,
    Operator,
    Subgraph,
    Tensor,
    TfliteModel,
)
from edgeinfer.device.tflite.safety.scales import check_scales
from edgeinfer.device.tflite.safety.signatures import LETTERS, SIGNATURES, UNCOVERED_CUSTOM_OPS

_TOKEN = re.compile(
    r"(?P<types>\*|[A-Za-z0-9]+)(?:@(?P<low>\d)(?:(?P<open>\+)|-(?P<high>\d))?)?"
    r"(?:#(?P<count>\d|r))?(?P<fixed>!)?(?P<mark>\?|\.\.\.)?"
)
_MOST_DIMENSIONS = 8
_ONE_TYPE = "T"


@dataclass(frozen=True, kw_only=True)
class Slot:
    """What one tensor of a signature may be; see `signatures.py`."""

    types: frozenset[str]
    one_type: bool
    ranks: range | None
    elements: int | None
    elements_are_rank: bool
    fixed: bool
    optional: bool
    repeated: bool

    @property
    def text(self) -> str:
        """The types, for people."""
        return " or ".join(sorted(self.types)) if self.types else "any type"


@dataclass(frozen=True, kw_only=True)
class Signature:
    """What an operator takes and gives, a slot for each tensor."""

    inputs: tuple[Slot, ...]
    outputs: tuple[Slot, ...]


@dataclass(frozen=True, kw_only=True)
class _Operand:
    """A tensor as an operator has it; the rank is None where only the runtime will know it."""

    tensor: Tensor
    rank: int | None
    from_data: bool


def uncovered_operators(model: TfliteModel) -> tuple[str, ...]:
    """Return the operators of a model that no table covers, in alphabetical order.

    Of custom operators these are only those that a runtime has: it refuses every other by itself,
    and a delegate that has one computes in a separate process.
    """
    names = {
        operator.op
        for subgraph in model.subgraphs
        for operator in subgraph.operators
        if (operator.op in UNCOVERED_CUSTOM_OPS if operator.custom else True)
        and operator.op not in SIGNATURES
    }
    return tuple(sorted(names))


def check_operator(
    subgraph: Subgraph, operator: Operator, *, unknown: Set[int], from_data: Set[int], subject: str
) -> None:
    """Refuse an operator that is not as the table says; skip one that it does not cover.

    Args:
        subgraph: the graph that it is in, whose tensors its indices lie within.
        operator: the operator.
        unknown: tensors of which only the runtime will know the shape.
        from_data: tensors whose values depend on what the model is fed.
        subject: the operator, for errors.

    Raises:
        FlatbufferError: naming the operator and what is wrong with it.
    """
    signatures = SIGNATURES.get(operator.op)
    if signatures is None:
        return
    inputs = [_operand(subgraph, index, unknown, from_data) for index in operator.inputs]
    outputs = [_operand(subgraph, index, unknown, ()) for index in operator.outputs]
    faults = [_fault(parse_signature(text), inputs, outputs) for text in signatures]
    if None not in faults:
        raise FlatbufferError(f"{subject}: {_best(faults, inputs, outputs)}")
    check_scales(
        operator,
        [operand.tensor for operand in inputs if operand is not None],
        [operand.tensor for operand in outputs if operand is not None],
        subject=subject,
    )


def _operand(
    subgraph: Subgraph, index: int, unknown: Set[int], from_data: Container[int]
) -> _Operand | None:
    if index == OPTIONAL_TENSOR:
        return None
    tensor = subgraph.tensors[index]
    # Converters write an empty shape where they do not know it, which a scalar has too.
    known = tensor.shape or index not in unknown
    return _Operand(
        tensor=tensor, rank=len(tensor.shape) if known else None, from_data=index in from_data
    )


def _fault(
    signature: Signature, inputs: Sequence[_Operand | None], outputs: Sequence[_Operand | None]
) -> str | None:
    """Return how the tensors differ from a signature; None where they fit."""
    one_type: set[str] = set()
    data = inputs[0] if inputs else None
    data_rank = None if data is None else data.rank
    for what, slots, operands in (
        ("input", signature.inputs, inputs),
        ("output", signature.outputs, outputs),
    ):
        required = sum(not slot.optional for slot in slots)
        repeated = any(slot.repeated for slot in slots)
        if len(operands) < required or (len(operands) > len(slots) and not repeated):
            return f"it has {len(operands)} {what}s, expected {_count(required, slots)}"
        for number, operand in enumerate(operands):
            slot = slots[min(number, len(slots) - 1)]
            if operand is None:
                if not slot.optional:
                    return f"{what} {number} is left out"
                continue
            if fault := _slot_fault(slot, operand, data_rank):
                return f"{what} {number}: {fault}"
            if slot.one_type:
                one_type.add(operand.tensor.dtype)
    if len(one_type) > 1:
        return f"its tensors are of the types {' and '.join(sorted(one_type))}, expected one type"
    return None


def _slot_fault(slot: Slot, operand: _Operand, data_rank: int | None) -> str | None:
    tensor = operand.tensor
    if slot.types and tensor.dtype not in slot.types:
        return f"its type is {tensor.dtype}, expected {slot.text}"
    if slot.fixed and operand.from_data:
        return "it depends on what the model is fed, expected a constant"
    if operand.rank is None:
        return None
    if slot.ranks is not None and operand.rank not in slot.ranks:
        return (
            f"its shape {tensor.shape} has {operand.rank} dimensions, "
            f"expected {_range_text(slot.ranks)}"
        )
    elements = data_rank if slot.elements_are_rank else slot.elements
    if elements is not None and tensor.elements != elements:
        return f"it has {tensor.elements} elements, expected {elements}"
    return None


def _best(
    faults: Sequence[str | None],
    inputs: Sequence[_Operand | None],
    outputs: Sequence[_Operand | None],
) -> str:
    """Return the error to report: of several signatures none may be the one that was meant."""
    if len(set(faults)) == 1:
        return str(faults[0])
    taken = ", ".join(_type(operand) for operand in inputs)
    given = ", ".join(_type(operand) for operand in outputs)
    return f"it takes {taken} and gives {given}, which no kernel does ({faults[0]})"


def _type(operand: _Operand | None) -> str:
    return "nothing" if operand is None else f"{operand.tensor.dtype} {operand.tensor.shape}"


def _count(required: int, slots: Sequence[Slot]) -> str:
    if any(slot.repeated for slot in slots):
        return f"{required} or more"
    return str(required) if required == len(slots) else f"{required} to {len(slots)}"


def _range_text(ranks: range) -> str:
    if len(ranks) == 1:
        return str(ranks[0])
    if ranks[-1] == _MOST_DIMENSIONS:
        return f"{ranks[0]} or more"
    return f"{ranks[0]} to {ranks[-1]}"


@cache
def parse_signature(text: str) -> Signature:
    """Return what a line of the table says; see `signatures.py`."""
    shared, colon, rest = text.rpartition(":")
    one_type = shared if colon else ""
    inputs, _, outputs = rest.partition("->")
    return Signature(
        inputs=tuple(_slot(token, one_type) for token in inputs.split()),
        outputs=tuple(_slot(token, one_type) for token in outputs.split()),
    )


def _slot(token: str, one_type: str) -> Slot:
    match = _TOKEN.fullmatch(token)
    assert match is not None, token
    letters = one_type if match["types"] == _ONE_TYPE else match["types"]
    low, count = match["low"], match["count"]
    ranks = None
    if low is not None:
        high = _MOST_DIMENSIONS if match["open"] else int(match["high"] or low)
        ranks = range(int(low), high + 1)
    return Slot(
        types=frozenset() if letters == "*" else frozenset(LETTERS[letter] for letter in letters),
        one_type=match["types"] == _ONE_TYPE,
        ranks=ranks,
        elements=int(count) if count and count != "r" else None,
        elements_are_rank=count == "r",
        fixed=match["fixed"] is not None,
        optional=match["mark"] == "?",
        repeated=match["mark"] == "...",
    )

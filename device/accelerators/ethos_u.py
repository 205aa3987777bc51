"""What an Arm Ethos-U takes of a model: what vela, its compiler, put into it.

Nothing is predicted here: vela is a free program that runs on every workstation, so that asking it
is no more trouble (`edgeinfer convert --board`), and its word is the last.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgeinfer.device.accelerators.mapping import BESIDE_COMPILED, MappedOp, OpMapping
from edgeinfer.device.tflite.model import ETHOS_U_OP, TfliteModel

COMPILED = "compiled for the NPU"
NOT_COMPILED = "not compiled: vela decides what the NPU takes"


@dataclass(frozen=True, kw_only=True)
class EthosUMapping(OpMapping):
    """What the NPU takes of a model as it is.

    Attributes:
        compiled: vela has compiled it; if not, all of it runs on the CPU as it is.
    """

    compiled: bool


def map_ethos_u(model: TfliteModel) -> EthosUMapping:
    """Return which operators of a model are the NPU's."""
    compiled = ETHOS_U_OP in model.custom_ops
    operators = model.subgraphs[0].operators if model.subgraphs else ()
    left = BESIDE_COMPILED if compiled else NOT_COMPILED
    return EthosUMapping(
        ops=tuple(
            MappedOp(
                index=index,
                op=operator.op,
                target="ethos-u" if operator.op == ETHOS_U_OP else "cpu",
                reason=COMPILED if operator.op == ETHOS_U_OP else left,
                supported=operator.op == ETHOS_U_OP,
            )
            for index, operator in enumerate(operators)
        ),
        compiled=compiled,
    )

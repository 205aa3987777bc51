"""What an Arm Ethos-U takes of a model: what vela, its compiler, put into it.

Nothing is predicted here: vela is a free program that runs on every workstation, so that asking it
is just as easy (`edgeinfer convert --board`), and its answer decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeinfer.device.accelerators.accelerator import Accelerator
from edgeinfer.device.accelerators.mapping import NOT_COMPILED, OpMapping, compiled_ops, ops_json
from edgeinfer.device.accelerators.report import table_lines
from edgeinfer.device.tflite.compiled_ops import ETHOS_U_OP

if TYPE_CHECKING:
    from edgeinfer.device.tflite.model import TfliteModel

COMPILED = "compiled for the NPU"
UNDECIDED = "vela decides what the NPU takes"


class EthosU(Accelerator):
    """An NPU of Arm's, as i.MX 93 has one."""

    name = "ethos-u"
    device = "an Arm Ethos-U"
    target = "an Arm Ethos-U"
    library = "libethosu_delegate.so"
    package = "it is part of the board vendor's system image (i.MX 93: NXP's Yocto Linux)"
    nodes = ("/dev/ethosu0",)
    op = ETHOS_U_OP

    def map_model(self, model: TfliteModel) -> OpMapping:
        """Return which operators of a model are the NPU's."""
        compiled = ETHOS_U_OP in model.custom_ops
        left = NOT_COMPILED if compiled else f"not compiled: {UNDECIDED}"
        ops = compiled_ops(model, ETHOS_U_OP, self.name, reason=COMPILED, left=left)
        return OpMapping(
            ops=ops,
            partitions=int(any(op.supported for op in ops)),
            compiled=compiled,
            undecided="" if compiled else UNDECIDED,
        )

    def lines(self, model: TfliteModel) -> list[str]:
        """Return for people what is compiled."""
        mapping = self.map_model(model)
        if mapping.undecided:
            return [f"it is not compiled: {mapping.undecided}, see convert --board"]
        return [
            f"{mapping.mapped} of {len(mapping.ops)} operators are compiled for the NPU",
            *table_lines(mapping),
        ]

    def to_json(self, model: TfliteModel) -> dict[str, object]:
        """Return for scripts what is compiled."""
        mapping = self.map_model(model)
        return {
            "mapped": mapping.mapped,
            "total": len(mapping.ops),
            "ops": ops_json(mapping),
            "compiled": mapping.compiled,
        }


ACCELERATOR = EthosU()

"""An accelerator as another package would provide it: the Loom, which takes no MEAN."""

from __future__ import annotations

from edgeinfer.converters.targets.delegate import DelegateTarget
from edgeinfer.device.accelerators.accelerator import Accelerator
from edgeinfer.device.accelerators.mapping import SUPPORTED, MappedOp, OpMapping
from edgeinfer.device.accelerators.partitions import partitions
from edgeinfer.device.tflite.model import TfliteModel

NAME = "loom"


class Loom(Accelerator):
    name = NAME
    device = "a Loom"
    target = "the Loom"
    library = "libreference_delegate.so"
    package = "weave it"
    nodes = ("/dev/loom0",)
    op = "loom-op"

    def map_model(self, model: TfliteModel) -> OpMapping:
        operators = model.subgraphs[0].operators
        taken = [operator.op != "MEAN" for operator in operators]
        ops = tuple(
            MappedOp(
                index=index,
                op=operator.op,
                target=NAME if fits else "cpu",
                reason=SUPPORTED if fits else "the Loom has no such operator",
                supported=fits,
            )
            for index, (operator, fits) in enumerate(zip(operators, taken, strict=True))
        )
        parts = partitions(operators, taken)
        return OpMapping(ops=ops, partitions=sum(part.supported for part in parts))


class LoomTarget(DelegateTarget):
    name = NAME
    tolerance_steps = 3


ACCELERATOR = Loom()
TARGET = LoomTarget()

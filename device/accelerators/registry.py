"""One question for every accelerator: which operators of a model does it take?"""

from __future__ import annotations

from collections.abc import Callable

from edgeinfer.device.accelerators.edgetpu import EdgeTpuMapping, map_model
from edgeinfer.device.accelerators.edgetpu.report import mapping_json, mapping_lines
from edgeinfer.device.accelerators.ethos_u import EthosUMapping, map_ethos_u
from edgeinfer.device.accelerators.gpu.rules import map_gpu
from edgeinfer.device.accelerators.mapping import DelegateMapping, MappedOp, OpMapping, ops_json
from edgeinfer.device.accelerators.report import delegate_json, delegate_lines, table_lines
from edgeinfer.device.accelerators.vx.rules import map_vx
from edgeinfer.device.tflite.model import TfliteModel

NO_ACCELERATOR = "the board has no accelerator"

_MAPS: dict[str, Callable[[TfliteModel], OpMapping]] = {
    "edgetpu": map_model,
    "ethos-u": map_ethos_u,
    "gpu": map_gpu,
    "vx": map_vx,
}

ACCELERATORS = tuple(_MAPS)
"""Those that can be asked about."""


def map_for(accelerator: str, model: TfliteModel) -> OpMapping:
    """Return where each operator of a model runs.

    Args:
        accelerator: a name of `ACCELERATORS`, or empty for a board without one.
        model: the model.
    """
    if accelerator:
        return _MAPS[accelerator](model)
    operators = model.subgraphs[0].operators if model.subgraphs else ()
    return OpMapping(
        ops=tuple(
            MappedOp(
                index=index, op=operator.op, target="cpu", reason=NO_ACCELERATOR, supported=False
            )
            for index, operator in enumerate(operators)
        )
    )


def answer_lines(accelerator: str, model: TfliteModel) -> list[str]:
    """Return for people where each operator runs."""
    mapping = map_for(accelerator, model)
    if isinstance(mapping, EdgeTpuMapping):
        return mapping_lines(mapping)
    if isinstance(mapping, DelegateMapping):
        return delegate_lines(mapping, accelerator)
    if isinstance(mapping, EthosUMapping):
        if not mapping.compiled:
            return ["it is not compiled: vela decides what the NPU takes, see convert --board"]
        return [
            f"{mapping.mapped} of {len(mapping.ops)} operators are compiled for the NPU",
            *table_lines(mapping),
        ]
    return [f"all operators run on the CPU: {NO_ACCELERATOR}"]


def answer_json(accelerator: str, model: TfliteModel) -> dict[str, object]:
    """Return for scripts where each operator runs."""
    mapping = map_for(accelerator, model)
    if isinstance(mapping, EdgeTpuMapping):
        return mapping_json(mapping)
    if isinstance(mapping, DelegateMapping):
        return delegate_json(mapping)
    answer = {"mapped": mapping.mapped, "total": len(mapping.ops), "ops": ops_json(mapping)}
    return answer | ({"compiled": mapping.compiled} if isinstance(mapping, EthosUMapping) else {})

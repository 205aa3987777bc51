"""A model's operators with their work, and the figures of the whole, as `inspect` shows them."""

from __future__ import annotations

from edgeinfer.device.tflite.activation_memory import alive_bytes, peak_activation
from edgeinfer.device.tflite.macs import model_macs, operator_macs
from edgeinfer.device.tflite.model import Tensor, TfliteModel


def operators_json(model: TfliteModel) -> list[dict[str, object]]:
    """Return each operator of the first graph; shape and dtype are its first output's."""
    graph = model.subgraphs[0]
    found: list[dict[str, object]] = []
    for number, (operator, alive) in enumerate(
        zip(graph.operators, alive_bytes(graph), strict=True)
    ):
        output = graph.tensors[operator.outputs[0]] if operator.outputs else None
        found.append(
            {
                "index": number,
                "op": operator.op,
                "macs": operator_macs(graph, operator),
                "output_shape": list(output.shape_signature or output.shape) if output else None,
                "output_dtype": output.dtype if output else None,
                "alive_bytes": alive,
            }
        )
    return found


def operator_cells(model: TfliteModel) -> list[list[str]]:
    """Return a table's head and each operator of the first graph, for people."""
    graph = model.subgraphs[0]
    cells = [["", "operator", "output", "", "MACs", "alive bytes"]]
    for number, (operator, alive) in enumerate(
        zip(graph.operators, alive_bytes(graph), strict=True)
    ):
        output = graph.tensors[operator.outputs[0]] if operator.outputs else None
        result = [shape_text(output), output.dtype] if output else ["", ""]
        macs = operator_macs(graph, operator)
        cells.append([f"{number}", operator.op, *result, f"{macs:,}", f"{alive:,}"])
    return cells


def macs_cells(macs: int) -> list[str]:
    """Return a row's last two cells, empty for an operator that is not counted."""
    return [f"{macs:,}", "MACs"] if macs else ["", ""]


def macs_text(model: TfliteModel) -> str:
    """Return the MACs of one inference, and whether something is left out."""
    custom = "; custom operators are not counted" if model.custom_ops else ""
    return f"{model_macs(model):,} an inference{custom}"


def peak_text(model: TfliteModel) -> str:
    """Return where activations take most memory."""
    peak = peak_activation(model)
    text = f"{peak.size_bytes:,} bytes at the peak"
    if peak.operator is None:
        return text
    return f"{text}, operator {peak.operator} ({model.subgraphs[0].operators[peak.operator].op})"


def shape_text(tensor: Tensor) -> str:
    """Return a shape for people; a size that varies is `?`."""
    sizes = (str(size) if size >= 0 else "?" for size in tensor.shape_signature or tensor.shape)
    return " x ".join(sizes) or "scalar"

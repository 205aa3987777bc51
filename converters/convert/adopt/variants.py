"""The one variant of an adopted model, with its golden frames."""

from __future__ import annotations

from collections.abc import Sequence

from edgeinfer.converters.bundle.golden import make_golden, make_golden_inputs
from edgeinfer.converters.bundle.write import cpu_variant
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.device.accelerators.accelerator import Accelerator
from edgeinfer.device.core.tensors import Precision
from edgeinfer.device.models.bundle.manifest import CPU, GoldenFrame, Output, Variant
from edgeinfer.device.models.plain_tflite import PlainModel
from edgeinfer.device.tflite.model import TfliteModel

Adopted = tuple[str, Variant, tuple[GoldenFrame, ...], dict[str, bytes]]
"""The variant's name, the variant, the golden frames, and the bundle's members."""

_STEPS = 4
"""How many quantization steps an accelerator's outputs may differ from those recorded on it: as
for models that edgeinfer had compiled."""
_FLOAT_TOLERANCE = 0.05


def adopted_variant(
    content: bytes,
    graph: TfliteModel,
    plain: PlainModel,
    samples: Sequence[Sample],
    *,
    compiled: Accelerator | None,
) -> Adopted:
    """Return the variant of a finished model.

    Args:
        content: the `.tflite` bytes.
        graph: the same, read.
        plain: what it is.
        samples: the golden frames.
        compiled: the accelerator that alone runs it; None for the CPU. Its golden outputs are
            recorded on the board, by `edgeinfer verify --record`.

    Raises:
        ConversionError: no runtime here has both kernel families.
    """
    if compiled is None:
        golden = make_golden(
            *(content, plain.preprocess, samples), task=plain.task, said=plain.said, known=False
        )
        variant = cpu_variant(content, precision_of(graph), golden)
        return CPU, variant, golden.frames, {variant.file: content, **golden.members}
    name = compiled.name
    (source,) = (tensor.spec() for tensor in graph.inputs)
    outputs = [tensor.spec() for tensor in graph.outputs]
    frames, input_member, members = make_golden_inputs(
        plain.preprocess, source, samples, variant=name
    )
    tolerances = [_STEPS * one.scale if one.scale else _FLOAT_TOLERANCE for one in outputs]
    variant = Variant(
        file=f"variants/{name}.tflite",
        delegate=name,
        precision=precision_of(graph),
        input=source,
        output=outputs[0],
        output_tolerance=tolerances[0],
        golden_input=input_member,
        golden_outputs={},
        more_outputs=tuple(
            Output(tensor=one, tolerance=tolerance)
            for one, tolerance in zip(outputs[1:], tolerances[1:], strict=True)
        )
        or None,
    )
    return name, variant, frames, {variant.file: content, **members}


def precision_of(graph: TfliteModel) -> Precision:
    """Return the number format of a model, by its tensors.

    `int8` and `uint8` by the weights of its convolutions and dense layers where its activations
    are integers too, else `dynamic`; `float16` where its weights are; `float32` otherwise.
    """
    tensors = graph.subgraphs[0].tensors
    constants = {tensor.dtype for tensor in tensors if tensor.data and tensor.elements > 1}
    computed = {tensor.dtype for tensor in tensors if not tensor.data and tensor.quantization}
    if "int16" in computed:
        return "int16x8"
    if computed & {"int8", "uint8"} or graph.custom_ops:
        return "uint8" if "uint8" in computed and "int8" not in computed else "int8"
    if constants & {"int8", "uint8"} and any(t.quantization for t in tensors if t.data):
        return "dynamic"
    return "float16" if "float16" in constants else "float32"

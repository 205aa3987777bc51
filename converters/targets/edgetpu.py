"""The Edge TPU gate of `convert`: how much must be mapped, and the variant for it.

No Edge TPU is needed: if its compiler is installed, the bundle gets a compiled variant whose
golden outputs are the CPU variant's; if not, the CPU variant is marked ready to compile.
"""

from __future__ import annotations

from dataclasses import replace

from edgeinfer.converters.targets.required_share import require_share
from edgeinfer.converters.targets.target import (
    Draft,
    Report,
    Target,
    TargetOptions,
    remedies_of,
    within_steps,
)
from edgeinfer.device.accelerators.edgetpu.compiler import (
    HOW_TO_GET_IT,
    CompiledModel,
    compile_model,
    find_compiler,
)
from edgeinfer.device.accelerators.edgetpu.log import differences
from edgeinfer.device.core.errors import ConversionError
from edgeinfer.device.models.bundle.manifest import Variant
from edgeinfer.device.tflite.compiled_ops import EDGETPU_OP
from edgeinfer.device.tflite.reader import read_tflite

READY = "ready to compile"

EDGETPU_TOLERANCE_STEPS = 4
"""How many quantization steps the Edge TPU's outputs may differ from the CPU's. Twice the
tolerance of other CPU kernels, since its arithmetic is different; not measured, none was
available."""


class EdgeTpuTarget(Target):
    """An Edge TPU, which runs what its compiler made."""

    name = "edgetpu"
    tells_share = True
    step = "map to the Edge TPU"
    per_tensor_dense = True

    def with_variant(self, draft: Draft, options: TargetOptions) -> Draft:
        """Return a bundle with the compiled model or the prediction.

        Raises:
            ConversionError: the compiler fails, or maps less than is required.
        """
        subject = f"{draft.manifest.name} for {options.board}"
        content = draft.members[draft.manifest.variants["cpu"].file]
        model = read_tflite(content, subject=subject)
        mapping = self.accelerator.map_model(model)
        summary = self.accelerator.summary(mapping)
        report: Report = {"board": options.board, "summary": summary}
        mapped = mapping.mapped
        compiler = find_compiler()
        state = READY if mapped else "nothing to map"
        if compiler is not None and mapped:
            compiled = compile_model(content, compiler, subject=subject)
            mapped = sum(compiled.log.mapped.values())
            require_share(
                *(mapping, options.require_percent, self.accelerator),
                subject=subject,
                mapped=mapped,
            )
            report |= _log_json(compiled, differences(mapping, compiled.log, model))
            state = f"compiled by version {compiled.log.version or 'unknown'}"
            variant = _variant(draft.manifest.variants["cpu"], compiled, subject)
            draft = draft.with_variant(self.name, variant, {variant.file: compiled.content})
        report |= {"state": state, **self.accelerator.to_json(model)}
        metrics = {
            "edgetpu.mapped": float(mapped),
            "edgetpu.operators": float(len(mapping.ops)),
        }
        return self.reported(draft, metrics, report)

    def report_lines(self, report: Report) -> list[str]:
        """Return how much is mapped, according to what, and how to improve it."""
        lines = [
            f"{report['board']}: {report['summary']}",
            *remedies_of(report),
            *remedies_of(report, "differences", "the compiler differs"),
        ]
        if report["state"] != READY:
            return [*lines, f"  {report['state']}"]
        return [
            *lines,
            "  predicted from the documented rules; the CPU variant is ready to compile",
            f"  {HOW_TO_GET_IT}",
        ]


TARGET = EdgeTpuTarget()


def _variant(cpu: Variant, compiled: CompiledModel, subject: str) -> Variant:
    model = read_tflite(compiled.content, subject=f"{subject}, compiled")
    counts = len(model.inputs), len(model.outputs)
    if EDGETPU_OP not in model.custom_ops or counts != (1, len(cpu.outputs)):
        raise ConversionError(
            subject,
            got="the Edge TPU compiler wrote a model without its operator, or of another shape",
            expected=f"one input, {len(cpu.outputs)} outputs and {EDGETPU_OP}",
        )
    outputs = [output.spec() for output in model.outputs]
    variant = replace(
        cpu, file=f"variants/{TARGET.name}.tflite", delegate=TARGET.name
    ).with_tensors(
        model.inputs[0].spec(), outputs, within_steps(cpu, outputs, EDGETPU_TOLERANCE_STEPS)
    )
    for what, got, expected in (
        ("input", variant.input, cpu.input),
        *(("output", *pair) for pair in zip(variant.outputs, cpu.outputs, strict=True)),
    ):
        if (got.shape, got.dtype) != (expected.shape, expected.dtype):
            raise ConversionError(
                subject,
                got=f"the compiled {what} is {got.dtype} {got.shape}",
                expected=f"{expected.dtype} {expected.shape}, as on the CPU",
            )
    return variant


def _log_json(compiled: CompiledModel, differing: list[str]) -> dict[str, object]:
    log = compiled.log
    return {
        "differences": differing,
        "cached_bytes": log.cached_bytes,
        "compiler_streamed_bytes": log.streamed_bytes,
        "log": [{"op": row.op, "count": row.count, "status": row.status} for row in log.rows],
    }

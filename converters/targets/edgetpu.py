"""The Edge TPU gate of `convert`: how much must be mapped, and the variant for it.

No Edge TPU is asked for: where its compiler is installed, the bundle gets a compiled variant whose
golden outputs are the CPU variant's; where it is not, the CPU variant is marked ready to compile.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from edgeinfer.converters.bundle.report import METRICS_MEMBER, REPORT_FOLDER, metrics_file
from edgeinfer.converters.targets.required_share import BoardOptions, require_share
from edgeinfer.device.accelerators.edgetpu import EdgeTpuMapping, map_model
from edgeinfer.device.accelerators.edgetpu.compiler import (
    HOW_TO_GET_IT,
    CompiledModel,
    compile_model,
    find_compiler,
)
from edgeinfer.device.accelerators.edgetpu.log import differences
from edgeinfer.device.accelerators.edgetpu.report import mapping_json, summary_line
from edgeinfer.device.core.errors import ConversionError, printable
from edgeinfer.device.models.bundle.manifest import ModelManifest
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.tflite.model import DELEGATE_OPS, EDGETPU_OP
from edgeinfer.device.tflite.reader import read_tflite

VARIANT = "edgetpu"
DELEGATE = DELEGATE_OPS[EDGETPU_OP]
PROVENANCE = "edgetpu"
READY = "ready to compile"

EDGETPU_TOLERANCE_STEPS = 4
"""How many quantization steps the Edge TPU's outputs may differ from the CPU's. Twice what other
CPU kernels are granted, since its arithmetic is its own; not measured, there was none at hand."""

_REPORT_MEMBER = f"{REPORT_FOLDER}/{VARIANT}.json"


def require_mapped(model: bytes, options: BoardOptions, *, subject: str) -> None:
    """Refuse a model of which too little would be mapped, before it is evaluated.

    Raises:
        ConversionError: names the first operator that is left, and what helps.
    """
    mapping = map_model(read_tflite(model, subject=subject))
    _require(mapping, options, subject)


def with_edgetpu(
    manifest: ModelManifest, members: Mapping[str, bytes], options: BoardOptions
) -> tuple[ModelManifest, dict[str, bytes]]:
    """Return a manifest and its members with what the Edge TPU makes of the model.

    Raises:
        ConversionError: the compiler fails, or maps less than is required.
    """
    cpu = manifest.variants["cpu"]
    subject = f"{manifest.name} for {options.board}"
    content = members[cpu.file]
    model = read_tflite(content, subject=subject)
    mapping = map_model(model)
    report: dict[str, object] = {"board": options.board, "summary": summary_line(mapping)}
    members = dict(members)
    mapped = mapping.mapped
    compiler = find_compiler()
    state = READY if mapped else "nothing to map"
    if compiler is not None and mapped:
        compiled = compile_model(content, compiler, subject=subject)
        mapped = sum(compiled.log.mapped.values())
        _require(mapping, options, subject, mapped=mapped)
        differing = differences(mapping, compiled.log, model)
        report |= _log_json(compiled, differing)
        state = f"compiled by version {compiled.log.version or 'unknown'}"
        manifest, members = _add_variant(manifest, members, compiled, subject)
    report |= {"state": state, **mapping_json(mapping)}
    metrics = {
        **manifest.metrics,
        "edgetpu.mapped": float(mapped),
        "edgetpu.operators": float(len(mapping.ops)),
    }
    return replace(
        manifest, metrics=metrics, provenance={**manifest.provenance, PROVENANCE: state}
    ), {
        **members,
        METRICS_MEMBER: metrics_file(metrics),
        _REPORT_MEMBER: (json.dumps(report, indent=1) + "\n").encode(),
    }


def edgetpu_report(bundle: Path, manifest: ModelManifest) -> dict[str, object] | None:
    """Return what a bundle's report says of the Edge TPU; None where it was not asked for.

    Raises:
        BundleError: the bundle is not what was written.
    """
    if _REPORT_MEMBER not in manifest.members:
        return None
    with open_bundle(bundle) as opened:
        document: dict[str, object] = json.loads(opened.member(_REPORT_MEMBER))
    return document


def edgetpu_lines(bundle: Path, manifest: ModelManifest) -> list[str]:
    """Return what a person wants to know of the Edge TPU and a bundle that was written."""
    report = edgetpu_report(bundle, manifest)
    if report is None:
        return []
    lines = [f"{report['board']}: {report['summary']}"]
    for kind, title in (("remedies", "remedy"), ("differences", "the compiler differs")):
        texts = report.get(kind)
        lines += [f"  {title}: {text}" for text in (texts if isinstance(texts, list) else [])]
    if report["state"] == READY:
        lines += [
            "  predicted from the documented rules; the CPU variant is ready to compile",
            f"  {HOW_TO_GET_IT}",
        ]
    else:
        lines.append(f"  {report['state']}")
    return [printable(line) for line in lines]


def _add_variant(
    manifest: ModelManifest, members: Mapping[str, bytes], compiled: CompiledModel, subject: str
) -> tuple[ModelManifest, dict[str, bytes]]:
    cpu = manifest.variants["cpu"]
    model = read_tflite(compiled.content, subject=f"{subject}, compiled")
    if EDGETPU_OP not in model.custom_ops or len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ConversionError(
            subject,
            got="the Edge TPU compiler wrote a model without its operator, or of another form",
            expected=f"one input, one output and {EDGETPU_OP}",
        )
    output = model.outputs[0].spec()
    variant = replace(
        cpu,
        file=f"variants/{VARIANT}.tflite",
        delegate=DELEGATE,
        input=model.inputs[0].spec(),
        output=output,
        output_tolerance=max(cpu.output_tolerance, EDGETPU_TOLERANCE_STEPS * output.scale),
    )
    for what, got, expected in (
        ("input", variant.input, cpu.input),
        ("output", variant.output, cpu.output),
    ):
        if (got.shape, got.dtype) != (expected.shape, expected.dtype):
            raise ConversionError(
                subject,
                got=f"the compiled {what} is {got.dtype} {got.shape}",
                expected=f"{expected.dtype} {expected.shape}, as on the CPU",
            )
    return replace(manifest, variants={**manifest.variants, VARIANT: variant}), {
        **members,
        variant.file: compiled.content,
    }


def _log_json(compiled: CompiledModel, differing: list[str]) -> dict[str, object]:
    log = compiled.log
    return {
        "differences": differing,
        "cached_bytes": log.cached_bytes,
        "compiler_streamed_bytes": log.streamed_bytes,
        "log": [{"op": row.op, "count": row.count, "status": row.status} for row in log.rows],
    }


def _require(
    mapping: EdgeTpuMapping, options: BoardOptions, subject: str, *, mapped: int | None = None
) -> None:
    require_share(
        mapping,
        options.require_percent,
        accelerator=VARIANT,
        told=summary_line(mapping),
        subject=subject,
        mapped=mapped,
    )

"""Variants for delegates that compile as they load a model: VX (i.MX 8M Plus) and GPU.

Neither is here. So what they take is predicted, and no output is theirs: the `vx` variant's golden
outputs are the CPU variant's, the `gpu` variant's are its own model's on the CPU.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from edgeinfer.converters.bundle.golden import make_golden
from edgeinfer.converters.bundle.report import METRICS_MEMBER, REPORT_FOLDER, metrics_file
from edgeinfer.converters.bundle.write import FLOAT_TOLERANCE_SHARE
from edgeinfer.converters.quantize.litert import cast_float16
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.runtime_support.op_versions import require_loadable
from edgeinfer.converters.targets.required_share import BoardOptions, require_share
from edgeinfer.device.accelerators.gpu.rules import map_gpu
from edgeinfer.device.accelerators.mapping import DelegateMapping
from edgeinfer.device.accelerators.report import delegate_json, delegate_summary
from edgeinfer.device.accelerators.vx.rules import map_vx
from edgeinfer.device.core.errors import printable
from edgeinfer.device.models.bundle.manifest import ModelManifest, Variant
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.tflite.reader import read_tflite

VX = "vx"
GPU = "gpu"
NOTHING = "nothing to map"
SAME_FILE = "the CPU's file: the delegate compiles it for the NPU as it loads it"
FLOAT16 = "a float16 file of its own"

VX_TOLERANCE_STEPS = 4
"""How many quantization steps the NPU's outputs may differ from the CPU's. Twice what other CPU
kernels are granted: the NPU rounds in its own way, which users saw from the first convolution on
(VeriSilicon/tflite-vx-delegate, issue 210). An estimate: there was none at hand."""

FLOAT16_STEP = 2.0**-11
"""The largest relative error of rounding to float16, with its 11 bits."""


def require_vx(model: bytes, options: BoardOptions, *, subject: str) -> None:
    """Refuse a model of which too little would go to the NPU, before it is evaluated.

    Raises:
        ConversionError: names the first operator that is left, and what helps.
    """
    mapping = map_vx(read_tflite(model, subject=subject))
    told = delegate_summary(mapping, VX)
    require_share(mapping, options.require_percent, accelerator=VX, told=told, subject=subject)


def with_vx(
    manifest: ModelManifest, members: Mapping[str, bytes], options: BoardOptions
) -> tuple[ModelManifest, dict[str, bytes]]:
    """Return a manifest and its members with a variant `vx` that is the CPU's file.

    Where the NPU takes nothing, only the report is added.
    """
    cpu = manifest.variants["cpu"]
    subject = f"{manifest.name} for {options.board}"
    mapping = map_vx(read_tflite(members[cpu.file], subject=subject))
    variant = replace(
        cpu,
        delegate=VX,
        output_tolerance=max(cpu.output_tolerance, VX_TOLERANCE_STEPS * cpu.output.scale),
    )
    return _with_variant(
        manifest, members, VX, mapping, variant, {}, title=options.board, state=SAME_FILE
    )


def with_gpu(
    manifest: ModelManifest,
    members: Mapping[str, bytes],
    *,
    float32: bytes,
    samples: Sequence[Sample],
) -> tuple[ModelManifest, dict[str, bytes]]:
    """Return a manifest and its members with a variant `gpu`, float16.

    Args:
        manifest: a bundle's, with the CPU variant.
        members: the bundle's, by name.
        float32: the model as it was trained.
        samples: the bundle's golden frames.

    Raises:
        ConversionError: the model cannot be made float16, or a runtime could not load the result.
    """
    subject = f"{manifest.name} for the GPU"
    content = cast_float16(float32, subject=subject)
    require_loadable(content, subject=subject)
    model = read_tflite(content, subject=subject)
    mapping = map_gpu(model)
    golden = make_golden(
        *(content, manifest.preprocess, samples),
        task=manifest.task,
        said=manifest.said,
        known=False,  # the CPU variant's frames say what they show
        variant=GPU,
    )
    variant = Variant(
        file=f"variants/{GPU}.tflite",
        delegate=GPU,
        precision="float16",
        input=model.inputs[0].spec(),
        output=model.outputs[0].spec(),
        output_tolerance=gpu_tolerance(len(mapping.ops), golden.largest_outputs[0]),
        golden_input=golden.input_member,
        golden_outputs=golden.output_members,
    )
    added = {**golden.members, variant.file: content}
    return _with_variant(manifest, members, GPU, mapping, variant, added, title=GPU, state=FLOAT16)


def gpu_tolerance(operators: int, largest_output: float) -> float:
    """Return how much a GPU's output may differ from the CPU's, in real units.

    GPUs may compute in float16. Each operator then rounds what it writes; if these errors add up
    and none cancels another, they come to as many roundings of the largest output as there are
    operators. An estimate: there was no GPU at hand. It is at least what other CPUs are granted.
    """
    rounded = operators * FLOAT16_STEP * largest_output
    return max(rounded, FLOAT_TOLERANCE_SHARE * largest_output)


def delegate_report(
    bundle: Path, manifest: ModelManifest, accelerator: str
) -> dict[str, object] | None:
    """Return what a bundle's report says of a delegate; None where it was not asked for.

    Raises:
        BundleError: the bundle is not what was written.
    """
    member = _report_member(accelerator)
    if member not in manifest.members:
        return None
    with open_bundle(bundle) as opened:
        document: dict[str, object] = json.loads(opened.member(member))
    return document


def delegate_report_lines(bundle: Path, manifest: ModelManifest) -> list[str]:
    """Return what a person wants to know of VX, GPU and a bundle that was written."""
    lines = []
    for accelerator in (VX, GPU):
        report = delegate_report(bundle, manifest, accelerator)
        if report is None:
            continue
        lines.append(f"{report['title']}: {report['summary']}")
        if report["remark"]:
            lines.append(f"  {report['remark']}")
        remedies = report["remedies"]
        lines += [f"  remedy: {text}" for text in (remedies if isinstance(remedies, list) else [])]
        lines.append(f"  {report['state']}; predicted, not run on the hardware")
    return [printable(line) for line in lines]


def _with_variant(
    manifest: ModelManifest,
    members: Mapping[str, bytes],
    accelerator: str,
    mapping: DelegateMapping,
    variant: Variant,
    added: Mapping[str, bytes],
    *,
    title: str,
    state: str,
) -> tuple[ModelManifest, dict[str, bytes]]:
    taken = mapping.mapped > 0
    variants = {**manifest.variants, accelerator: variant} if taken else manifest.variants
    state = state if taken else NOTHING
    size = {f"size.{accelerator}.bytes": float(len(added[variant.file]))} if added else {}
    metrics = {
        **manifest.metrics,
        f"{accelerator}.mapped": float(mapping.mapped),
        f"{accelerator}.operators": float(len(mapping.ops)),
        f"{accelerator}.partitions": float(mapping.partitions),
        **(size if taken else {}),
    }
    report = {
        "title": title,
        "summary": delegate_summary(mapping, accelerator),
        "state": state,
        **delegate_json(mapping),
    }
    return replace(
        manifest,
        variants=variants,
        metrics=metrics,
        provenance={**manifest.provenance, accelerator: state},
    ), {
        **members,
        **(added if taken else {}),
        METRICS_MEMBER: metrics_file(metrics),
        _report_member(accelerator): (json.dumps(report, indent=1) + "\n").encode(),
    }


def _report_member(accelerator: str) -> str:
    return f"{REPORT_FOLDER}/{accelerator}.json"

"""What a person wants to know of a conversion, in a few lines."""

from __future__ import annotations

from pathlib import Path

from edgeinfer.converters.convert.foreign_source import ForeignResult
from edgeinfer.converters.convert.pipeline import ConvertResult
from edgeinfer.converters.quantize.layer_report import worst_layer_text
from edgeinfer.converters.quantize.repair_report import repair_json, repair_lines
from edgeinfer.converters.targets.targets import target_json, target_lines
from edgeinfer.device.models.verify import VerifyReport


def document(result: ConvertResult | ForeignResult) -> dict[str, object]:
    """Return for scripts what came out: figures by name, targets, what a repair tried."""
    repaired = {"repair": repair_json(result.attempts)} if len(result.attempts) > 1 else {}
    return {
        "bundle": str(result.bundle),
        **result.manifest.metrics,
        **target_json(result.bundle, result.manifest),
        **repaired,
    }


def summary(result: ConvertResult, installed: Path | None) -> str:
    """Return what a person wants to know, a few lines."""
    size = result.manifest.metrics
    precision = result.manifest.variants["cpu"].precision
    name = precision.upper() if precision.startswith(("int", "uint")) else precision
    lines = [
        f"{result.bundle}: {result.bundle.stat().st_size:,} bytes, the {name} model "
        f"{size[f'size.{precision}.bytes']:,.0f} (float32 {size['size.float32.bytes']:,.0f})",
        f"{'top-1':12}{'float32':>10}{name:>10}{'pictures':>10}",
    ]
    for split, results in (("validation", result.validation), ("test", result.test)):
        lines.append(
            f"{split:12}{results['float32'].top1:>10.2%}{results[precision].top1:>10.2%}"
            f"{results[precision].samples:>10,}"
        )
    lines += repair_lines(result.attempts, result.validation["float32"].top1)
    if lost := worst_layer_text(result.layers):
        lines.append(f"most lost in {lost}")
    lines += target_lines(result.bundle, result.manifest)
    return "\n".join([*lines, *_ending(result.bundle, result.verified, installed)])


def foreign_summary(result: ForeignResult, installed: Path | None) -> str:
    """Return what a person wants to know of another's model, a few lines."""
    size, agreement = result.manifest.metrics, result.agreement
    lines = [
        f"{result.bundle}: {result.bundle.stat().st_size:,} bytes, the INT8 model "
        f"{size['size.int8.bytes']:,.0f} (float32 {size['size.float32.bytes']:,.0f})",
        f"INT8 decides as float32 does on {agreement.top1:.2%} of {agreement.samples:,} pictures",
    ]
    lines += repair_lines(result.attempts, 1.0)
    if lost := worst_layer_text(result.layers):
        lines.append(f"most lost in {lost}")
    lines += target_lines(result.bundle, result.manifest)
    return "\n".join([*lines, *_ending(result.bundle, result.verified, installed)])


def _ending(bundle: Path, verified: VerifyReport, installed: Path | None) -> list[str]:
    lines = [
        f"verified: {verified.frames} frames bit-equal through "
        f"{' and '.join(verified.implementations)} preprocessing"
    ]
    if installed is None:
        return [*lines, f"next: edgeinfer run --camera --model {bundle}"]
    return [*lines, f"installed as {installed}", "next: edgeinfer run --camera"]

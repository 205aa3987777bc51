"""The result of a conversion for people, in a few lines."""

from __future__ import annotations

from pathlib import Path

from edgeinfer.converters.bundle.report import ReportFiles
from edgeinfer.converters.convert.pipeline import ConvertResult, Evaluations
from edgeinfer.converters.measure.loss import loss_between
from edgeinfer.converters.quantize.layer_report import worst_layer_text
from edgeinfer.converters.quantize.repair_report import repair_json, repair_lines
from edgeinfer.converters.targets.targets import target_json, target_lines


def document(result: ConvertResult, report: ReportFiles | None = None) -> dict[str, object]:
    """Return the result for scripts: figures by name, targets, the attempts of a repair."""
    attempts = repair_json(result.attempts, result.gate.figure)
    repaired = {"repair": attempts} if len(attempts) > 1 else {}
    return {
        "bundle": str(result.bundle),
        **result.manifest.metrics,
        **target_json(result.bundle, result.manifest),
        **repaired,
        **({} if report is None else {"report": str(report.folder)}),
        **({} if report is None or report.page is None else {"page": str(report.page)}),
        **({"warnings": list(result.warnings)} if result.warnings else {}),
    }


def lost_something(evaluations: Evaluations) -> bool:
    """Return whether the smaller model answers worse than float32, beyond chance."""
    return any(
        loss_between(results["float32"], candidate).low > 0
        for results in evaluations.values()
        for candidate in results.values()
        if candidate.samples
    )


def summary(
    result: ConvertResult, installed: Path | None, report: ReportFiles | None = None
) -> str:
    """Return the result for people, a few lines.

    Args:
        result: the result.
        installed: where the bundle was installed, if it was.
        report: its report next to it, if it was written.
    """
    size = result.manifest.metrics
    precision = result.manifest.variants["cpu"].precision
    name = precision.upper() if precision.startswith(("int", "uint")) else precision
    reference = next(iter(result.evaluations.values()))["float32"]
    lines = [
        f"{result.bundle}: {result.bundle.stat().st_size:,} bytes, the {name} model "
        f"{size[f'size.{precision}.bytes']:,.0f} (float32 {size['size.float32.bytes']:,.0f})",
        *result.gate.lines(result.evaluations, precision),
        *repair_lines(result.attempts, reference.score, result.gate.title(reference)),
    ]
    where = worst_layer_text(result.layers)
    if where and lost_something(result.evaluations):
        lines.append(f"largest loss: {where}")
    lines += target_lines(result.bundle, result.manifest)
    verified = result.verified
    lines.append(
        f"verified: {verified.frames} frames bit-equal through "
        f"{' and '.join(verified.implementations)} preprocessing"
    )
    if report is not None:
        lines.append(report.text())
    if installed is None:
        return "\n".join([*lines, f"next: edgeinfer run --camera --model {result.bundle}"])
    return "\n".join([*lines, f"installed as {installed}", "next: edgeinfer run --camera"])

"""Adds a variant for an Arm Ethos-U NPU to a bundle that is about to be written.

There is no NPU here. So the variant's golden outputs are the CPU variant's, which the NPU must
match within the same tolerance, and its speed is vela's estimate, and its name says so.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import cast

from edgeinfer.converters.bundle.report import REPORT_FOLDER
from edgeinfer.converters.targets.target import Draft, Target, TargetOptions
from edgeinfer.converters.targets.vela import (
    ACCELERATORS,
    Accelerator,
    Compiled,
    compile_with_vela,
    find_vela,
)
from edgeinfer.device.core.errors import ConversionError, UsageError, printable
from edgeinfer.device.core.tensors import Precision
from edgeinfer.device.core.text.csv_cells import guard_table
from edgeinfer.device.models.bundle.manifest import ModelManifest, Variant
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.tflite.compiled_ops import ETHOS_U_OP
from edgeinfer.device.tflite.model import TfliteModel
from edgeinfer.device.tflite.reader import read_tflite

INTEGER_PRECISIONS: tuple[Precision, ...] = ("int8", "uint8", "int16x8")
"""The precisions that an NPU can compute."""

_FALLBACKS_SHOWN = 10


class EthosUTarget(Target):
    """An Ethos-U, which runs what vela made; each configuration is a separate variant."""

    name = "ethos-u"
    step = "compile for {configuration}"
    configurations = ACCELERATORS

    def require_tools(self, options: TargetOptions, precision: Precision) -> None:
        """Refuse what could not be compiled later, before the conversion takes minutes.

        Raises:
            MissingExtraError: vela is not installed.
            UsageError: an NPU cannot compute the precision.
        """
        if precision not in INTEGER_PRECISIONS:
            raise UsageError(
                f"--npu {options.configuration}",
                got=f"does not work with --precision {precision}",
                expected=f"one of {', '.join(INTEGER_PRECISIONS)}",
            )
        find_vela()

    def with_variant(self, draft: Draft, options: TargetOptions) -> Draft:
        """Return a bundle with a variant that has the NPU's name.

        Raises:
            ConversionError: vela fails, or leaves every operator to the CPU, or changes the
                model's input or output.
            MissingExtraError: vela is not installed.
        """
        configuration = cast("Accelerator", options.configuration)
        cpu = draft.manifest.variants["cpu"]
        subject = f"{draft.manifest.name} for {configuration}"
        compiled = compile_with_vela(draft.members[cpu.file], configuration, subject=subject)
        model = read_tflite(compiled.model, subject=subject)
        _check(subject, compiled, model, cpu)
        variant = replace(
            cpu, file=f"variants/{configuration}.tflite", delegate=self.name
        ).with_tensors(
            model.inputs[0].spec(), [output.spec() for output in model.outputs], cpu.tolerances
        )
        report = {**asdict(compiled.report), "assumptions": compiled.report.assumptions}
        tables = f"vela.{configuration}"
        draft = draft.with_variant(configuration, variant, {variant.file: compiled.model})
        return draft.with_report(
            vela_metrics(configuration, compiled),
            {"convert.ethos-u-vela": compiled.version},
            {
                f"{tables}.json": (json.dumps(report, indent=1) + "\n").encode(),
                f"{tables}.summary.csv": guard_table(compiled.summary_csv).encode(),
                f"{tables}.layers.csv": guard_table(compiled.layers_csv).encode(),
            },
        )

    def lines(self, bundle: Path, manifest: ModelManifest) -> list[str]:
        """Return lines for people about each NPU variant of a bundle that was written.

        Raises:
            BundleError: the bundle is not what was written.
        """
        names = [name for name, item in manifest.variants.items() if item.delegate == self.name]
        if not names:
            return []
        lines = []
        with open_bundle(bundle) as opened:
            for name in names:
                report = json.loads(opened.member(f"{REPORT_FOLDER}/vela.{name}.json"))
                lines += [
                    f"{name}: {report['inferences_per_second']:,.1f} inferences/s, "
                    f"{report['sram_kib']:,.1f} KiB SRAM by vela's own estimate, not measured "
                    f"({report['assumptions']})"
                ]
                fallen = report["fallbacks"]
                lines += [
                    f"  on the CPU, not counted: {item['op']} '{item['output']}': "
                    f"{item['reason'] or 'vela gives no reason'}"
                    for item in fallen[:_FALLBACKS_SHOWN]
                ]
                if len(fallen) > _FALLBACKS_SHOWN:
                    lines.append(f"  and {len(fallen) - _FALLBACKS_SHOWN} more")
        return [printable(line) for line in lines]


TARGET = EthosUTarget()


def vela_metrics(accelerator: Accelerator, compiled: Compiled) -> dict[str, float]:
    """Return vela's estimates by name, for the manifest."""
    report = compiled.report
    rate = report.inferences_per_second
    figures = {
        **({} if rate is None else {"inferences_per_second": rate}),
        "cycles": float(report.cycles),
        "sram_kib": report.sram_kib,
        "dram_kib": report.dram_kib,
        "on_chip_flash_kib": report.on_chip_flash_kib,
        "off_chip_flash_kib": report.off_chip_flash_kib,
        "operators_on_cpu": float(len(report.fallbacks)),
    }
    return {
        **{f"vela.{accelerator}.{name}": value for name, value in figures.items()},
        f"size.{accelerator}.bytes": float(len(compiled.model)),
    }


def _check(subject: str, compiled: Compiled, model: TfliteModel, cpu: Variant) -> None:
    if ETHOS_U_OP not in model.custom_ops or compiled.report.inferences_per_second is None:
        reasons = [item.reason for item in compiled.report.fallbacks if item.reason]
        raise ConversionError(
            subject,
            got="vela left every operator to the CPU" + (f" ({reasons[0]})" if reasons else ""),
            expected="operators that the NPU has",
            next_step="convert without --npu, or change the layers",
        )
    ends = [tensor.spec() for tensor in (*model.inputs, *model.outputs)]
    wanted = [cpu.input, *cpu.outputs]
    # Names may change; the format of inputs and outputs must not.
    if [replace(end, name="") for end in ends] != [replace(end, name="") for end in wanted]:
        raise ConversionError(
            subject,
            got=f"vela changed its inputs and outputs to {ends}",
            expected=f"{wanted}",
            next_step="convert without --npu",
        )

"""Variants for delegates that compile as they load a model: nothing is made but a prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.targets.target import (
    Made,
    Report,
    Target,
    TargetOptions,
    remedies_of,
)
from edgeinfer.device.models.bundle.manifest import ModelManifest, Variant
from edgeinfer.device.tflite.model import TfliteModel
from edgeinfer.device.tflite.reader import read_tflite

NOTHING = "nothing to map"
SAME_FILE = "the CPU's file: the delegate compiles it for the NPU as it loads it"


class DelegateTarget(Target):
    """A delegate that takes the CPU's file, and no output is its own: the CPU's are the golden.

    Attributes:
        tolerance_steps: how many quantization steps its outputs may differ from the CPU's.
    """

    tells_share = True
    tolerance_steps: ClassVar[int]

    def step(self, options: TargetOptions) -> str:
        """Return what is going on."""
        return "map to the NPU"

    def with_variant(
        self,
        manifest: ModelManifest,
        members: Mapping[str, bytes],
        options: TargetOptions,
        *,
        float32: bytes,
        samples: Sequence[Sample],
    ) -> Made:
        """Return a manifest and its members with a variant that is the CPU's file.

        Where the accelerator takes nothing, only the report is added.
        """
        cpu = manifest.variants["cpu"]
        subject = f"{manifest.name} for {options.board}"
        model = read_tflite(members[cpu.file], subject=subject)
        tolerance = max(cpu.output_tolerance, self.tolerance_steps * cpu.output.scale)
        variant = replace(cpu, delegate=self.name, output_tolerance=tolerance)
        return self.predicted(
            *(manifest, members, model, variant, {}), title=options.board, state=SAME_FILE
        )

    def predicted(
        self,
        manifest: ModelManifest,
        members: Mapping[str, bytes],
        model: TfliteModel,
        variant: Variant,
        added: Mapping[str, bytes],
        *,
        title: str,
        state: str,
    ) -> Made:
        """Return a manifest and its members with a variant, if anything of it is taken.

        Args:
            manifest: the bundle's.
            members: the bundle's, by name.
            model: the variant's.
            variant: what the manifest is to say of it.
            added: the variant's own members.
            title: what people are told that it is for.
            state: what it is.
        """
        mapping = self.accelerator.map_model(model)
        sizes = {}
        if mapping.mapped:
            manifest = replace(manifest, variants={**manifest.variants, self.name: variant})
            members = {**members, **added}
            if added:
                sizes = {f"size.{self.name}.bytes": float(len(added[variant.file]))}
        figures = {
            "mapped": mapping.mapped,
            "operators": len(mapping.ops),
            "partitions": mapping.partitions,
        }
        report = {
            "title": title,
            "summary": self.accelerator.summary(mapping),
            "state": state if mapping.mapped else NOTHING,
            **self.accelerator.to_json(model),
        }
        return self.reported(manifest, members, figures, report, sizes)

    def report_lines(self, report: Report) -> list[str]:
        """Return what was predicted."""
        return [
            f"{report['title']}: {report['summary']}",
            *([f"  {report['remark']}"] if report["remark"] else []),
            *remedies_of(report),
            f"  {report['state']}; predicted, not run on the hardware",
        ]

"""Variants for delegates that compile a model while they load it: only a prediction is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from edgeinfer.converters.targets.target import (
    Draft,
    Report,
    Target,
    TargetOptions,
    remedies_of,
    within_steps,
)
from edgeinfer.device.models.bundle.manifest import Variant
from edgeinfer.device.tflite.model import TfliteModel
from edgeinfer.device.tflite.reader import read_tflite

NOTHING = "nothing to map"
SAME_FILE = "the CPU's file: the delegate compiles it for the NPU as it loads it"


class DelegateTarget(Target):
    """A delegate that takes the CPU's file; the CPU's outputs are the golden ones.

    Attributes:
        tolerance_steps: how many quantization steps its outputs may differ from the CPU's.
    """

    step = "map to the NPU"
    tells_share = True
    tolerance_steps: ClassVar[int]

    def with_variant(self, draft: Draft, options: TargetOptions) -> Draft:
        """Return a bundle with a variant that uses the CPU's file.

        If the accelerator takes nothing, only the report is added.
        """
        cpu = draft.manifest.variants["cpu"]
        subject = f"{draft.manifest.name} for {options.board}"
        model = read_tflite(draft.members[cpu.file], subject=subject)
        variant = replace(cpu, delegate=self.name).with_tensors(
            cpu.input, cpu.outputs, within_steps(cpu, cpu.outputs, self.tolerance_steps)
        )
        return self.predicted(draft, model, variant, {}, title=options.board, state=SAME_FILE)

    def predicted(
        self,
        draft: Draft,
        model: TfliteModel,
        variant: Variant,
        added: Mapping[str, bytes],
        *,
        title: str,
        state: str,
    ) -> Draft:
        """Return a bundle with the prediction, and with a variant if the accelerator takes any of
        it.

        Args:
            draft: the bundle.
            model: the variant's model.
            variant: its entry in the manifest.
            added: the variant's own members.
            title: the accelerator's name for people.
            state: whether it is compiled or ready to compile, for people.
        """
        mapping = self.accelerator.map_model(model)
        metrics = {
            f"{self.name}.mapped": float(mapping.mapped),
            f"{self.name}.operators": float(len(mapping.ops)),
            f"{self.name}.partitions": float(mapping.partitions),
        }
        if mapping.mapped:
            draft = draft.with_variant(self.name, variant, added)
            if added:
                metrics[f"size.{self.name}.bytes"] = float(len(added[variant.file]))
        report = {
            "title": title,
            "summary": self.accelerator.summary(mapping),
            "state": state if mapping.mapped else NOTHING,
            **self.accelerator.to_json(model),
        }
        return self.reported(draft, metrics, report)

    def report_lines(self, report: Report) -> list[str]:
        """Return the prediction."""
        return [
            f"{report['title']}: {report['summary']}",
            *([f"  {report['remark']}"] if report["remark"] else []),
            *remedies_of(report),
            f"  {report['state']}; predicted, not run on the hardware",
        ]

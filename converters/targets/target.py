"""What a workstation makes for an accelerator: a variant of the bundle, and its report."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, TypeAlias

from edgeinfer.converters.bundle.report import REPORT_FOLDER, report_members
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.targets.required_share import require_share
from edgeinfer.device.accelerators.accelerator import Accelerator
from edgeinfer.device.accelerators.registry import named_accelerator
from edgeinfer.device.core.errors import printable
from edgeinfer.device.core.tensors import Precision, TensorSpec
from edgeinfer.device.models.bundle.manifest import ModelManifest, Variant
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.tflite.reader import read_tflite

Report: TypeAlias = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class TargetOptions:
    """What the user asked for an accelerator.

    Attributes:
        board: the board that has it, for messages; may be empty.
        configuration: which of its configurations, if it has several.
        require_percent: the smallest share of operators that must be mapped, or None.
    """

    board: str = ""
    configuration: str = ""
    require_percent: float | None = None


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A bundle that is about to be written.

    Attributes:
        manifest: its manifest, with the CPU variant.
        members: by name.
        float32: the trained float32 model.
        samples: the golden frames.
    """

    manifest: ModelManifest
    members: Mapping[str, bytes]
    float32: bytes
    samples: Sequence[Sample]

    def with_variant(self, name: str, variant: Variant, members: Mapping[str, bytes]) -> Draft:
        """Return it with a variant, and the variant's own members."""
        variants = {**self.manifest.variants, name: variant}
        return replace(
            self,
            manifest=replace(self.manifest, variants=variants),
            members={**self.members, **members},
        )

    def with_report(
        self,
        metrics: Mapping[str, float],
        provenance: Mapping[str, str],
        files: Mapping[str, bytes],
    ) -> Draft:
        """Return it with further metrics, provenance, and files of its report."""
        metrics = {**self.manifest.metrics, **metrics}
        provenance = {**self.manifest.provenance, **provenance}
        return replace(
            self,
            manifest=replace(self.manifest, metrics=metrics, provenance=provenance),
            members={**self.members, **report_members(metrics, files)},
        )


class Target(ABC):
    """Makes a variant for an accelerator: stateless, one object for all bundles; see `registry.py`.

    Attributes:
        name: the accelerator's name.
        step: the progress text while its variant is made.
        configurations: its configurations, by the names of its compiler; empty if there is only
            one.
        tells_share: whether the share that is mapped is known before compiling, and so may be
            required.
        per_tensor_dense: whether its compiler needs one scale for a dense layer.
    """

    name: ClassVar[str]
    step: ClassVar[str]
    configurations: ClassVar[tuple[str, ...]] = ()
    tells_share: ClassVar[bool] = False
    per_tensor_dense: ClassVar[bool] = False

    @property
    def accelerator(self) -> Accelerator:
        """The device package's side of it."""
        return named_accelerator(self.name)

    def require_tools(  # noqa: B027 - most need none
        self, options: TargetOptions, precision: Precision
    ) -> None:
        """Refuse what could not be compiled later, before the conversion takes minutes.

        Raises:
            MissingExtraError: a compiler is needed and not installed.
            UsageError: the accelerator cannot compute the precision.
        """

    def require_mapped(self, model: bytes, options: TargetOptions, *, subject: str) -> None:
        """Refuse a model that would not be mapped enough, before it is evaluated.

        Raises:
            ConversionError: names the first operator that is not mapped, and what helps.
        """
        mapping = self.accelerator.map_model(read_tflite(model, subject=subject))
        require_share(mapping, options.require_percent, self.accelerator, subject=subject)

    @abstractmethod
    def with_variant(self, draft: Draft, options: TargetOptions) -> Draft:
        """Return a bundle with the variant for the accelerator.

        Raises:
            ConversionError: a compiler fails, or maps less than is required.
            MissingExtraError: a compiler that is needed is not installed.
        """

    def report(self, bundle: Path, manifest: ModelManifest) -> Report | None:
        """Return a bundle's report for scripts; None if the accelerator was not asked for.

        Raises:
            BundleError: the bundle is not what was written.
        """
        if report_member(self.name) not in manifest.members:
            return None
        with open_bundle(bundle) as opened:
            document: Report = json.loads(opened.member(report_member(self.name)))
        return document

    def lines(self, bundle: Path, manifest: ModelManifest) -> list[str]:
        """Return lines for people about a bundle that was written.

        Raises:
            BundleError: the bundle is not what was written.
        """
        report = self.report(bundle, manifest)
        return [] if report is None else [printable(line) for line in self.report_lines(report)]

    def report_lines(self, report: Report) -> list[str]:
        """Return the same for people."""
        return []

    def reported(self, draft: Draft, metrics: Mapping[str, float], report: Report) -> Draft:
        """Return a bundle with the content for `report`; its `state` is in the provenance."""
        content = (json.dumps(report, indent=1) + "\n").encode()
        files = {f"{self.name}.json": content}
        return draft.with_report(metrics, {self.name: str(report["state"])}, files)


def report_member(name: str) -> str:
    """Return the name of the member with the content of `Target.report`."""
    return f"{REPORT_FOLDER}/{name}.json"


def remedies_of(report: Report, kind: str = "remedies", title: str = "what helps") -> list[str]:
    """Return a report's remedies, or another list in it, for people."""
    texts = report.get(kind)
    return [f"  {title}: {text}" for text in (texts if isinstance(texts, list) else [])]


def within_steps(cpu: Variant, outputs: Sequence[TensorSpec], steps: int) -> list[float]:
    """Return how much each output may differ: by some of its quantization steps, or as the CPU's.

    Args:
        cpu: the CPU's variant.
        outputs: the specs of as many outputs.
        steps: how many.
    """
    pairs = zip(outputs, cpu.tolerances, strict=True)
    return [max(tolerance, steps * output.scale) for output, tolerance in pairs]

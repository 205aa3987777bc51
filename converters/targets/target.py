"""What a workstation makes for an accelerator: a variant of the bundle, and what is told of it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, TypeAlias

from edgeinfer.converters.bundle.report import METRICS_MEMBER, REPORT_FOLDER, metrics_file
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.targets.required_share import require_share
from edgeinfer.device.accelerators.accelerator import Accelerator
from edgeinfer.device.accelerators.registry import named_accelerator
from edgeinfer.device.core.errors import printable
from edgeinfer.device.core.tensors import Precision
from edgeinfer.device.models.bundle.manifest import ModelManifest
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.tflite.reader import read_tflite

Made: TypeAlias = tuple[ModelManifest, dict[str, bytes]]
"""A manifest, and the bundle's members by name."""

Report: TypeAlias = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class TargetOptions:
    """What the user asked of an accelerator.

    Attributes:
        board: the board that has it, for messages; may be empty.
        configuration: which of its configurations, where it has several.
        require_percent: the smallest share of operators that must be mapped, or None.
    """

    board: str = ""
    configuration: str = ""
    require_percent: float | None = None


class Target(ABC):
    """What is made for an accelerator: stateless, one object for all bundles; see `registry.py`.

    Attributes:
        name: the accelerator's.
        configurations: those that it comes in, by the names of its compiler; none where it is one.
        tells_share: how much of a model is mapped is told before it is compiled, and so may be
            required.
        per_tensor_dense: its compiler wants one scale for a dense layer.
    """

    name: ClassVar[str]
    configurations: ClassVar[tuple[str, ...]] = ()
    tells_share: ClassVar[bool] = False
    per_tensor_dense: ClassVar[bool] = False

    @property
    def accelerator(self) -> Accelerator:
        """The board's side of it."""
        return named_accelerator(self.name)

    @abstractmethod
    def step(self, options: TargetOptions) -> str:
        """Return what is going on while the variant is made."""

    def require_tools(  # noqa: B027 - most need none
        self, options: TargetOptions, precision: Precision
    ) -> None:
        """Refuse what could not be compiled later, before minutes go into the conversion.

        Raises:
            MissingExtraError: a compiler is needed and not installed.
            UsageError: the precision is none for the accelerator.
        """

    def require_mapped(self, model: bytes, options: TargetOptions, *, subject: str) -> None:
        """Refuse a model of which too little would be mapped, before it is evaluated.

        Raises:
            ConversionError: names the first operator that is left, and what helps.
        """
        mapping = self.accelerator.map_model(read_tflite(model, subject=subject))
        require_share(mapping, options.require_percent, self.accelerator, subject=subject)

    @abstractmethod
    def with_variant(
        self,
        manifest: ModelManifest,
        members: Mapping[str, bytes],
        options: TargetOptions,
        *,
        float32: bytes,
        samples: Sequence[Sample],
    ) -> Made:
        """Return a manifest and its members with what is made for the accelerator.

        Args:
            manifest: a bundle's, with the CPU variant.
            members: the bundle's, by name.
            options: what the user asked of it.
            float32: the model as it was trained.
            samples: the bundle's golden frames.

        Raises:
            ConversionError: a compiler fails, or maps less than is required.
            MissingExtraError: a compiler that is needed is not installed.
        """

    def report(self, bundle: Path, manifest: ModelManifest) -> Report | None:
        """Return for scripts what a bundle's report says; None where it was not asked for.

        Raises:
            BundleError: the bundle is not what was written.
        """
        if report_member(self.name) not in manifest.members:
            return None
        with open_bundle(bundle) as opened:
            document: Report = json.loads(opened.member(report_member(self.name)))
        return document

    def lines(self, bundle: Path, manifest: ModelManifest) -> list[str]:
        """Return what a person wants to know of a bundle that was written.

        Raises:
            BundleError: the bundle is not what was written.
        """
        report = self.report(bundle, manifest)
        return [] if report is None else [printable(line) for line in self.report_lines(report)]

    def report_lines(self, report: Report) -> list[str]:
        """Return the same for people."""
        return []

    def reported(
        self,
        manifest: ModelManifest,
        members: Mapping[str, bytes],
        figures: Mapping[str, int],
        report: Mapping[str, object],
        sizes: Mapping[str, float] | None = None,
    ) -> Made:
        """Return a manifest and its members with a report.

        Args:
            manifest: the bundle's.
            members: the bundle's, by name.
            figures: what goes into the metrics, by names behind the accelerator's.
            report: what `report` is to return; its `state` goes into the provenance.
            sizes: further metrics, by their whole names.
        """
        named = {f"{self.name}.{name}": float(figure) for name, figure in figures.items()}
        metrics = {**manifest.metrics, **named, **(sizes or {})}
        provenance = {**manifest.provenance, self.name: str(report["state"])}
        return replace(manifest, metrics=metrics, provenance=provenance), {
            **members,
            METRICS_MEMBER: metrics_file(metrics),
            report_member(self.name): (json.dumps(report, indent=1) + "\n").encode(),
        }


def report_member(name: str) -> str:
    """Return where a bundle keeps what `Target.report` returns, by the accelerator's name."""
    return f"{REPORT_FOLDER}/{name}.json"


def remedies_of(report: Report, kind: str = "remedies", title: str = "remedy") -> list[str]:
    """Return a report's remedies, or another list in it, for people."""
    texts = report.get(kind)
    return [f"  {title}: {text}" for text in (texts if isinstance(texts, list) else [])]

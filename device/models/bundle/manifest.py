"""ModelManifest: what a bundle says of itself. The dataclasses are the schema."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, cast

from edgeinfer.device.accelerators.registry import OWN as OWN_ACCELERATORS
from edgeinfer.device.accelerators.registry import find_accelerator
from edgeinfer.device.core.errors import BundleError
from edgeinfer.device.core.tensors import KernelFamily, Precision, TensorSpec
from edgeinfer.device.models.bundle.limits import refuse_unless_plain, refuse_unless_tensor
from edgeinfer.device.models.bundle.strict import SchemaError, from_json, parse_json, to_json
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.registry import OWN, UnknownTaskError, find_task
from edgeinfer.device.tasks.spec import Decoder, ValueSpec
from edgeinfer.device.tasks.task import Said

SchemaVersion = Literal[1, 2, 3, 4]
SCHEMA_VERSION = 4
MANIFEST = "manifest.json"

SIGNATURES = "signatures/"
"""A folder of the archive that is kept free for signatures of the manifest's bytes, by which all
members are known. What is there is ignored: no member of the manifest, and never used."""

CPU = "cpu"
"""The name of the variant for the CPU."""

MOST_VARIANTS = 32
MOST_GOLDEN_FRAMES = 1000

_MEMBER_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")


def is_member_name(name: str) -> bool:
    """True for a relative path of plain characters without `..`, hidden or empty parts."""
    return _MEMBER_NAME.fullmatch(name) is not None and len(name) <= 200


@dataclass(frozen=True, kw_only=True)
class Output:
    """An output after the first.

    Attributes:
        tensor: the output tensor.
        tolerance: as `Variant.output_tolerance` for the first.
    """

    tensor: TensorSpec
    tolerance: float


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One compiled form of the model.

    Attributes:
        file: the `.tflite` member.
        delegate: the delegate it needs, an accelerator's name; None for the CPU. Which library
            that is decides this installation, never a bundle: naming a library means running code.
        precision: of weights and activations.
        input: the input tensor.
        output: the output tensor, of several the first.
        output_tolerance: the largest difference that `verify` accepts between that output and its
            golden one, in real (dequantized) units.
        golden_input: member with the expected inputs, one frame after another, little-endian.
        golden_outputs: for each kernel family, the member with the expected outputs, also
            little-endian: of several, a frame's outputs one after another.
        more_outputs: the other outputs, in the model's order; None for a model of one.
    """

    file: str
    delegate: str | None = None
    precision: Precision
    input: TensorSpec
    output: TensorSpec
    output_tolerance: float
    golden_input: str
    golden_outputs: dict[KernelFamily, str]
    more_outputs: tuple[Output, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse delegates that are not known, and tensors that no frame or answer fits."""
        if self.delegate is not None and find_accelerator(self.delegate) is None:
            raise ValueError(
                f"delegate is {self.delegate!r}, expected one of {', '.join(OWN_ACCELERATORS)}: "
                "only the command line may name a library"
            )
        refuse_unless_tensor(self.input, is_input=True)
        for output in self.outputs:
            refuse_unless_tensor(output)
        if min(self.tolerances) < 0:
            raise ValueError("output_tolerance is below 0")

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """All output tensors, in the model's order."""
        return (self.output, *(output.tensor for output in self.more_outputs or ()))

    def with_tensors(
        self, input: TensorSpec, outputs: Sequence[TensorSpec], tolerances: Sequence[float]
    ) -> Variant:
        """Return it with other tensors, such as those of a compiled form.

        Args:
            input: the input tensor.
            outputs: all output tensors, in the model's order, one or more.
            tolerances: the largest difference accepted of each.
        """
        more = tuple(
            Output(tensor=tensor, tolerance=tolerance)
            for tensor, tolerance in zip(outputs[1:], tolerances[1:], strict=True)
        )
        return replace(
            self,
            input=input,
            output=outputs[0],
            output_tolerance=tolerances[0],
            more_outputs=more or None,
        )

    @property
    def tolerances(self) -> tuple[float, ...]:
        """The largest difference accepted of each output."""
        return (self.output_tolerance, *(output.tolerance for output in self.more_outputs or ()))


@dataclass(frozen=True, kw_only=True)
class GoldenFrame:
    """A real frame kept losslessly (PNG), with its true label where it is known."""

    file: str
    label: str | None = None

    def __post_init__(self) -> None:
        """Refuse a label that would damage a terminal."""
        refuse_unless_plain("label", self.label or "")


@dataclass(frozen=True, kw_only=True)
class Member:
    """A member's size in bytes and its SHA-256, lower-case hexadecimal."""

    bytes: int
    sha256: str

    def __post_init__(self) -> None:
        """Refuse impossible sizes and digests."""
        if self.bytes < 0 or not re.fullmatch(r"[0-9a-f]{64}", self.sha256):
            raise ValueError(f"{self.bytes} bytes with sha256 {self.sha256!r}")


@dataclass(frozen=True, kw_only=True)
class ModelManifest:
    """What a bundle holds, how to feed it and how to read its answers.

    Attributes:
        schema_version: of this manifest: 1 where it says all there is to say, so that older
            installations can read it; 2 for other tasks than classification and value; 3 for a
            model without a variant for the CPU, for outputs that earlier versions cannot read, and
            for an input of another layout than "hwc"; 4 for a region of the frame, and for values
            with intervals, with a scale each, or on a circle.
        name: the model's name.
        task: what a prediction is: the name of a `Task`, which is looked up and never imported.
        labels: the classes in the output's order; empty for tasks without classes.
        value: unit and scale; for task `value` only.
        settings: what else the task's decoder gets; None for edgeinfer's own tasks.
        preprocess: how a frame becomes the input.
        decoder: how the outputs become a prediction.
        variants: the compiled forms. A bundle of `edgeinfer convert` has `cpu` among them, the
            bundle of a model that was compiled elsewhere may have an accelerator's only.
        golden: frames that `verify` replays.
        metrics: figures by name, such as `test.int8.top1` (0 to 1).
        provenance: what made the model: versions, seed, data set.
        members: every other member of the archive.
    """

    schema_version: SchemaVersion = 1
    name: str
    task: str = "classification"
    labels: tuple[str, ...] = ()
    value: ValueSpec | None = None
    settings: dict[str, object] | None = None
    preprocess: PreprocessSpec
    decoder: Decoder
    variants: dict[str, Variant]
    golden: tuple[GoldenFrame, ...] = ()
    metrics: dict[str, float] = field(default_factory=dict)
    provenance: dict[str, str] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a manifest whose parts contradict each other."""
        self._check_texts()
        self._check_members()
        if not self.variants or any(
            (name == CPU) != (variant.delegate is None) for name, variant in self.variants.items()
        ):
            raise ValueError(
                f"variants are {sorted(self.variants)}, expected '{CPU}' for no delegate, or others"
            )
        if len(self.variants) > MOST_VARIANTS or len(self.golden) > MOST_GOLDEN_FRAMES:
            raise ValueError(
                f"{len(self.variants):,} variants and {len(self.golden):,} golden frames, expected "
                f"at most {MOST_VARIANTS} and {MOST_GOLDEN_FRAMES:,}"
            )
        find_task(self.task).check(self.said)
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("a label occurs twice")
        least = least_schema(self.task, self.said, self.variants, self.preprocess)
        if self.schema_version < least:
            layout, channels = self.preprocess.layout, self.preprocess.channels
            usual = layout == "hwc" and channels != "rgba"
            also = "" if usual else f", layout '{layout}' and channels '{channels}'"
            also += "" if self.preprocess.region is None else ", a region of the frame"
            raise ValueError(
                f"schema version {self.schema_version} with task '{self.task}'{also}, expected "
                f"version {least}"
            )
        for name, variant in self.variants.items():
            self._check_variant(name, variant)

    def _check_texts(self) -> None:
        refuse_unless_plain("name", self.name)
        if not self.name or "/" in self.name:
            raise ValueError(f"name is {self.name!r}, expected text without '/'")
        for label in self.labels:
            refuse_unless_plain("label", label)
        for variant in self.variants:
            refuse_unless_plain("variant", variant)
        if self.value is not None:
            for unit in (self.value.unit, *(self.value.units or ())):
                refuse_unless_plain("unit", unit)
        for point in self.decoder.anchors.points if self.decoder.anchors is not None else ():
            refuse_unless_plain("point", point)

    def _check_members(self) -> None:
        for name in sorted({*self.members, *self.file_references()}):
            if name.startswith(SIGNATURES):
                raise ValueError(f"member '{name}' is in {SIGNATURES}, which is kept free")

    def _check_variant(self, name: str, variant: Variant) -> None:
        if not self.preprocess.fits(variant.input.shape):
            raise ValueError(
                f"variant '{name}': input shape is {variant.input.shape}, "
                f"expected {self.preprocess.tensor_shape}"
            )
        try:
            task = find_task(self.task)
            task.check_outputs(self.said, variant.outputs)
            task.check_image(self.said, variant.outputs, self.preprocess.size)
        except ValueError as error:
            raise ValueError(f"variant '{name}': {error}") from error

    @property
    def main_variant(self) -> Variant:
        """The variant for the CPU; of a model that has none, the first by name."""
        return self.variants.get(CPU) or self.variants[min(self.variants)]

    @property
    def said(self) -> Said:
        """What it says of the outputs."""
        return Said(
            labels=self.labels,
            decoder=self.decoder,
            value=self.value,
            settings=self.settings or {},
        )

    def file_references(self) -> set[str]:
        """Return every member that the manifest points to."""
        names = {frame.file for frame in self.golden}
        for variant in self.variants.values():
            names |= {variant.file, variant.golden_input, *variant.golden_outputs.values()}
        return names

    def to_bytes(self) -> bytes:
        """Return the JSON text; equal manifests give equal bytes."""
        document = to_json(self)
        if self.preprocess.layout == "hwc":
            del document["preprocess"]["layout"]  # installations that know no other refuse the key
        text = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True)
        return (text + "\n").encode()


def least_schema(
    task: str, said: Said, variants: Mapping[str, Variant], preprocess: PreprocessSpec
) -> SchemaVersion:
    """Return the oldest schema version that can describe a model.

    Args:
        task: its name.
        said: the description of the outputs.
        variants: the compiled forms.
        preprocess: how a frame becomes the input.
    """
    needed = find_task(task).schema(said)
    if any(variant.more_outputs for variant in variants.values()):
        needed = max(needed, 2)
    if CPU not in variants or preprocess.layout != "hwc" or preprocess.channels == "rgba":
        needed = max(needed, 3)
    if preprocess.region is not None:
        needed = max(needed, 4)
    return cast("SchemaVersion", needed)


def parse_manifest(text: bytes, *, subject: str) -> ModelManifest:
    """Read a manifest.

    Args:
        text: the JSON text.
        subject: the bundle's path, for errors.

    Raises:
        BundleError: it is not a manifest of this schema version.
    """
    try:
        document = parse_json(text)
        version = document.get("schema_version") if isinstance(document, dict) else None
        if isinstance(version, int) and version > SCHEMA_VERSION:
            raise BundleError(
                subject,
                got=f"its manifest has schema version {version}",
                expected=f"{SCHEMA_VERSION} or older",
                next_step="update edgeinfer here, or convert the model again with this version",
            )
        task = document.get("task") if isinstance(document, dict) else None
        if isinstance(task, str):
            _require_known(task, subject)
        return from_json(ModelManifest, document)
    except SchemaError as error:
        raise BundleError(
            subject,
            got=f"{MANIFEST}, {error.where}: {error.got}",
            expected=error.expected,
            next_step="make the bundle again with `edgeinfer convert`",
        ) from error


def _require_known(task: str, subject: str) -> None:
    try:
        find_task(task)
    except UnknownTaskError as error:
        raise BundleError(
            subject,
            got=f"its model predicts '{task}', which no installed package reads",
            expected=f"one of {', '.join(OWN)}",
            next_step=f"install the package that brings the task '{task}', or a newer edgeinfer",
        ) from error

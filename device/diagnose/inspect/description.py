"""What a bundle or a `.tflite` contains, for people and for scripts; no runtime is needed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgeinfer.device.accelerators.registry import compiled_by, compiled_for
from edgeinfer.device.core.errors import printable
from edgeinfer.device.core.model_file import is_bundle, read_model_file
from edgeinfer.device.core.paths import AnyPath
from edgeinfer.device.diagnose.inspect.bundle_summary import (
    accuracy_text,
    frames_text,
    needs_text,
    speed_text,
)
from edgeinfer.device.diagnose.inspect.operators import (
    macs_cells,
    macs_text,
    operator_cells,
    operators_json,
    peak_text,
    shape_text,
)
from edgeinfer.device.diagnose.inspect.output_rows import about_rows
from edgeinfer.device.diagnose.inspect.rows import aligned, labels_text, table_rows
from edgeinfer.device.models.bundle.manifest import CPU, ModelManifest
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.models.bundle.strict import to_json
from edgeinfer.device.tasks.labels import labels_in_model
from edgeinfer.device.tasks.registry import find_task
from edgeinfer.device.tflite.activation_memory import peak_activation
from edgeinfer.device.tflite.macs import macs_by_operator, model_macs
from edgeinfer.device.tflite.metadata.tflite_metadata import ModelMetadata, read_metadata
from edgeinfer.device.tflite.model import Tensor, TfliteModel
from edgeinfer.device.tflite.reader import read_tflite


@dataclass(frozen=True, kw_only=True)
class ModelDescription:
    """A `.tflite` file, and what it needs.

    Attributes:
        name: the file, or the bundle's member.
        size_bytes: of the file, what follows the model included.
        model: its content.
        labels: the labels that it carries in a ZIP, or None.
        about: its TFLite Metadata, or None.
    """

    name: str
    size_bytes: int
    model: TfliteModel
    labels: tuple[str, ...] | None
    about: ModelMetadata | None = None

    @property
    def needs_delegate(self) -> str | None:
        """The delegate without which no runtime runs it, or None."""
        maker = compiled_for(self.model)
        return None if maker is None else maker.name

    @property
    def main(self) -> ModelDescription:
        """The model itself, as a bundle's is its CPU variant."""
        return self

    def operator_lines(self) -> list[str]:
        """Return each operator of the first graph on a line."""
        return [text for _, text in table_rows("", operator_cells(self.model))]

    def summary_lines(self) -> list[str]:
        """Return what matters first: of one model that is all; see `lines`."""
        return self.lines()

    def to_json(self) -> dict[str, object]:
        """Return what scripts read."""
        model = self.model
        peak = peak_activation(model)
        return {
            "kind": "tflite",
            "file": self.name,
            "size_bytes": self.size_bytes,
            "description": model.description,
            "inputs": [_tensor_json(tensor) for tensor in model.inputs],
            "outputs": [_tensor_json(tensor) for tensor in model.outputs],
            "operators": [
                {"op": op, "version": version, "count": count}
                for (op, version), count in model.op_counts.items()
            ],
            "custom_ops": list(model.custom_ops),
            "needs_delegate": self.needs_delegate,
            "fully_integer": model.fully_integer,
            "parameters": model.parameters,
            "constant_bytes": model.constant_bytes,
            "macs": model_macs(model),
            "peak_activation_bytes": peak.size_bytes,
            "peak_activation_operator": peak.operator,
            "per_operator": operators_json(model),
            "subgraphs": len(model.subgraphs),
            "signatures": [signature.name for signature in model.signatures],
            "metadata": [
                {"name": item.name, "size_bytes": len(item.data)} for item in model.metadata
            ],
            "tflite_metadata": to_json(self.about),
            "labels": None if self.labels is None else list(self.labels),
        }

    def lines(self) -> list[str]:
        """Return what people read: aligned, free of control characters."""
        model = self.model
        rows = [("description", model.description)] if model.description else []
        rows += table_rows("inputs", [_tensor_cells(tensor) for tensor in model.inputs])
        rows += table_rows("outputs", [_tensor_cells(tensor) for tensor in model.outputs])
        macs = macs_by_operator(model)
        rows += table_rows(
            "operators",
            [
                [f"{n}", "x", f"{key[0]} v{key[1]}", *macs_cells(macs.get(key, 0))]
                for key, n in model.op_counts.items()
            ],
        )
        if (maker := compiled_for(model)) is not None:
            rows.append(("delegate", f"compiled for {maker.title}: needs its delegate"))
        others = [op for op in model.custom_ops if compiled_by(op) is None]
        if others:
            rows.append(("custom ops", ", ".join(others)))
        rows += [
            ("arithmetic", "integer only" if model.fully_integer else "floating point, in part"),
            ("parameters", f"{model.parameters:,} in {model.constant_bytes:,} bytes"),
            ("MACs", macs_text(model)),
            ("activations", peak_text(model)),
        ]
        if len(model.subgraphs) > 1:
            rows.append(("subgraphs", f"{len(model.subgraphs)}"))
        if model.signatures:
            rows.append(("signatures", ", ".join(item.name for item in model.signatures)))
        if model.metadata:
            names = (f"{item.name} ({len(item.data):,} bytes)" for item in model.metadata)
            rows.append(("metadata", ", ".join(names)))
        if self.about is not None:
            rows += about_rows(self.about)
        if self.labels is not None:
            rows.append(("labels", labels_text(self.labels)))
        return [f"{printable(self.name)}: {self.size_bytes:,} bytes", *aligned(rows)]


@dataclass(frozen=True, kw_only=True)
class BundleDescription:
    """A bundle whose members were all checked.

    Attributes:
        name: the file.
        size_bytes: of the file.
        manifest: what it says of itself.
        variants: the model file of each variant.
    """

    name: str
    size_bytes: int
    manifest: ModelManifest
    variants: dict[str, ModelDescription]

    @property
    def main(self) -> ModelDescription:
        """The variant for the CPU; of a model that has none, the first by name."""
        return self.variants.get(CPU) or self.variants[min(self.variants)]

    def to_json(self) -> dict[str, object]:
        """Return what scripts read: the manifest as it is, and each variant's content."""
        return {
            "kind": "bundle",
            "file": self.name,
            "size_bytes": self.size_bytes,
            "manifest": to_json(self.manifest),
            "variants": {name: variant.to_json() for name, variant in self.variants.items()},
        }

    def summary_lines(self) -> list[str]:
        """Return what matters first: what the model tells, how well, and its files."""
        metrics, variants = self.manifest.metrics, self.manifest.variants
        known = (("accuracy", accuracy_text(metrics)), ("speed", speed_text(metrics)))
        rows = [*self._first_rows(), *((title, text) for title, text in known if text)]
        rows += table_rows(
            "variants",
            [
                [
                    name,
                    variants[name].precision,
                    f"{described.size_bytes:,} bytes",
                    needs_text(variants[name].delegate, described.model),
                ]
                for name, described in self.variants.items()
            ],
        )
        return [self._title(), *aligned(rows), "  settings, tensors and operators: --all"]

    def _title(self) -> str:
        return f"{printable(self.name)}: bundle, {self.size_bytes:,} bytes"

    def _first_rows(self) -> list[tuple[str, str]]:
        manifest = self.manifest
        rows = [("model", manifest.name), ("task", manifest.task)]
        if manifest.labels:
            rows.append(("labels", labels_text(manifest.labels)))
        return [*rows, ("frames", frames_text(manifest.preprocess))]

    def lines(self) -> list[str]:
        """Return all that people may want to know: aligned, free of control characters."""
        manifest, spec = self.manifest, self.manifest.preprocess
        rows = self._first_rows()
        rows += [
            ("mean", ", ".join(f"{value:g}" for value in spec.mean)),
            ("std", ", ".join(f"{value:g}" for value in spec.std)),
            *find_task(manifest.task).rows(manifest.said),
            ("golden", f"{len(manifest.golden)} frames"),
        ]
        rows += table_rows(
            "metrics", [[name, f"{value:.6g}"] for name, value in sorted(manifest.metrics.items())]
        )
        rows += table_rows(
            "provenance", [list(item) for item in sorted(manifest.provenance.items())]
        )
        lines = [self._title(), *aligned(rows)]
        for name, description in self.variants.items():
            variant = manifest.variants[name]
            needs = f", needs delegate {variant.delegate}" if variant.delegate else ""
            lines += ["", printable(f"variant {name}, {variant.precision}{needs}")]
            lines += ["  " + line for line in description.lines()]
        return lines


def describe_file(path: AnyPath) -> BundleDescription | ModelDescription:
    """Read a bundle or a `.tflite` file; a bundle's members are all checked.

    Raises:
        BundleError: the bundle is damaged or of another version.
        ModelError: the file cannot be read, or is not a model.
    """
    path = Path(path)
    if is_bundle(path):
        return _describe_bundle(path)
    return describe_tflite(read_model_file(path), name=str(path))


def describe_tflite(data: bytes, *, name: str) -> ModelDescription:
    """Read the bytes of a `.tflite` file.

    Raises:
        ModelError: it is not a model, or a damaged one.
    """
    model = read_tflite(data, subject=name)
    return ModelDescription(
        name=name,
        size_bytes=len(data),
        model=model,
        labels=labels_in_model(data, subject=name),
        about=read_metadata(model, subject=name),
    )


def _describe_bundle(path: Path) -> BundleDescription:
    with open_bundle(path) as bundle:
        variants = bundle.manifest.variants
        # Once each, as all variants may be of one file.
        files = {
            file: describe_tflite(bundle.member(file), name=file)
            for file in dict.fromkeys(variant.file for variant in variants.values())
        }
        return BundleDescription(
            name=str(path),
            size_bytes=bundle.size_bytes,
            manifest=bundle.manifest,
            variants={name: files[variant.file] for name, variant in variants.items()},
        )


def _tensor_json(tensor: Tensor) -> dict[str, object]:
    """Return one input or output; a size of the shape that varies is -1."""
    return {
        "name": tensor.name,
        "shape": list(tensor.shape_signature or tensor.shape),
        "dtype": tensor.dtype,
        "scale": tensor.scale,
        "zero_point": tensor.zero_point,
        "channels": tensor.channels,
    }


def _tensor_cells(tensor: Tensor) -> list[str]:
    quantization = ""
    if tensor.channels:
        quantization = f"{tensor.channels} scales"
    elif tensor.quantization:
        quantization = f"scale {tensor.scale:.6g}, zero point {tensor.zero_point}"
    return [tensor.name, shape_text(tensor), tensor.dtype, quantization]

"""What pages say of a bundle's variants: precision, accelerator, input and outputs."""

from __future__ import annotations

from collections.abc import Sequence

from edgeinfer.converters.common.page.parts import Table
from edgeinfer.converters.tasks.page_parts import long_table
from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.models.bundle.manifest import ModelManifest


def variants_table(manifest: ModelManifest) -> Table:
    """Return a row for each variant of a bundle."""
    rows = [
        (
            name,
            variant.precision,
            variant.delegate or "none: the CPU",
            tensors_text([variant.input]),
            tensors_text(variant.outputs),
        )
        for name, variant in manifest.variants.items()
    ]
    header = ("variant", "precision", "accelerator", "input", "outputs")
    return long_table("Variants", header, rows, texts=5)


def tensors_text(tensors: Sequence[TensorSpec]) -> str:
    """Return shapes and types, such as "1x224x224x3 int8"."""
    return ", ".join(f"{'x'.join(map(str, one.shape))} {one.dtype}" for one in tensors)

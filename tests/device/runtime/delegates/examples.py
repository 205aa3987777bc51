"""Bundles with variants for accelerators, whose models are the CPU's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.models.bundle.writer import write_bundle


def with_variants(sample: Path, path: Path, variants: Sequence[tuple[str, str]]) -> Path:
    """Write the sample with these (variant, delegate) next to the CPU's."""
    with open_bundle(sample) as bundle:
        members = {name: bundle.member(name) for name in bundle.manifest.members}
        manifest = bundle.manifest
    cpu = manifest.variants["cpu"]
    added = {name: replace(cpu, delegate=delegate) for name, delegate in variants}
    write_bundle(path, replace(manifest, variants={**manifest.variants, **added}), members)
    return path

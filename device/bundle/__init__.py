"""The bundle: one file that carries a model, how to feed it, and the proof that it works."""

from edgeinfer.device.bundle.installed import installed_bundle
from edgeinfer.device.bundle.manifest import (
    Decoder,
    GoldenFrame,
    ModelManifest,
    ValueSpec,
    Variant,
)
from edgeinfer.device.bundle.reader import ModelBundle, open_bundle
from edgeinfer.device.bundle.writer import write_bundle

__all__ = [
    "Decoder",
    "GoldenFrame",
    "ModelBundle",
    "ModelManifest",
    "ValueSpec",
    "Variant",
    "installed_bundle",
    "open_bundle",
    "write_bundle",
]

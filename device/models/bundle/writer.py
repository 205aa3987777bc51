"""Writing a bundle: stored ZIP members in a fixed order with fixed dates, so equal bundles have
equal bytes."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from edgeinfer.device.core.files import atomic_file
from edgeinfer.device.core.paths import AnyPath
from edgeinfer.device.models.bundle.manifest import (
    MANIFEST,
    SIGNATURES,
    Member,
    ModelManifest,
    is_member_name,
)

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest date that ZIP can hold."""


def write_bundle(
    path: AnyPath, manifest: ModelManifest, members: Mapping[str, bytes]
) -> ModelManifest:
    """Write a bundle; it appears at `path` when it is complete.

    Args:
        path: where to.
        manifest: without `members`, which is filled in here.
        members: content by name.

    Returns:
        The manifest as written, with sizes and hashes.

    Raises:
        StorageError: the file cannot be written.
        ValueError: a member that the manifest points to is missing, or a name is not allowed.
    """
    missing = manifest.file_references() - set(members)
    if missing:
        raise ValueError(f"members are missing: {sorted(missing)}")
    bad = [
        name
        for name in members
        if not is_member_name(name) or name == MANIFEST or name.startswith(SIGNATURES)
    ]
    if bad:
        raise ValueError(f"member names are not allowed: {bad}")
    complete = replace(
        manifest,
        members={
            name: Member(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
            for name, content in sorted(members.items())
        },
    )
    with (
        atomic_file(Path(path)) as stream,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive,
    ):
        _add(archive, MANIFEST, complete.to_bytes())
        for name in sorted(members):
            _add(archive, name, members[name])
    return complete


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.create_system = 3  # Unix, whatever machine writes it
    info.external_attr = 0o644 << 16
    archive.writestr(info, content)

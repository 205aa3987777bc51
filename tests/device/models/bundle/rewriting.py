"""Bundles written again with another manifest or other bytes, as someone who means harm would."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

from edgeinfer.device.models.bundle.manifest import MANIFEST

Document = dict[str, Any]
Members = dict[str, bytes]


def members_of(bundle: bytes) -> Members:
    """Return every member by its name, the manifest too."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archive_of(members: Mapping[str, bytes]) -> bytes:
    """Return a ZIP of stored members, as the writer makes it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return stream.getvalue()


def hashed(document: Document, members: Mapping[str, bytes]) -> Document:
    """Return the manifest with the sizes and hashes of these members."""
    listed = {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in members.items()
        if name != MANIFEST
    }
    return {**document, "members": listed}


def rewritten(bundle: bytes, edit: Callable[[Document, Members], object]) -> bytes:
    """Return a bundle whose manifest and members were edited, with hashes that are right again."""
    members = members_of(bundle)
    document: Document = json.loads(members.pop(MANIFEST))
    edit(document, members)
    text = json.dumps(hashed(document, members)).encode()
    return archive_of({MANIFEST: text, **members})

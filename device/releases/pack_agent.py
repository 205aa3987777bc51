"""Packing the agent into one file."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

VERSION = 3
"""Changes with what the commands take and give; the file's hash tells one build from another."""

_DEVICE = Path(__file__).resolve().parent.parent
_INSIDE = "edgeinfer/device/"
_SHARED = ("core/camera_url.py", "core/errors.py", "core/files.py", "core/processes.py")
"""What the agent uses of the rest of the device package; standard library only, like itself."""
_MAIN = """\
import sys

from edgeinfer.device.releases.commands import main

sys.exit(main())
"""
_DATE = (1980, 1, 1, 0, 0, 0)
"""ZIP's earliest: the same sources give the same bytes."""


def build_agent() -> bytes:
    """Return the agent as a zipapp for `python3 -I`; the same sources give the same bytes.

    Raises:
        OSError: the package's sources cannot be read.
    """
    members = {"__main__.py": _MAIN.encode(), "edgeinfer/__init__.py": b""}
    for package in ("", "core/"):
        members[f"{_INSIDE}{package}__init__.py"] = b""
    own = sorted(path.relative_to(_DEVICE) for path in (_DEVICE / "releases").rglob("*.py"))
    for name in (*_SHARED, *map(str, own)):
        members[_INSIDE + name] = (_DEVICE / name).read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return packed.getvalue()

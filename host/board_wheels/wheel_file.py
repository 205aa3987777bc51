"""A wheel on this workstation: its name, its metadata, its hash."""

from __future__ import annotations

import functools
import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from packaging.metadata import Metadata
from packaging.requirements import Requirement
from packaging.tags import Tag
from packaging.utils import (
    InvalidWheelFilename,
    NormalizedName,
    parse_wheel_filename,
)
from packaging.version import Version

from edgeinfer.device.core.errors import WheelError

_LICENCE = "License :: "
_LONGEST_LICENCE = 60


@dataclass(frozen=True, kw_only=True)
class WheelFile:
    """A wheel.

    Attributes:
        path: where it is.
        name: its file name, which installers read.
        sha256: of its content, 64 hexadecimal digits.
        size: bytes.
    """

    path: Path
    name: str
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class WheelName:
    """The contents of a wheel's file name."""

    distribution: NormalizedName
    version: Version
    tags: frozenset[Tag]


def wheel_file(path: Path) -> WheelFile:
    """Describe an existing wheel.

    Raises:
        WheelError: it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        size = path.stat().st_size
    except OSError as error:
        raise WheelError(path, got=f"cannot be read ({error.strerror})", expected="a wheel") from (
            error
        )
    return WheelFile(path=path, name=path.name, sha256=digest, size=size)


def locked_file(path: Path, sha256: str) -> WheelFile:
    """Describe an existing wheel; refuse it if the lock has another hash.

    Raises:
        WheelError: it has another hash, or cannot be read.
    """
    found = wheel_file(path)
    if found.sha256 != sha256:
        raise other_hash(path.name, got=found.sha256, expected=sha256)
    return found


def other_hash(what: str, *, got: str, expected: str) -> WheelError:
    """Return the error for a file with another hash than in the lock."""
    return WheelError(
        what,
        got=f"has SHA-256 {got}",
        expected=f"{expected}, as the lock of board packages says",
        next_step="do not use this package index before you know why; if you trust the file, give "
        "it with --wheel",
    )


def parse_name(path: Path) -> WheelName:
    """Read a wheel's file name.

    Raises:
        WheelError: it is not the name of a wheel.
    """
    try:
        distribution, version, _, tags = parse_wheel_filename(path.name)
    except InvalidWheelFilename as error:
        raise WheelError(
            path,
            got="does not have the name of a wheel",
            expected="NAME-VERSION-PYTHON-ABI-PLATFORM.whl",
            next_step="use the name that the wheel was built with",
        ) from error
    return WheelName(distribution=distribution, version=version, tags=tags)


@functools.lru_cache(maxsize=256)
def requirements(path: Path) -> tuple[Requirement, ...]:
    """Return the requirements in a wheel's own metadata, with all markers.

    Raises:
        WheelError: the file is not a wheel.
    """
    return tuple(_metadata(path).requires_dist or ())


def requires_python(path: Path) -> str:
    """Return the Pythons that a wheel runs on, from its metadata; empty for all.

    Raises:
        WheelError: the file is not a wheel.
    """
    return str(_metadata(path).requires_python or "")


def licence(path: Path) -> str:
    """Return the licence in a wheel's metadata, in a line; empty if it has none.

    Raises:
        WheelError: the file is not a wheel.
    """
    said = _metadata(path)
    if said.license_expression:
        return str(said.license_expression)
    text = (said.license or "").strip()
    if text and "\n" not in text and len(text) <= _LONGEST_LICENCE:
        return text
    # Older packages have the licence's complete text there, and its name in the classifiers.
    named = [one for one in said.classifiers or () if one.startswith(_LICENCE)]
    return named[0].rpartition(" :: ")[2] if named else ""


def _metadata(path: Path) -> Metadata:
    try:
        with zipfile.ZipFile(path) as archive:
            # The folder named after the wheel: vendored packages have metadata too.
            member = next(
                name
                for name in archive.namelist()
                if name.count("/") == 1 and name.endswith(".dist-info/METADATA")
            )
            return Metadata.from_email(archive.read(member), validate=False)
    except (OSError, zipfile.BadZipFile, StopIteration, ValueError) as error:
        raise WheelError(
            path,
            got=f"is not a wheel ({error or 'no METADATA in it'})",
            expected="a complete wheel",
            next_step="build or download it again",
        ) from error


def distribution_of(path: Path) -> str:
    """Return the normalized name of the distribution that a wheel holds."""
    return parse_name(path).distribution

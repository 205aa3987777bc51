"""Opening a bundle: everything is checked before anything in it is used."""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from edgeinfer.device.core.closing import Closing
from edgeinfer.device.core.errors import BundleError
from edgeinfer.device.core.model_file import (
    CONVERTIBLE,
    Found,
    path_advice,
    recognize,
    recognize_content,
    unreadable,
)
from edgeinfer.device.core.paths import AnyPath
from edgeinfer.device.models.bundle.installed import SUFFIX
from edgeinfer.device.models.bundle.layout import LayoutError, check_layout, read_end
from edgeinfer.device.models.bundle.manifest import (
    MANIFEST,
    SIGNATURES,
    ModelManifest,
    is_member_name,
    parse_manifest,
)

MAX_MEMBER_BYTES = 256 << 20
MAX_BUNDLE_BYTES = 1 << 30
MAX_MANIFEST_BYTES = 4 << 20
MAX_SIGNATURES = 16
MAX_SIGNATURE_BYTES = 64 << 10
_CHUNK_BYTES = 1 << 20
_COPY_AGAIN = "copy it again from the workstation, or make it again with `edgeinfer convert`"


class ModelBundle(Closing):
    """An open bundle whose members have all been checked against the manifest's hashes.

    Attributes:
        path: the file.
        manifest: what it says of itself.
    """

    def __init__(
        self, path: Path, stream: BinaryIO, archive: zipfile.ZipFile, manifest: ModelManifest
    ) -> None:
        self.path = path
        self.manifest = manifest
        self._stream = stream
        self._archive = archive

    @property
    def size_bytes(self) -> int:
        """The whole file's."""
        return os.fstat(self._stream.fileno()).st_size

    def member(self, name: str) -> bytes:
        """Return a member's content, checked again against its hash.

        Args:
            name: one of `manifest.members`.

        Raises:
            BundleError: the file changed since it was opened, or cannot be read any more.
            KeyError: the manifest has no such member.
        """
        listed = self.manifest.members[name]
        with _as_bundle_errors(self.path):
            content = self._archive.read(name)
        if hashlib.sha256(content).hexdigest() != listed.sha256:
            raise BundleError(self.path, got=f"member '{name}' changed while it was open")
        return content

    def close(self) -> None:
        """Close the file."""
        self._archive.close()
        self._stream.close()


def open_bundle(path: AnyPath) -> ModelBundle:
    """Open a bundle and check all of it.

    Raises:
        BundleError: the file is absent, truncated, hostile, damaged, or of a newer schema.
    """
    path = Path(path)
    stream = _open_file(path)
    try:
        with _as_bundle_errors(path):
            archive, infos, manifest = _read(path, stream)
            _check_members(path, archive, infos, manifest)
    except BaseException:
        stream.close()
        raise
    return ModelBundle(path, stream, archive, manifest)


def read_manifest(path: AnyPath) -> ModelManifest:
    """Return what a bundle says of itself; its members' contents are not looked at.

    Raises:
        BundleError: as `open_bundle`.
    """
    path = Path(path)
    with _open_file(path) as stream, _as_bundle_errors(path):
        return _read(path, stream)[2]


def _open_file(path: Path) -> BinaryIO:
    try:
        status = path.stat()  # before it is opened: opening a pipe waits
        if not stat.S_ISREG(status.st_mode):
            if stat.S_ISDIR(status.st_mode) and (found := recognize(path)).kind != "folder":
                raise _other_kind(path, found)
            raise BundleError(path, got="is not a file", expected="a .edgebundle file")
        if status.st_size > MAX_BUNDLE_BYTES:
            raise BundleError(
                path, got=f"has {status.st_size:,} bytes", expected=f"at most {MAX_BUNDLE_BYTES:,}"
            )
        return path.open("rb")
    except (OSError, ValueError) as error:  # a path with a NUL
        raise _unreadable(path, error) from error


@contextmanager
def _as_bundle_errors(path: Path) -> Iterator[None]:
    """Turn what reading a damaged archive raises into a BundleError."""
    try:
        yield
    except (LayoutError, zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError) as error:
        raise BundleError(
            path,
            got=f"is damaged ({error})",
            expected="a whole bundle and nothing else in the file",
            next_step=_COPY_AGAIN,
        ) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _other_kind(path: Path, found: Found) -> BundleError:
    """Return the error for a model of another kind."""
    next_step = "choose the .edgebundle that `edgeinfer convert` made of it"
    if found.kind != "tflite" and found.kind not in CONVERTIBLE:
        next_step = found.next_step(path)
    return BundleError(path, got=f"is {found.words}", expected="a bundle", next_step=next_step)


def _unreadable(path: Path, error: OSError | ValueError) -> BundleError:
    return BundleError(path, got=unreadable(error), next_step=path_advice(path, error))


def _read(
    path: Path, stream: BinaryIO
) -> tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo], ModelManifest]:
    """Read the directory and the manifest."""
    found = recognize_content(stream)
    # What is named as a bundle may have lost its manifest.
    packed = found.kind == "zip" and path.suffix.lower() != SUFFIX
    if packed or found.kind not in ("bundle", "zip", "unknown"):
        raise _other_kind(path, found)
    directory = read_end(stream)
    try:
        archive = zipfile.ZipFile(stream)
    # A name that is not in the code that it claims, a field that is too short, a number too large.
    except (ValueError, struct.error, OverflowError) as error:
        raise LayoutError(str(error)) from error
    if archive.start_dir != directory.offset:
        raise LayoutError("it has two directories")
    infos = _check_directory(path, archive)
    check_layout(stream, archive.infolist(), directory)
    if MANIFEST not in infos:
        raise BundleError(path, got=f"has no {MANIFEST}", expected="a bundle")
    if infos[MANIFEST].file_size > MAX_MANIFEST_BYTES:
        raise BundleError(
            path,
            got=f"{MANIFEST} has {infos[MANIFEST].file_size:,} bytes",
            expected=f"at most {MAX_MANIFEST_BYTES:,}",
        )
    manifest = parse_manifest(archive.read(MANIFEST), subject=os.fspath(path))
    return archive, infos, manifest


def _check_directory(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Check names, sizes and storage of all members, without reading any."""
    infos: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        # orig_filename: zipfile cuts `filename` at a NUL and turns the host's separator into '/'.
        name = info.orig_filename
        if not is_member_name(name):
            raise BundleError(
                path,
                got=f"member '{name[:200]}' has a forbidden name",
                expected="a relative path of plain characters without '..'",
            )
        if name in infos:
            raise BundleError(path, got=f"member '{name}' occurs twice", expected="each name once")
        most = MAX_SIGNATURE_BYTES if name.startswith(SIGNATURES) else MAX_MEMBER_BYTES
        if info.file_size > most:
            raise BundleError(
                path,
                got=f"member '{name}' has {info.file_size:,} bytes",
                expected=f"at most {most:,}",
            )
        stored = info.compress_type == zipfile.ZIP_STORED and info.compress_size == info.file_size
        if not stored or info.flag_bits & 0x1:
            raise BundleError(
                path, got=f"member '{name}' is compressed or encrypted", expected="a stored member"
            )
        infos[name] = info
    signatures = sum(name.startswith(SIGNATURES) for name in infos)
    if signatures > MAX_SIGNATURES:
        raise BundleError(
            path, got=f"has {signatures} members in {SIGNATURES}", expected=f"{MAX_SIGNATURES}"
        )
    return infos


def _check_members(
    path: Path, archive: zipfile.ZipFile, infos: dict[str, zipfile.ZipInfo], manifest: ModelManifest
) -> None:
    listed, present = set(manifest.members), set(infos) - {MANIFEST}
    for name in sorted(manifest.file_references() - listed) + sorted(listed - present):
        raise BundleError(path, got=f"member '{name[:200]}' is missing", next_step=_COPY_AGAIN)
    for name in sorted(present - listed):
        # Who signs a bundle signs its manifest, which therefore cannot know of the signature.
        if not name.startswith(SIGNATURES):
            raise BundleError(
                path, got=f"member '{name}' is not in the manifest", expected="only listed members"
            )
    for name, member in sorted(manifest.members.items()):
        digest = hashlib.sha256()
        with archive.open(name) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
        if digest.hexdigest() != member.sha256 or infos[name].file_size != member.bytes:
            raise BundleError(
                path,
                got=f"member '{name}' has sha256 {digest.hexdigest()[:12]}...",
                expected=f"{member.sha256[:12]}...",
                next_step=_COPY_AGAIN,
            )

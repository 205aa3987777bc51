"""Opening a bundle: everything is checked before anything in it is used."""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
from pathlib import Path

from edgeinfer.device.bundle.manifest import MANIFEST, ModelManifest, is_member_name, parse_manifest
from edgeinfer.device.closing import Closing
from edgeinfer.device.errors import BundleError

MAX_MEMBER_BYTES = 256 << 20
MAX_BUNDLE_BYTES = 1 << 30
MAX_MANIFEST_BYTES = 4 << 20
MAX_MEMBERS = 2000
_CHUNK_BYTES = 1 << 20
_COPY_AGAIN = "copy it again from the workstation, or make it again with `edgeinfer convert`"


class ModelBundle(Closing):
    """An open bundle whose members have all been checked against the manifest's hashes.

    Attributes:
        path: the file.
        manifest: what it says of itself.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile, manifest: ModelManifest) -> None:
        self.path = path
        self.manifest = manifest
        self._archive = archive

    def member(self, name: str) -> bytes:
        """Return a member's content, checked once more against its hash.

        Raises:
            BundleError: the file changed since it was opened.
        """
        content = self._archive.read(name)
        if hashlib.sha256(content).hexdigest() != self.manifest.members[name].sha256:
            raise BundleError(self.path, got=f"member '{name}' changed while it was open")
        return content

    def close(self) -> None:
        """Close the file."""
        self._archive.close()


def open_bundle(path: Path) -> ModelBundle:
    """Open a bundle and check all of it.

    Raises:
        BundleError: the file is absent, truncated, hostile, damaged, or of a newer schema.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise BundleError(path, got="is not a file", expected="a .edgebundle file")
        if status.st_size > MAX_BUNDLE_BYTES:
            raise BundleError(
                path, got=f"has {status.st_size:,} bytes", expected=f"at most {MAX_BUNDLE_BYTES:,}"
            )
        archive = zipfile.ZipFile(path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise BundleError(
            path, got=f"cannot be read ({reason})", next_step="check the path"
        ) from error
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise BundleError(
            path,
            got="is truncated or no bundle",
            expected="a whole ZIP archive",
            next_step=_COPY_AGAIN,
        ) from error
    try:
        return ModelBundle(path, archive, _check(path, archive))
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError) as error:
        archive.close()
        raise BundleError(path, got=f"is damaged ({error})", next_step=_COPY_AGAIN) from error
    except BaseException:
        archive.close()
        raise


def _check(path: Path, archive: zipfile.ZipFile) -> ModelManifest:
    infos = _check_directory(path, archive)
    if MANIFEST not in infos:
        raise BundleError(path, got=f"has no {MANIFEST}", expected="a bundle")
    if infos[MANIFEST].file_size > MAX_MANIFEST_BYTES:
        raise BundleError(
            path,
            got=f"{MANIFEST} has {infos[MANIFEST].file_size:,} bytes",
            expected=f"at most {MAX_MANIFEST_BYTES:,}",
        )
    manifest = parse_manifest(archive.read(MANIFEST), subject=os.fspath(path))
    _check_members(path, archive, infos, manifest)
    return manifest


def _check_directory(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Check names, sizes and storage of all members, without reading any."""
    infos: dict[str, zipfile.ZipInfo] = {}
    if len(archive.infolist()) > MAX_MEMBERS:
        raise BundleError(
            path,
            got=f"has {len(archive.infolist()):,} members",
            expected=f"at most {MAX_MEMBERS:,}",
        )
    for info in archive.infolist():
        # orig_filename: zipfile cuts `filename` at a NUL and turns the host's separator into '/'.
        name = info.orig_filename
        if not is_member_name(name):
            raise BundleError(
                path,
                got=f"member '{name}' has a forbidden name",
                expected="a relative path of plain characters without '..'",
            )
        if name in infos:
            raise BundleError(path, got=f"member '{name}' occurs twice", expected="each name once")
        if info.file_size > MAX_MEMBER_BYTES:
            raise BundleError(
                path,
                got=f"member '{name}' has {info.file_size:,} bytes",
                expected=f"at most {MAX_MEMBER_BYTES:,}",
            )
        stored = info.compress_type == zipfile.ZIP_STORED and info.compress_size == info.file_size
        if not stored or info.flag_bits & 0x1:
            raise BundleError(
                path, got=f"member '{name}' is compressed or encrypted", expected="a stored member"
            )
        infos[name] = info
    return infos


def _check_members(
    path: Path, archive: zipfile.ZipFile, infos: dict[str, zipfile.ZipInfo], manifest: ModelManifest
) -> None:
    listed, present = set(manifest.members), set(infos) - {MANIFEST}
    for name in sorted(manifest.file_references() - listed) + sorted(listed - present):
        raise BundleError(path, got=f"member '{name}' is missing", next_step=_COPY_AGAIN)
    for name in sorted(present - listed):
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

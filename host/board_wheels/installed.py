"""edgeinfer's own wheel, packed again from the installed files that this runs from.

Each file is compared with its hash in the installation's RECORD. So a board gets what this
workstation runs, and no package index is needed.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import zipfile
from importlib import metadata
from pathlib import Path, PurePosixPath

from packaging.tags import Tag, parse_tag

from edgeinfer.device.core.errors import WheelError, storage_error
from edgeinfer.device.core.files import atomic_file
from edgeinfer.host.board_wheels.own import DISTRIBUTION, how_to_get, own_version
from edgeinfer.host.board_wheels.target import WheelTarget

_INSTALLERS = frozenset({"INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json"})
"""Files that installers write in addition to the wheel's own files."""
_DATE = (1980, 1, 1, 0, 0, 0)
"""ZIP's earliest: the same files give the same wheel."""
_REINSTALL = "install edgeinfer again, or give its wheel with --wheel"


def installed_wheel(
    target: WheelTarget, folder: Path, installed: metadata.Distribution | None = None
) -> Path:
    """Pack the installed edgeinfer as the wheel that it came from.

    Args:
        target: what it must run on.
        folder: where to put it.
        installed: the installation; by default the one that runs.

    Raises:
        WheelError: it is for another machine, or its files have changed since the installation.
        StorageError: `folder` cannot be written.
    """
    installed = installed or _running()
    tags = _tags(installed)
    suiting = {tag for tag in tags if _suits(tag, target)}
    if not suiting:
        raise WheelError(
            f"{DISTRIBUTION} {own_version()} for {target.title}",
            got=f"the edgeinfer installed here is for {', '.join(sorted(map(str, tags)))}",
            expected="its wheel for that board",
            next_step=how_to_get(target, DISTRIBUTION),
        )
    files = _checked_files(installed)
    path = folder / f"{DISTRIBUTION}-{installed.version}-{_name_of(tags)}.whl"
    info = f"{DISTRIBUTION}-{installed.version}.dist-info"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as stream, zipfile.ZipFile(stream, "w") as archive:
            for name, (content, mode) in sorted(files.items()):
                _add(archive, name, content, mode)
            _add(archive, f"{info}/RECORD", _record(files, info), 0o644)
    except OSError as error:
        raise storage_error(path, error) from error
    return path


def _running() -> metadata.Distribution:
    """Return the installation of the edgeinfer that runs; a different one may come first on the
    path.

    Raises:
        WheelError: this does not run from the installed place.
    """
    installed = metadata.distribution(DISTRIBUTION)
    here = Path(__file__).resolve()
    there = Path(str(installed.locate_file(f"{DISTRIBUTION}/host/board_wheels/{here.name}")))
    if there.resolve() != here:
        raise WheelError(
            DISTRIBUTION,
            got=f"runs from {here.parents[2]}, and another is installed at {there.parents[2]}",
            expected="one installation",
            next_step=_REINSTALL,
        )
    return installed


def _tags(installed: metadata.Distribution) -> frozenset[Tag]:
    text = installed.read_text("WHEEL") or ""
    lines = [line.partition(":")[2].strip() for line in text.splitlines() if line[:4] == "Tag:"]
    tags = frozenset(tag for line in lines for tag in parse_tag(line))
    if not tags:
        raise WheelError(
            DISTRIBUTION,
            got="was not installed from a wheel",
            expected="an installation with WHEEL and RECORD",
            next_step=_REINSTALL,
        )
    return tags


def _suits(tag: Tag, target: WheelTarget) -> bool:
    """Return whether it runs there. A `linux_` tag needs a C library like this machine's."""
    if tag not in target.tags():
        return False
    return not tag.platform.startswith("linux_") or _glibc() <= target.glibc


def _glibc() -> tuple[int, ...]:
    """Return this machine's C library, (2, 36); a version newer than all if it is not glibc."""
    name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    if name != "glibc" or not version:
        return (99,)
    return tuple(int(part) for part in version.split(".")[:2])


def _name_of(tags: frozenset[Tag]) -> str:
    """Return tags in the form of a wheel's name."""
    parts = (
        {tag.interpreter for tag in tags},
        {tag.abi for tag in tags},
        {tag.platform for tag in tags},
    )
    return "-".join(".".join(sorted(part)) for part in parts)


def _checked_files(installed: metadata.Distribution) -> dict[str, tuple[bytes, int]]:
    """Return the wheel's files with their modes, each checked with RECORD.

    Raises:
        WheelError: one is different.
    """
    info = f"{DISTRIBUTION}-{installed.version}.dist-info"
    found: dict[str, tuple[bytes, int]] = {}
    for entry in _entries(installed):
        name = PurePosixPath(entry)
        if name.suffix == ".pyc" or (str(name.parent) == info and name.name in _INSTALLERS):
            continue
        if name.parts[:1] == ("..",):
            continue  # the program, which pip makes from the wheel's entry points
        ours = name.parts[:1] in ((DISTRIBUTION,), (info,))
        if not ours or ".." in name.parts:
            raise _changed(name, "is named in RECORD", f"only files of {DISTRIBUTION}")
        path = Path(str(entry.locate()))
        try:
            content, mode = path.read_bytes(), path.stat().st_mode & 0o111
        except (OSError, ValueError) as error:
            raise _changed(path, f"cannot be read ({error})", "as installed") from error
        if entry.hash is None or entry.hash.mode != "sha256":
            raise _changed(path, "has no SHA-256 in RECORD", "one")
        digest = _digest(content)
        if digest != entry.hash.value:
            raise _changed(
                path,
                f"has SHA-256 {_hexadecimal(digest)}",
                f"{_hexadecimal(entry.hash.value)}, as it was installed",
            )
        found[str(name)] = (content, 0o755 if mode else 0o644)
    if f"{DISTRIBUTION}/host/board_wheels/{Path(__file__).name}" not in found:
        raise _changed(f"{info}/RECORD", "does not list this program's files", "all of them")
    return found


def _entries(installed: metadata.Distribution) -> list[metadata.PackagePath]:
    try:
        return list(installed.files or ())
    except (csv.Error, OSError, ValueError, TypeError) as error:
        raise _changed("RECORD", f"cannot be read ({error})", "the installed files") from error


def _changed(what: object, got: str, expected: str) -> WheelError:
    return WheelError(str(what), got=got, expected=expected, next_step=_REINSTALL)


def _digest(content: bytes) -> str:
    """Return a SHA-256 in the form of RECORD."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _hexadecimal(digest: str) -> str:
    try:
        return base64.urlsafe_b64decode(digest + "=" * (-len(digest) % 4)).hex()
    except ValueError:
        return repr(digest)


def _record(files: dict[str, tuple[bytes, int]], info: str) -> bytes:
    lines = [
        f"{name},sha256={_digest(content)},{len(content)}"
        for name, (content, _) in sorted(files.items())
    ]
    return "\n".join([*lines, f"{info}/RECORD,,", ""]).encode()


def _add(archive: zipfile.ZipFile, name: str, content: bytes, mode: int) -> None:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (0o100000 | mode) << 16
    archive.writestr(entry, content)

"""The parts of a wheel, or of a release on a board: a bill of materials as CycloneDX JSON.

It has no time, and its serial number is computed from its content: the same parts give the same
bytes. `make sbom` writes one next to each wheel in `dist/`; `flash` puts one in each release's
folder.
"""

from __future__ import annotations

import hashlib
import json
import sys
import uuid
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from edgeinfer.device.core.errors import EdgeinferError, UsageError
from edgeinfer.device.core.files import write_atomically
from edgeinfer.host.board_wheels.choose import choose, needed
from edgeinfer.host.board_wheels.find import BoardWheels
from edgeinfer.host.board_wheels.lock import Lock, own_lock
from edgeinfer.host.board_wheels.own import DISTRIBUTION, own_version
from edgeinfer.host.board_wheels.supported import supported_targets
from edgeinfer.host.board_wheels.target import WheelTarget
from edgeinfer.host.board_wheels.wheel_file import (
    WheelFile,
    licence,
    parse_name,
    requirements,
    wheel_file,
)

SUFFIX = ".cdx.json"
_FORMAT = {"bomFormat": "CycloneDX", "specVersion": "1.6"}
_ROOT = "release"

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One wheel in a bill.

    Attributes:
        file: its name.
        sha256: of its content.
        licence: from its metadata; empty if that has none.
        requires: its requirements.
        scope: "required", or "excluded" if it is only needed to install the others.
    """

    file: str
    sha256: str
    licence: str
    requires: tuple[Requirement, ...]
    scope: str = "required"

    @property
    def name(self) -> str:
        """The normalized name of its distribution."""
        return parse_name(Path(self.file)).distribution

    @property
    def purl(self) -> str:
        """Its package URL, which is a name, not an address.

        edgeinfer's own has no registry in it, since edgeinfer comes from none.
        """
        version = quote(str(parse_name(Path(self.file)).version), safe="")
        kind = "generic" if self.name == DISTRIBUTION else "pypi"
        return f"pkg:{kind}/{self.name}@{version}?file_name={quote(self.file, safe='')}"

    def component(self) -> Json:
        """Return its entry in a bill."""
        found = {
            "type": "library",
            "bom-ref": self.purl,
            "name": self.name,
            "version": str(parse_name(Path(self.file)).version),
            "purl": self.purl,
            "scope": self.scope,
            "hashes": _hashes(self.sha256),
        }
        return found | _licences(self.licence)


def release_sbom(
    target: WheelTarget,
    wheels: BoardWheels,
    *,
    name: str,
    bundle_sha256: str,
    python: tuple[str, str] | None = None,
) -> bytes:
    """Return the bill of a release on a board.

    Args:
        target: the board's system.
        wheels: what is installed there.
        name: the bundle's.
        bundle_sha256: the hash of the bundle's file.
        python: version and SHA-256 of a Python that is sent too; None if the system's Python is
            used.
    """
    parts = [*map(_part, wheels.wheels), replace(_part(wheels.pip), scope="excluded")]
    bundle = {
        "type": "machine-learning-model",
        "bom-ref": "bundle",
        "name": name,
        "hashes": _hashes(bundle_sha256),
    }
    others = [bundle]
    if python is not None:
        version, sha256 = python
        # The hash of the archive, from which the Python is unpacked.
        others.append(
            {
                "type": "platform",
                "bom-ref": "python",
                "name": "CPython",
                "version": version,
                "hashes": _hashes(sha256),
            }
        )
    provided = ", ".join(sorted(target.system_packages))
    facts = {
        "edgeinfer:system": target.title,
        **({"edgeinfer:provided-by-the-system": provided} if provided else {}),
    }
    root = {"type": "application", "bom-ref": _ROOT, "name": f"edgeinfer release of {name}"}
    roots = [part.purl for part in parts if part.name == DISTRIBUTION]
    roots += [str(other["bom-ref"]) for other in others]
    return _document(root, [*others, *_components(parts)], _graph(roots, parts, [target]), facts)


def wheel_sbom(path: Path, lock: Lock | None = None) -> bytes:
    """Return the bill of edgeinfer's own wheel, with the locked wheels that boards get with it.

    Raises:
        WheelError: it is not a wheel, or the lock lacks one of its requirements.
    """
    lock = lock or own_lock()
    own = _part(wheel_file(path))
    tags = parse_name(path).tags
    targets = [one for one in supported_targets() if not tags.isdisjoint(one.tags())]
    parts: dict[str, Part] = {}
    for target in targets:
        wanted = needed(target, own.requires)
        for one in choose(target, lock, wanted, {}).values():
            parts[one.wheel.file] = Part(
                file=one.wheel.file,
                sha256=one.wheel.sha256,
                licence=one.package.licence,
                requires=one.package.needs(),
                scope="excluded" if one.package.name == "pip" else "required",
            )
    listed = [own, *(parts[file] for file in sorted(parts))]
    others = _data(path)
    roots = [str(other["bom-ref"]) for other in others]
    facts = {"edgeinfer:systems": "; ".join(dict.fromkeys(target.title for target in targets))}
    graph = _graph(roots, listed, targets, root=own.purl)
    return _document(own.component(), [*others, *_components(listed[1:])], graph, facts)


def _part(wheel: WheelFile) -> Part:
    return Part(
        file=wheel.name,
        sha256=wheel.sha256,
        licence=licence(wheel.path),
        requires=requirements(wheel.path),
    )


def _data(path: Path) -> list[Json]:
    """Return the data sets in edgeinfer's wheel, each with its licence's first line."""
    found = []
    with zipfile.ZipFile(path) as archive:
        for member in sorted(archive.namelist()):
            place = PurePosixPath(member)
            if place.match(f"{DISTRIBUTION}/host/embedded/*/LICENSE"):
                text = archive.read(member).decode("utf-8", "replace").strip()
                name = place.parent.name
                data: Json = {"type": "data", "bom-ref": f"data:{name}", "name": name}
                found.append(data | _licences((text.splitlines() or [""])[0].strip()))
    return found


def _components(parts: Iterable[Part]) -> list[Json]:
    return [part.component() for part in parts]


def _graph(
    roots: Sequence[str], parts: Sequence[Part], targets: Sequence[WheelTarget], root: str = _ROOT
) -> list[Json]:
    """Return which package needs which, on any of the systems."""
    by_name: dict[str, list[str]] = {}
    for part in parts:
        by_name.setdefault(part.name, []).append(part.purl)
    needs: dict[str, set[str]] = {ref: set() for ref in roots}
    for part in parts:
        names = {
            canonicalize_name(one.name)
            for one in part.requires
            if any(target.wants(one) for target in targets)
        }
        needs[part.purl] = {ref for name in names for ref in by_name.get(name, ())}
    needs[root] = needs.get(root, set()) | set(roots)
    return [{"ref": ref, "dependsOn": sorted(needs[ref])} for ref in sorted(needs)]


def _document(
    root: Json, components: list[Json], dependencies: list[Json], facts: Mapping[str, str]
) -> bytes:
    tool = {"type": "application", "name": DISTRIBUTION, "version": str(own_version())}
    document: Json = {
        **_FORMAT,
        "version": 1,
        "metadata": {
            "tools": {"components": [tool]},
            "component": root,
            "properties": [{"name": name, "value": value} for name, value in facts.items()],
        },
        "components": components,
        "dependencies": dependencies,
    }
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).digest()
    document["serialNumber"] = f"urn:uuid:{uuid.UUID(bytes=digest[:16], version=5)}"
    return (json.dumps(document, indent=2) + "\n").encode()


def _hashes(sha256: str) -> list[Json]:
    return [{"alg": "SHA-256", "content": sha256}]


def _licences(text: str) -> Json:
    """Return a licence in a bill's form: an SPDX expression, else the given name."""
    if not text:
        return {}
    try:
        return {"licenses": [{"expression": canonicalize_license_expression(text)}]}
    except InvalidLicenseExpression:
        return {"licenses": [{"license": {"name": text}}]}


def main(arguments: Sequence[str]) -> int:
    """Write the bill of each wheel next to it."""
    try:
        for path in map(Path, arguments):
            if not path.is_file():
                raise UsageError(path, got="does not exist", expected="a wheel: make wheels")
            bill = path.with_name(path.name.removesuffix(".whl") + SUFFIX)
            write_atomically(bill, wheel_sbom(path).decode())
            print(bill)
    except EdgeinferError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

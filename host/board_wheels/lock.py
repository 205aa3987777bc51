"""The lock: which packages boards get together with edgeinfer, each wheel with its hash.

It is a file of the package, `lock.json`. It has no addresses: where a wheel comes from does not
matter, since only the file with that hash is accepted. `make board-lock` renews it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from edgeinfer.device.core.errors import WheelError
from edgeinfer.device.models.bundle.strict import SchemaError, from_json, parse_json
from edgeinfer.host.board_wheels.target import WheelTarget

LOCK_FILE = Path(__file__).resolve().parent / "lock.json"
SCHEMA = 1
_DIGITS = frozenset("0123456789abcdef")


@dataclass(frozen=True, kw_only=True)
class LockedWheel:
    """One file.

    Attributes:
        file: its name, which says what it runs on.
        sha256: of its content, 64 hexadecimal digits.
        size: bytes.
    """

    file: str
    sha256: str
    size: int

    def __post_init__(self) -> None:
        """Refuse a name that is not a wheel's, and a wrong hash."""
        parse_wheel_filename(self.file)
        if "/" in self.file:
            raise ValueError(f"file is {self.file!r}, expected a name without a folder")
        if len(self.sha256) != 64 or not _DIGITS.issuperset(self.sha256):
            raise ValueError(f"{self.file}: sha256 is {self.sha256!r}, expected 64 digits")
        if self.size <= 0:
            raise ValueError(f"{self.file}: size is {self.size}, expected 1 or more")

    @functools.cached_property
    def tags(self) -> frozenset[Tag]:
        """What it runs on."""
        return parse_wheel_filename(self.file)[3]


@dataclass(frozen=True, kw_only=True)
class LockedPackage:
    """One version of a package.

    Attributes:
        name: normalized.
        version: as in its wheels' names.
        licence: from its metadata, an SPDX expression or free text; empty if it has no short
            text.
        python: which Pythons it runs on, such as ">=3.10"; empty for all.
        requires: its requirements, as in its metadata, with markers.
        wheels: its files.
    """

    name: str
    version: str
    licence: str
    python: str
    requires: tuple[str, ...]
    wheels: tuple[LockedWheel, ...]

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        SpecifierSet(self.python)
        self.needs()
        if self.name != canonicalize_name(self.name):
            raise ValueError(f"name is {self.name!r}, expected {canonicalize_name(self.name)!r}")
        for wheel in self.wheels:
            name, version, _, _ = parse_wheel_filename(wheel.file)
            if (name, version) != (self.name, Version(self.version)):
                raise ValueError(f"{wheel.file} is not a wheel of {self.name} {self.version}")

    def wheel_for(self, target: WheelTarget) -> LockedWheel | None:
        """Return the file that fits a board best; None if none fits."""
        if not SpecifierSet(self.python).contains(target.python):
            return None
        ranks = _ranks(target)
        found = [
            (min(ranks[tag] for tag in tags), wheel)
            for wheel in self.wheels
            if (tags := wheel.tags & ranks.keys())
        ]
        return min(found, key=lambda one: (one[0], one[1].file))[1] if found else None

    def needs(self) -> tuple[Requirement, ...]:
        """Return its requirements."""
        return tuple(map(Requirement, self.requires))


@functools.lru_cache(maxsize=64)
def _ranks(target: WheelTarget) -> dict[Tag, int]:
    """Return the tags of wheels that run there, the best with the smallest number."""
    return {tag: rank for rank, tag in enumerate(target.tags())}


@dataclass(frozen=True, kw_only=True)
class Lock:
    """All packages that boards may get together with edgeinfer.

    Attributes:
        schema: `SCHEMA`.
        packages: by name and version.
    """

    schema: int
    packages: tuple[LockedPackage, ...]

    def __post_init__(self) -> None:
        """Refuse another schema, and packages that are listed twice."""
        if self.schema != SCHEMA:
            raise ValueError(f"schema is {self.schema}, expected {SCHEMA}")
        keys = [(package.name, package.version) for package in self.packages]
        if len(set(keys)) != len(keys):
            raise ValueError("a package is listed twice, expected each version once")

    def versions(self, name: str) -> list[LockedPackage]:
        """Return the versions of a package, the newest first."""
        found = [package for package in self.packages if package.name == name]
        return sorted(found, key=lambda package: Version(package.version), reverse=True)

    def fitting(
        self, name: str, requirements: Iterable[Requirement], target: WheelTarget
    ) -> tuple[LockedPackage, LockedWheel]:
        """Return the newest version that fits a board and all requirements.

        Raises:
            WheelError: there is none; the error says what the lock has.
        """
        asked = sorted(map(str, requirements))
        text = f"{name}{', '.join(sorted({str(Requirement(one).specifier) for one in asked}))}"
        known = self.versions(name)
        if not known:
            raise WheelError(
                text,
                got="is not in the lock of board packages",
                expected="a package whose hash is known",
                next_step="give its wheel with --wheel, if you trust it",
            )
        suits = [
            package
            for package in known
            if all(Requirement(one).specifier.contains(package.version, True) for one in asked)
        ]
        if not suits:
            raise WheelError(
                text,
                got="is asked for; the lock of board packages has "
                + ", ".join(package.version for package in known),
                expected="a version whose hash is known",
                next_step="give its wheel with --wheel, if you trust it",
            )
        for package in suits:
            wheel = package.wheel_for(target)
            if wheel is not None:
                return package, wheel
        versions = " and ".join(package.version for package in suits)
        raise WheelError(
            f"packages for {target.title}",
            got=f"no wheel of {name} {versions} in the lock of board packages",
            expected=f"one for cp{target.python.replace('.', '')} and {target.platforms()[0]} "
            "or an older one",
            next_step="choose a system for the board that has one, or give a wheel with --wheel",
        )


def read_lock(path: Path = LOCK_FILE) -> Lock:
    """Read a lock.

    Raises:
        WheelError: it is missing or damaged.
    """
    try:
        return from_json(Lock, parse_json(path.read_bytes()))
    except (OSError, SchemaError, ValueError) as error:
        raise WheelError(
            path,
            got=f"cannot be read ({error})",
            expected="the lock of board packages",
            next_step="install edgeinfer again",
        ) from error


@functools.lru_cache(maxsize=1)
def own_lock() -> Lock:
    """Return the lock of this installation."""
    return read_lock()


def requirement_lines(wheels: Sequence[LockedWheel]) -> list[str]:
    """Return lines for pip's `--require-hashes`: each package with its version and hash."""
    lines = []
    for wheel in wheels:
        name, version, _, _ = parse_wheel_filename(wheel.file)
        lines.append(f"{name}=={version} --hash=sha256:{wheel.sha256}")
    return sorted(lines)

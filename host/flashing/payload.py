"""The parts of a release: the agent, the bundle, the wheels; and those that a board lacks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgeinfer.device.releases.pack_agent import build_agent
from edgeinfer.host.board_wheels import BoardWheels

SPEC_SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Blob:
    """A file that a board stores under its hash.

    Attributes:
        path: where it is on this machine.
        name: for people.
        sha256: of its content.
        size: bytes.
    """

    path: Path
    name: str
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Agent:
    """The agent's zipapp."""

    content: bytes
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Payload:
    """Everything that one board gets.

    Attributes:
        bundle: the model.
        wheels: the packages, with pip's.
        python: the interpreter there that the packages are for.
        system_site_packages: whether the system's own packages are visible.
        run: the service's options of `edgeinfer run`; they may contain a camera's password.
        verify_timeout_s: how long verifying may take there.
        sbom: the bill of materials, as CycloneDX JSON.
    """

    bundle: Blob
    wheels: BoardWheels
    python: str
    system_site_packages: bool
    run: tuple[str, ...] = field(repr=False)
    verify_timeout_s: int
    sbom: bytes = b""

    def blobs(self) -> tuple[Blob, ...]:
        """Return the files without duplicates, the bundle last because it changes most often."""
        wheels = (*self.wheels.wheels, self.wheels.pip)
        files = [
            Blob(path=wheel.path, name=wheel.name, sha256=wheel.sha256, size=wheel.size)
            for wheel in wheels
        ]
        return tuple({blob.sha256: blob for blob in (*files, self.bundle)}.values())

    def missing(self, store: Mapping[str, int]) -> tuple[Blob, ...]:
        """Return the files that a board's store lacks; `store` has sizes by hash."""
        return tuple(blob for blob in self.blobs() if store.get(blob.sha256) != blob.size)

    def spec(self) -> dict[str, Any]:
        """Return the input for the agent's `install`, sent on stdin: it may contain a password."""
        return {
            "schema": SPEC_SCHEMA,
            "name": self.bundle.name,
            "bundle": self.bundle.sha256,
            "wheels": [{"name": w.name, "sha256": w.sha256} for w in self.wheels.wheels],
            "pip": {"name": self.wheels.pip.name, "sha256": self.wheels.pip.sha256},
            "python": self.python,
            "system_site_packages": self.system_site_packages,
            "run": list(self.run),
            "verify_timeout_s": self.verify_timeout_s,
        }


def make_agent() -> Agent:
    """Pack the agent of this installation."""
    content = build_agent()
    return Agent(content=content, sha256=hashlib.sha256(content).hexdigest())


def bundle_blob(path: Path, name: str) -> Blob:
    """Describe a bundle that is already opened and checked, under its model's name."""
    with path.open("rb") as stream:
        digest = hashlib.sha256()
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return Blob(path=path, name=name, sha256=digest.hexdigest(), size=path.stat().st_size)

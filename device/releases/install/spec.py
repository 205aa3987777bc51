"""What a release consists of, as it comes on stdin."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from edgeinfer.device.core.camera_url import take_camera
from edgeinfer.device.core.errors import ReleaseError
from edgeinfer.device.releases.install.store import is_sha256
from edgeinfer.device.releases.untrusted_json import parse_json

SCHEMA = 1
_WHEEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]*\.whl")
_NAME_CHARACTERS = 100
_OURS = ("--model",)
"""Options of `edgeinfer run` that the release itself gives."""


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """A Python package.

    Attributes:
        name: the wheel's file name, of which pip reads what it is.
        sha256: of the file, which the store holds.
    """

    name: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class ReleaseSpec:
    """A release.

    Attributes:
        name: for people, the bundle's.
        bundle: the bundle's SHA-256.
        wheels: all packages that it needs and the system does not have.
        pip: the wheel of pip that installs them.
        python: the board's Python.
        system_site_packages: whether the system's packages are seen as well.
        run: the options of `edgeinfer run`, without a camera that may hold a secret.
        verify_timeout_s: how long `edgeinfer verify` may take.
        camera_url: that camera; empty where there is none. It is in a separate file, is not an
            argument and is never shown.
    """

    name: str
    bundle: str
    wheels: tuple[Wheel, ...]
    pip: Wheel
    python: str
    system_site_packages: bool
    run: tuple[str, ...]
    verify_timeout_s: float
    camera_url: str = field(default="", repr=False)

    def to_json(self) -> dict[str, object]:
        """Return it as `parse_spec` reads it, without the secret camera."""
        return {
            "schema": SCHEMA,
            "name": self.name,
            "bundle": self.bundle,
            "wheels": [{"name": wheel.name, "sha256": wheel.sha256} for wheel in self.wheels],
            "pip": {"name": self.pip.name, "sha256": self.pip.sha256},
            "python": self.python,
            "system_site_packages": self.system_site_packages,
            "run": list(self.run),
            "verify_timeout_s": self.verify_timeout_s,
        }

    def files(self) -> set[str]:
        """Return the SHA-256 of every stored file that it needs."""
        return {self.bundle, self.pip.sha256, *(wheel.sha256 for wheel in self.wheels)}


def read_spec(text: str) -> ReleaseSpec:
    """Read a release's JSON.

    Raises:
        ReleaseError: it is not a JSON object, or `parse_spec` refuses it.
    """
    try:
        return parse_spec(parse_json(text))
    except ValueError as error:
        raise ReleaseError(
            "the release", got=f"is not JSON: {error}", expected="an object"
        ) from error


def parse_spec(data: object) -> ReleaseSpec:
    """Read a release; wheels are sorted, so that the same release is always equal.

    A camera that may hold a secret is taken out of the options.

    Raises:
        ReleaseError: a key is missing, unknown or of the wrong type, or a name is impossible.
    """
    keys = {
        "schema": int,
        "name": str,
        "bundle": str,
        "wheels": list,
        "pip": dict,
        "python": str,
        "system_site_packages": bool,
        "run": list,
        "verify_timeout_s": (int, float),
    }
    values = _typed(data, keys, "the release")
    if values["schema"] != SCHEMA:
        raise ReleaseError("the release", got=f"schema {values['schema']}", expected=str(SCHEMA))
    wheels = sorted((_wheel(data) for data in values["wheels"]), key=lambda wheel: wheel.name)
    run = values["run"]
    if not all(isinstance(text, str) and "\0" not in text for text in run):
        raise ReleaseError("the release", got="options that are not text", expected="texts")
    for text in run:
        if text.partition("=")[0] in _OURS:
            raise ReleaseError(f"the release's option {text}", got="is the release's own")
    options, camera_url = take_camera(run)
    if not is_sha256(values["bundle"]):
        raise ReleaseError("the release's bundle", got=values["bundle"], expected="a SHA-256")
    if not values["python"].startswith("/"):
        raise ReleaseError("the release's python", got=values["python"], expected="a whole path")
    timeout_s = float(values["verify_timeout_s"])
    if not 0 < timeout_s <= 86400:
        raise ReleaseError(
            "the release's verify_timeout_s", got=f"{timeout_s:g}", expected="up to a day"
        )
    return ReleaseSpec(
        name=values["name"][:_NAME_CHARACTERS],
        bundle=values["bundle"],
        wheels=tuple(wheels),
        pip=_wheel(values["pip"]),
        python=values["python"],
        system_site_packages=values["system_site_packages"],
        run=options,
        verify_timeout_s=timeout_s,
        camera_url=camera_url.strip(),
    )


def _wheel(data: object) -> Wheel:
    values = _typed(data, {"name": str, "sha256": str}, "a wheel of the release")
    if not _WHEEL.fullmatch(values["name"]):
        raise ReleaseError("a wheel of the release", got=values["name"], expected="NAME.whl")
    if not is_sha256(values["sha256"]):
        raise ReleaseError(values["name"], got=values["sha256"], expected="a SHA-256")
    return Wheel(name=values["name"], sha256=values["sha256"])


def _typed(data: object, keys: dict[str, Any], subject: str) -> dict[str, Any]:
    """Return an object's values after a look at their keys and types."""
    if not isinstance(data, dict):
        raise ReleaseError(subject, got=f"a {type(data).__name__}", expected="an object")
    for key in data:
        if key not in keys:
            raise ReleaseError(subject, got=f"has {key!r}", expected=", ".join(keys))
    for key, kind in keys.items():
        if key not in data:
            raise ReleaseError(subject, got=f"has no {key!r}", expected=", ".join(keys))
        value = data[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ReleaseError(f"{subject}'s {key}", got=f"is a {type(value).__name__}")
    return data

"""Small wheels of our own, and a pip that knows nothing but a folder of them."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from edgeinfer.host.board_wheels import WheelTarget
from edgeinfer.host.board_wheels.own import own_version

BOOKWORM = WheelTarget(architecture="aarch64", python="3.11", glibc=(2, 36))
TRIXIE = WheelTarget(architecture="aarch64", python="3.13", glibc=(2, 41))
OWN_TAG = "py3-none-manylinux_2_28_aarch64"
PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


def make_wheel(
    folder: Path,
    name: str,
    *,
    version: str = "1.0",
    tag: str = "py3-none-any",
    requires: Sequence[str] = (),
    members: dict[str, str] | None = None,
    licence: str = "",
) -> Path:
    """Write a wheel with metadata and these members."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name.replace('-', '_')}-{version}"
    path = folder / f"{stem}-{tag}.whl"
    metadata = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Requires-Dist: {requirement}" for requirement in requires),
        *([f"License: {licence}"] if licence else []),
    ]
    wheel = ["Wheel-Version: 1.0", "Generator: tests", "Root-Is-Purelib: true", f"Tag: {tag}"]
    files = {
        **(members or {}),
        f"{stem}.dist-info/METADATA": "\n".join(metadata) + "\n",
        f"{stem}.dist-info/WHEEL": "\n".join(wheel) + "\n",
        f"{stem}.dist-info/RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in files.items():
            archive.writestr(member, content)
    return path


def make_own_wheel(
    folder: Path,
    requires: Sequence[str] = ("tflite-runtime==2.14.0",),
    *,
    tag: str = OWN_TAG,
    version: str = "",
    members: dict[str, str] | None = None,
) -> Path:
    """Write a wheel that stands for edgeinfer's own, by default of this version for 64-bit ARM."""
    version = version or str(own_version())
    return make_wheel(
        folder, "edgeinfer", version=version, tag=tag, requires=requires, members=members
    )


def use_index(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pip find the wheels of that folder and nothing else."""
    forget_settings(monkeypatch)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))


def cut_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pip look for its index where nothing listens."""
    forget_settings(monkeypatch)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/")
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


def forget_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take this machine's settings from pip."""
    for name in ("INDEX_URL", "EXTRA_INDEX_URL", "FIND_LINKS", "NO_INDEX", "CONSTRAINT"):
        monkeypatch.delenv(f"PIP_{name}", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")

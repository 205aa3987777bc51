"""Tiny wheels in a folder that serves as the package index."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest


def write_wheel(folder: Path, name: str, version: str, code: str = "") -> str:
    """Write a wheel with one module of the same name; return its exact requirement."""
    about = f"{name}-{version}.dist-info"
    members = {
        f"{name}.py": code or f"VERSION = {version!r}\n",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
        f"{about}/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
    }
    members[f"{about}/RECORD"] = "".join(f"{each},,\n" for each in [*members, f"{about}/RECORD"])
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, content in members.items():
            wheel.writestr(path, content)
    return f"{name}=={version}"


def use_as_index(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have pip take packages from a folder only."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))

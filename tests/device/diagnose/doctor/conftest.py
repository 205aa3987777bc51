"""Broken things for the doctor to find."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

BreakPackage = Callable[[str, str], None]
"""break_package(name, code): importing `name` runs `code` instead, in child processes."""


@pytest.fixture
def break_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BreakPackage:
    folder = tmp_path / "hides"

    def hide(name: str, code: str) -> None:
        package = folder / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(code, encoding="utf-8")
        monkeypatch.setenv("PYTHONPATH", str(folder))

    return hide


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """write("/proc/meminfo", text): a file of a machine whose root is `tmp_path / "root"`."""

    def write_file(name: str, text: str) -> Path:
        path = tmp_path / "root" / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write_file

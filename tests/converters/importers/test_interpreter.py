"""Which Python is taken: programs that do not run, pyenv's shims, and what uv brings."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.importers.interpreter import find_python
from edgeinfer.device.core.errors import MissingExtraError

OTHER = (sys.version_info[0], sys.version_info[1] + 10)
"""A version that no machine has; scripts below give this as their version."""
NAME = f"python{OTHER[0]}.{OTHER[1]}"


def write_program(path: Path, code: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{code}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def pretend(path: Path) -> Path:
    """Write a program that answers as that Python would."""
    return write_program(path, f"echo '[{OTHER[0]}, {OTHER[1]}, \"{path}\"]'")


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def test_this_processes_own_will_do() -> None:
    versions = (OTHER, (sys.version_info[0], sys.version_info[1]))
    assert find_python("onnx2tf", versions, Silent()) == Path(sys.executable)


def test_a_program_that_does_not_run_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pyenv's shim of a version that is not chosen is such a program; the Python is behind it."""
    advice = write_program(tmp_path / "pyenv" / "shims" / NAME, "echo no >&2; exit 127")
    wrong = write_program(tmp_path / "wrong" / NAME, "echo '[3, 4, \"/x\"]'")
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, (wrong.parent, "", advice.parent))))
    with pytest.raises(MissingExtraError):
        find_python("onnx2tf", (OTHER,), Silent())
    behind = pretend(tmp_path / "pyenv" / "versions" / f"{OTHER[0]}.{OTHER[1]}.1" / "bin" / NAME)
    assert find_python("onnx2tf", (OTHER,), Silent()) == behind


def test_a_program_on_path_that_runs(tmp_path: Path) -> None:
    program = pretend(tmp_path / "bin" / NAME)
    assert find_python("onnx2tf", (OTHER,), Silent()) == program


def test_without_any_the_error_says_what_to_install() -> None:
    with pytest.raises(MissingExtraError) as caught:
        find_python("onnx2tf", (OTHER,), Silent())
    assert str(caught.value) == (
        f"onnx2tf: needs Python {OTHER[0]}.{OTHER[1]}, which is not installed; install it, or uv, "
        "which brings it, and run this again"
    )


def test_uv_brings_one_once(tmp_path: Path) -> None:
    tools = ":".join(str(Path(shutil.which(t, path="/bin:/usr/bin") or t).parent) for t in ("sh",))
    made = f'"$4/cpython-x/bin/{NAME}"'
    code = (
        f'PATH={tools}; test "$1 $2 $3" = "python install --install-dir" || exit 3; '
        f'mkdir -p "$4/cpython-x/bin"; echo brought > {made}; echo called >> {tmp_path}/calls'
    )
    write_program(tmp_path / "bin" / "uv", code)
    home = tmp_path / "cache" / "edgeinfer" / "importers"
    for _ in range(2):
        found = find_python("onnx2tf", (OTHER,), Silent())
        assert found == home / f"python-{OTHER[0]}.{OTHER[1]}" / "bin" / NAME
        assert found.read_text() == "brought\n"
    assert (tmp_path / "calls").read_text() == "called\n"


def test_a_uv_without_a_network_is_one_line(tmp_path: Path) -> None:
    write_program(tmp_path / "bin" / "uv", "echo 'error: Failed to fetch the list' >&2; exit 2")
    with pytest.raises(MissingExtraError, match="no package index can be reached") as caught:
        find_python("onnx2tf", (OTHER,), Silent())
    assert caught.value.subject == f"onnx2tf's Python {OTHER[0]}.{OTHER[1]}"
    home = tmp_path / "cache" / "edgeinfer" / "importers"
    assert [path.suffix for path in home.iterdir()] == [".lock"]

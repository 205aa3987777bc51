"""The environments that edgeinfer may run in, each made of the files by which it is known."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from edgeinfer.device.core.installation.environment import Environment, this_environment

LOOK = """\
import json, sys
from edgeinfer.device.core.installation.environment import this_environment
here = this_environment()
print(json.dumps([here.tool, here.installer, here.pip_on_path, here.suffix, here.python]))
"""


def make(folder: Path, *, pip: bool = False) -> Path:
    """Make a virtual environment that sees the packages of this one, except pip."""
    command = [sys.executable, "-m", "venv", "--without-pip", str(folder)]
    subprocess.run(command, check=True)
    (site,) = folder.glob("lib/python3*/site-packages")
    packages = sysconfig.get_path("purelib")
    # What an editable installation needs is in .pth files, which a path alone does not read.
    (site / "more.pth").write_text(f"import site; site.addsitedir({packages!r})\n")
    hidden = "" if pip else "import sys; sys.modules['pip'] = None\n"
    (site / "nopip.pth").write_text(hidden)
    return folder


def look(folder: Path, path: str = "/usr/bin:/bin") -> tuple[object, ...]:
    done = subprocess.run(
        [folder / "bin" / "python", "-c", LOOK],
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(json.loads(done.stdout))


def pipx_metadata(folder: Path, package: str, suffix: str = "") -> None:
    noted = {"main_package": {"package": package, "suffix": suffix}}
    (folder / "pipx_metadata.json").write_text(json.dumps(noted))


def made_by_uv(folder: Path) -> None:
    with (folder / "pyvenv.cfg").open("a") as file:
        file.write("uv = 0.13.9\n")


def test_a_virtual_environment(tmp_path: Path) -> None:
    folder = make(tmp_path / "venv", pip=True)
    python = str(folder / "bin" / "python")
    assert look(folder) == ("", "pip", False, "", python)
    program = folder / "bin" / "pip"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert look(folder) == ("", "pip", False, "", python)
    assert look(folder, f"{folder}/bin:/usr/bin") == ("", "pip", True, "", python)
    # Another environment's is not it.
    other = make(tmp_path / "other", pip=True)
    assert look(other, f"{folder}/bin:/usr/bin")[2] is False


def test_without_pip_python_or_uv_brings_it(tmp_path: Path) -> None:
    folder = make(tmp_path / "venv")
    assert look(folder)[:2] == ("", "ensurepip")
    made_by_uv(folder)
    assert look(folder)[:2] == ("", "uv")


def test_what_pipx_made(tmp_path: Path) -> None:
    folder = make(tmp_path / "venvs" / "edgeinfer-b")
    pipx_metadata(folder, "edgeinfer", "_b")
    assert look(folder)[0] == "pipx"
    assert look(folder)[3] == "_b"
    pipx_metadata(folder, "another")
    assert look(folder)[:2] == ("", "ensurepip")
    (folder / "pipx_metadata.json").write_text("[")
    assert look(folder)[0] == ""


def test_what_pipx_runs_once(tmp_path: Path) -> None:
    folder = make(tmp_path / ".cache" / "0a79dc568444a4e")
    pipx_metadata(folder, "edgeinfer")
    assert look(folder)[0] == "pipx run"


def test_what_uv_made_for_a_tool(tmp_path: Path) -> None:
    for name, tool in (("edgeinfer", "uv tool"), ("another", "")):
        folder = make(tmp_path / name)
        made_by_uv(folder)
        (folder / "uv-receipt.toml").write_text("[tool]\n")
        assert look(folder)[:2] == (tool, "uv")


def test_what_uvx_runs(tmp_path: Path) -> None:
    folder = make(tmp_path / "archive-v0" / "n0AYAqHHSjQRfazw")
    assert look(folder)[0] == ""
    made_by_uv(folder)
    assert look(folder)[0] == "uvx"


def test_a_release_on_a_board(tmp_path: Path) -> None:
    """The link `package` of a release leads to it as well."""
    folder = make(tmp_path / "edgeinfer" / "packages" / "0123456789abcdef")
    assert look(folder)[0] == ""
    (folder / "complete").touch()
    assert look(folder)[0] == "release"
    link = tmp_path / "edgeinfer" / "releases" / "1" / "package"
    link.parent.mkdir(parents=True)
    link.symlink_to(folder)
    assert look(link)[0] == "release"


def test_a_python_that_the_system_keeps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """PEP 668; a virtual environment of it is the user's."""
    get_path = sysconfig.get_path
    monkeypatch.setattr(
        sysconfig,
        "get_path",
        lambda name: str(tmp_path) if name == "stdlib" else get_path(name),
    )
    monkeypatch.setattr(sys, "base_prefix", sys.prefix)
    assert this_environment().installer == "pip"
    (tmp_path / "EXTERNALLY-MANAGED").touch()
    assert this_environment().installer == "none"
    assert this_environment().pip_on_path is False
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    assert this_environment().installer == "pip"


def test_the_usual_one_is_pips() -> None:
    assert Environment().installer == "pip"

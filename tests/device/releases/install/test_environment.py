"""What wheels bring is installed, and nothing of it is run by who installs it."""

from __future__ import annotations

import ensurepip
import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from edgeinfer.device.core.installation.environment import is_of_a_release
from edgeinfer.device.releases.install.environment import build_environment, environment_key
from edgeinfer.device.releases.install.spec import ReleaseSpec, Wheel
from edgeinfer.device.releases.install.store import receive
from edgeinfer.device.releases.lock import locked
from edgeinfer.device.releases.paths import Layout
from tests.device.releases.boards import bare_spec, make_board, sha256_of

MODULES = (
    *("sitecustomize", "usercustomize", "_manylinux", "keyring", "socks", "simplejson", "brotli"),
    *("readline", "IPython", "OpenSSL", "typing_extensions", "colorama", "chardet", "pip"),
)
"""What a Python, or pip, may import where it finds it."""
LAST_INFO = "last-1.dist-info"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return make_board(tmp_path)


@pytest.fixture
def pip() -> tuple[Wheel, bytes]:
    """The wheel of pip that this Python carries."""
    found = sorted((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"))
    if not found:
        pytest.skip("this Python carries no wheel of pip")
    content = found[0].read_bytes()
    return Wheel(name=found[0].name, sha256=sha256_of(content)), content


def wheel_of(name: str, files: Mapping[str, str], info: Mapping[str, str] | None = None) -> bytes:
    """Return a wheel with these files."""
    folder = f"{name}-1.dist-info"
    inside = {
        **files,
        f"{folder}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n",
        f"{folder}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **{f"{folder}/{each}": text for each, text in (info or {}).items()},
    }
    record = "".join(f"{each},,\n" for each in (*inside, f"{folder}/RECORD"))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for each, text in {**inside, f"{folder}/RECORD": record}.items():
            entry = zipfile.ZipInfo(each)
            entry.external_attr = 0o100755 << 16
            archive.writestr(entry, text)
    return content.getvalue()


def hostile_wheel(mark: Path, scheme: str) -> bytes:
    """Return a wheel that leaves a mark when anything of it runs."""
    code = f"import os, sys; open({str(mark)!r}, 'a').write(' '.join(sys.argv) + '\\n')\n"
    script = f'#!/bin/sh\necho "$0 $*" >> "{mark}"\nexit 1\n'
    files = {"first.pth": code, "first.py": code}
    files |= {f"{name}.py": code for name in MODULES}
    data = f"first-1.data/{scheme}"
    programs = ("python", "python3", f"python3.{sys.version_info[1]}", "sh", "edgeinfer")
    folder = "" if scheme == "scripts" else "bin/"
    files |= {f"{data}/{folder}{name}": script for name in programs}
    if scheme == "data":
        files[f"{data}/pyvenv.cfg"] = "home = /nonexistent\n"
        files[f"{data}/wheels/last-1-py3-none-any.whl"] = "no wheel"
    entries = "".join(f"{name} = first:run\n" for name in ("pip", "pydoc", "python3"))
    return wheel_of("first", files, {"entry_points.txt": f"[console_scripts]\n{entries}"})


def store(layout: Layout, content: bytes, name: str) -> Wheel:
    receive(layout, sha256_of(content), len(content), io.BytesIO(content))
    return Wheel(name=name, sha256=sha256_of(content))


def build(layout: Layout, spec: ReleaseSpec) -> Path:
    key = environment_key(layout, spec)
    with locked(layout, "install") as lock:
        assert build_environment(layout, spec, key, lock)
    return layout.packages / key


@pytest.mark.parametrize("scheme", ["scripts", "data"])
def test_nothing_of_a_wheel_runs_while_it_is_installed(
    layout: Layout, pip: tuple[Wheel, bytes], tmp_path: Path, scheme: str
) -> None:
    mark = tmp_path / "mark"
    wheels = (
        store(layout, hostile_wheel(mark, scheme), "first-1-py3-none-any.whl"),
        # Installed after it, in the same run.
        store(layout, wheel_of("last", {"last.py": "x = 1\n"}), "last-1-py3-none-any.whl"),
    )
    store(layout, pip[1], pip[0].name)
    folder = build(layout, replace(bare_spec(b"", "--camera"), wheels=wheels, pip=pip[0]))

    assert not mark.exists(), mark.read_text()
    (site,) = folder.glob("lib/python3*/site-packages")
    assert (site / LAST_INFO / "METADATA").is_file()
    assert list((site / "__pycache__").glob("last.*.pyc"))  # compiled all the same
    assert not [path for path in layout.packages.iterdir() if path.name.startswith(".")]
    # The test finds what runs: a program of the environment leaves the mark.
    subprocess.run([folder / "bin" / "python3", "-c", ""], check=False, env=dict(os.environ))
    assert mark.exists()
    assert is_of_a_release(folder)

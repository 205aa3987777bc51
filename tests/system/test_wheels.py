"""`make wheels`: what is in the wheels, and that a wrong one is refused."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tests.system.environments import clean_environ

pytestmark = pytest.mark.system

SCRIPT = ROOT / "boards" / "toolchains" / "build_wheels.py"
LIBRARY = "edgeinfer/device/libedgeinfer_preprocess.so"


def check(wheel: Path) -> str:
    """Run the script's check and return what it says against the wheel."""
    command = [sys.executable, str(SCRIPT), "--check", str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=clean_environ())
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == (1 if done.stderr else 0)
    return done.stderr


def compile_library(folder: Path, source: str, *options: str) -> Path:
    """Compile a shared library of C for x86-64 with zig."""
    (folder / "library.c").write_text(source)
    library = folder / "library.so"
    # Optimized as the wheels' are, so that zig has its own parts for it already.
    command = [sys.executable, "-m", "ziglang", "cc", "-O3", "-shared", "-fPIC", *options]
    subprocess.run([*command, "-o", str(library), str(folder / "library.c")], check=True)
    return library


def with_library(wheel: Path, library: bytes, folder: Path) -> Path:
    """Return a copy of the wheel with another library in it."""
    copy = folder / wheel.name
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            new.writestr(name, library if name == LIBRARY else old.read(name))
    return copy


def test_there_is_one_for_each_architecture(cross_wheels: dict[str, Path], wheel: Path) -> None:
    assert set(cross_wheels) == {"x86_64", "aarch64", "armv7l"}
    with zipfile.ZipFile(wheel) as archive:
        here = set(archive.namelist())
    for architecture, built in cross_wheels.items():
        assert built.name.endswith(f"-py3-none-manylinux_2_28_{architecture}.whl")
        assert check(built) == ""
        with zipfile.ZipFile(built) as archive:
            assert set(archive.namelist()) == here
            (name,) = (name for name in here if name.endswith(".dist-info/WHEEL"))
            assert f"Tag: py3-none-manylinux_2_28_{architecture}" in archive.read(name).decode()


@pytest.mark.parametrize(
    ("source", "options", "complaint"),
    [
        pytest.param(
            "#include <stdlib.h>\nunsigned edgeinfer_x(void) { return arc4random(); }",
            ["-target", "x86_64-linux-gnu.2.36", "-mcpu=x86_64"],
            "needs symbols of GLIBC_2.36, expected GLIBC_2.28 at most",
            id="newer-glibc",
        ),
        pytest.param(
            "int edgeinfer_x(void) { return 1; }\nint unknown(void) { return 2; }",
            ["-target", "x86_64-linux-gnu.2.28", "-mcpu=x86_64"],
            "exports unknown, expected only edgeinfer_*",
            id="strange-symbol",
        ),
        pytest.param(
            "int edgeinfer_x(void) { return 1; }",
            ["-target", "aarch64-linux-gnu.2.28", "-mcpu=generic"],
            "is for EM_AARCH64, expected EM_X86_64",
            id="other-machine",
        ),
    ],
)
def test_a_wheel_with_a_wrong_library_is_refused(
    cross_wheels: dict[str, Path],
    tmp_path: Path,
    source: str,
    options: list[str],
    complaint: str,
) -> None:
    library = compile_library(tmp_path, source, *options)
    said = check(with_library(cross_wheels["x86_64"], library.read_bytes(), tmp_path))
    assert complaint in said
    assert len(said.splitlines()) == 1


def test_a_shared_c_plus_plus_library_is_refused(
    cross_wheels: dict[str, Path], tmp_path: Path
) -> None:
    target = ("-target", "x86_64-linux-gnu.2.28", "-mcpu=x86_64")
    (tmp_path / "other").mkdir()
    other = compile_library(
        tmp_path / "other", "int other(void) { return 1; }", *target, "-Wl,-soname,libstdc++.so.6"
    )
    source = "int other(void);\nint edgeinfer_x(void) { return other(); }"
    library = compile_library(tmp_path, source, *target, str(other))
    said = check(with_library(cross_wheels["x86_64"], library.read_bytes(), tmp_path))
    assert "needs libstdc++.so.6, expected only glibc's libraries" in said


def test_other_tags_are_refused(cross_wheels: dict[str, Path], tmp_path: Path) -> None:
    built = cross_wheels["aarch64"]
    renamed = tmp_path / built.name.replace("2_28", "2_17")
    shutil.copy(built, renamed)
    assert "the name has other tags" in check(renamed)


def test_a_wheel_without_the_library_is_refused(
    cross_wheels: dict[str, Path], tmp_path: Path
) -> None:
    copy = with_library(cross_wheels["x86_64"], b"", tmp_path)
    assert f"expected an ELF library {LIBRARY}" in check(copy)

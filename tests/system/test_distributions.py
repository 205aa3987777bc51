"""What is in the distributions: the source one, and the wheel that is built from it."""

from __future__ import annotations

import platform
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def members(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_one_wheel_is_for_every_python_of_this_architecture(wheel: Path) -> None:
    assert wheel.name.endswith(f"-py3-none-linux_{platform.machine()}.whl")


@pytest.mark.parametrize(
    "member",
    [
        "edgeinfer/device/libedgeinfer_preprocess.so",
        "edgeinfer/__init__.py",
        "edgeinfer/py.typed",
        "edgeinfer/device/py.typed",
        "edgeinfer/converters/py.typed",
        "edgeinfer/host/py.typed",
        "edgeinfer/boards/py.typed",
        "edgeinfer/boards/__init__.py",
        "edgeinfer/boards/profiles/rpi4.toml",
        "edgeinfer/boards/profiles/generic-x86-64.toml",
        "edgeinfer/host/search/report/templates/search.html",
        "edgeinfer/converters/common/page/templates/base.html",
        "edgeinfer/host/embedded/fashion-mnist/LICENSE",
        "edgeinfer/host/embedded/fashion-mnist/SOURCE.md",
        "edgeinfer/host/embedded/fashion-mnist/train-images-idx3-ubyte.gz",
        "edgeinfer/host/embedded/fashion-mnist/t10k-labels-idx1-ubyte.gz",
    ],
)
def test_the_wheel_holds(members: list[str], member: str) -> None:
    assert member in members


def test_the_wheel_carries_both_licences(members: list[str]) -> None:
    licences = [name.split("/licenses/")[1] for name in members if "/licenses/" in name]
    assert sorted(licences) == ["LICENSE", "host/embedded/fashion-mnist/LICENSE"]


def test_the_wheel_holds_nothing_else(members: list[str]) -> None:
    tops = {PurePosixPath(name).parts[0] for name in members}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"edgeinfer"}
    packages = {PurePosixPath(name).parts[1] for name in members if name.startswith("edgeinfer/")}
    assert packages == {"__init__.py", "boards", "converters", "device", "host", "py.typed"}
    sources = {".cc", ".c", ".h", ".o", ".pyc"}
    assert [name for name in members if PurePosixPath(name).suffix in sources] == []
    assert [name for name in members if "tests" in PurePosixPath(name).parts] == []


def test_the_source_distribution_holds_what_building_needs(
    distributions: dict[str, Path],
) -> None:
    with tarfile.open(distributions["sdist"]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {"CMakeLists.txt", "LICENSE", "README.md", "device/preprocess/native/preprocessor.cc"}
    assert needed <= names
    assert [name for name in names if name.endswith((".so", ".pyc"))] == []

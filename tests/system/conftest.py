"""What the system tests share: a built distribution, made of the files that git would take."""

from __future__ import annotations

import importlib.util
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import EmulationError, WheelError
from tests.support.checkout import ROOT
from tests.support.made_once import made_once
from tests.system.emulated.userland import AARCH64, ARMV7L, Userland, cached_userland
from tests.system.environments import clean_environ, unavailable
from tests.system.sample import Sample, read_sample_bundle


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip where no package registry answers: then nothing can be installed."""
    folder = tmp_path_factory.mktemp("registry")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(folder), "click"]
    probe = subprocess.run(command, capture_output=True, text=True, check=False)
    if probe.returncode:
        last = (probe.stderr.strip().splitlines() or ["no message"])[-1]
        unavailable(f"no package registry answers pip ({last})")


@pytest.fixture(scope="session")
def source_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the working tree's files, those that git ignores left out."""
    return made_once(tmp_path_factory, "source", _copy_sources)


def _copy_sources(copy: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        unavailable("a git checkout is needed to tell sources from built files")
    for name in listed.stdout.split("\0"):
        source = ROOT / name
        if name and (source.is_symlink() or source.is_file()):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy / name, follow_symlinks=False)


def _run_build(*command: object) -> None:
    built = subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        check=False,
        env=clean_environ(),
    )
    assert built.returncode == 0, built.stdout + built.stderr


@pytest.fixture(scope="session")
def distributions(
    registry: None, source_tree: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """The source distribution, and the wheel built from it: {"sdist": ..., "wheel": ...}."""
    folder = made_once(
        tmp_path_factory,
        "dist",
        lambda folder: _run_build("-m", "build", "--outdir", folder, source_tree),
    )
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return {"sdist": sdist, "wheel": wheel}


@pytest.fixture(scope="session")
def wheel(distributions: dict[str, Path]) -> Path:
    """The wheel for this machine."""
    return distributions["wheel"]


@pytest.fixture(scope="session")
def cross_wheels(
    registry: None, source_tree: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """What `make wheels` makes, by architecture."""
    if importlib.util.find_spec("ziglang") is None:
        unavailable("no cross compiler: install the extra `wheels` (make test-system does)")
    script = source_tree / "boards" / "toolchains" / "build_wheels.py"
    folder = made_once(
        tmp_path_factory, "wheels", lambda folder: _run_build(script, "--outdir", folder)
    )
    return {wheel.stem.partition("_2_28_")[2]: wheel for wheel in folder.glob("*.whl")}


@pytest.fixture(scope="session")
def userlands(cross_wheels: dict[str, Path]) -> dict[str, Userland]:
    """A Debian userland of each ARM architecture, with what the base install needs, by name."""
    if platform.machine() != "x86_64":
        unavailable(f"this machine is {platform.machine()}: the tools are x86-64 programs")
    try:
        return {
            architecture.name: cached_userland(architecture, cross_wheels[architecture.name])
            for architecture in (AARCH64, ARMV7L)
        }
    except (EmulationError, WheelError) as error:
        unavailable(f"no ARM userland: {error}")


@pytest.fixture(scope="session")
def sample(sample_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """The sample bundle, its model and its golden frames."""
    return read_sample_bundle(sample_bundle, tmp_path_factory.mktemp("sample"))

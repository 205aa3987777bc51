"""A machine with no working C++ compiler: the install falls back to pure Python."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.system.environments import Environment, make_environment
from tests.system.sample import Sample

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def broken_compiler() -> dict[str, str]:
    """Every build tool that honours these variables, as all do, gets a compiler that fails."""
    program = shutil.which("false")
    assert program is not None
    return {"CC": program, "CXX": program}


@pytest.fixture(scope="module")
def environment(
    distributions: dict[str, Path],
    broken_compiler: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Environment:
    """The base install from the source distribution, as pip does where no wheel fits."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    made = make_environment(tmp_path_factory.mktemp("no-compiler") / "venv", version)
    made.pip("install", "--quiet", distributions["sdist"], env=broken_compiler)
    return made


def test_the_source_distribution_installs_without_native_kernels(
    environment: Environment, sample: Sample
) -> None:
    _assert_pure_python(environment, sample)


def test_an_editable_install_does_too(
    environment: Environment, broken_compiler: dict[str, str], source_tree: Path, sample: Sample
) -> None:
    """`make demo` installs so."""
    environment.pip(
        "install", "--quiet", "--no-deps", "--editable", source_tree, env=broken_compiler
    )
    where = environment.evaluate("import edgeinfer.device as d; print(list(d.__path__))")
    assert str(source_tree) in where
    _assert_pure_python(environment, sample)


def _assert_pure_python(environment: Environment, sample: Sample) -> None:
    found = environment.evaluate(
        "from edgeinfer.device.preprocess.native_library import library_path; print(library_path())"
    )
    assert found == "None"
    done = environment.edgeinfer("verify", sample.bundle, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["implementations"] == ["numpy"]

"""`edgeinfer doctor` in environments that are broken as users break them."""

from __future__ import annotations

import ctypes.util
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.system.environments import Environment, clean_environ, make_environment

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def broken_environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """tflite-runtime 2.14 with numpy 2, and the OpenCV that wants a desktop over the other one."""
    environment = make_environment(tmp_path_factory.mktemp("doctor") / "venv", "3.11")
    environment.pip("install", "--quiet", "--no-deps", wheel)
    environment.pip("install", "--quiet", "--no-deps", "tflite-runtime==2.14.0")
    environment.pip("install", "--quiet", "click", "numpy>=2,<3", "opencv-python-headless>=4.12,<5")
    environment.pip("install", "--quiet", "opencv-python>=4.12,<5")
    return environment


@pytest.fixture(scope="module")
def findings(broken_environment: Environment) -> dict[str, dict[str, Any]]:
    done = broken_environment.edgeinfer("doctor", "--json")
    assert done.returncode == 1, done.stderr
    return {finding["subject"]: finding for finding in json.loads(done.stdout)}


def test_numpy_2_under_tflite_runtime(findings: dict[str, dict[str, Any]]) -> None:
    """It imports, and fails in its first Interpreter."""
    assert findings["numpy"]["state"] == "ok"
    finding = findings["tflite-runtime"]
    assert finding["state"] == "broken"
    assert "this runtime was built against numpy 1" in finding["got"]
    assert "'numpy<2'" in finding["fix"]


def test_the_fix_repairs_it(
    broken_environment: Environment, findings: dict[str, dict[str, Any]]
) -> None:
    """What the fix says is typed, word for word."""
    command = findings["tflite-runtime"]["fix"].split("`")[1]
    python = broken_environment.python
    assert command == f"{python} -m pip install 'numpy<2' 'opencv-python-headless<4.12'"
    broken_environment.pip("uninstall", "--yes", "--quiet", "opencv-python")
    subprocess.run(["sh", "-c", f"{command} --quiet"], check=True, env=clean_environ())
    done = broken_environment.edgeinfer("doctor", "--json")
    states = {finding["subject"]: finding["state"] for finding in json.loads(done.stdout)}
    assert states["tflite-runtime"] == "ok", done.stdout


def test_two_packages_of_opencv(findings: dict[str, dict[str, Any]]) -> None:
    assert findings["OpenCV packages"]["state"] == "note"
    assert (
        "pip uninstall -y opencv-python opencv-python-headless"
        in (findings["OpenCV packages"]["fix"])
    )


def test_a_desktops_library(findings: dict[str, dict[str, Any]]) -> None:
    if ctypes.util.find_library("GL") is not None:
        pytest.skip("libGL is installed here, so the package for desktops loads")
    assert findings["OpenCV"]["state"] == "broken"
    assert findings["OpenCV"]["got"] == "needs libGL.so.1, which belongs to a desktop"

from __future__ import annotations

from pathlib import Path

import pytest

from edgeinfer.device.diagnose.doctor.checks.python import (
    PythonCheck,
    check_c_library,
    check_environment,
    check_userland,
    check_version,
    sees_system_packages,
)
from edgeinfer.device.diagnose.doctor.system import System


def test_the_python_that_runs_the_tests_is_in_order() -> None:
    assert {finding.state for finding in PythonCheck().run(System())} == {"ok"}


@pytest.mark.parametrize(
    ("version", "arm32", "state"),
    [
        ((3, 9), False, "broken"),
        ((3, 10), False, "ok"),
        ((3, 13), False, "ok"),
        ((3, 14), False, "broken"),
        ((3, 11), True, "ok"),
        ((3, 13), True, "broken"),
    ],
)
def test_versions(version: tuple[int, int], arm32: bool, state: str) -> None:
    assert check_version(version, arm32=arm32).state == state


def test_32_bit_system_under_a_64_bit_kernel() -> None:
    finding = check_userland("aarch64", 32)
    assert finding.state == "note"
    assert "--no-deps" in finding.fix
    assert check_userland("aarch64", 64).state == "ok"
    assert check_userland("armv7l", 32).state == "ok"


@pytest.mark.parametrize(
    ("library", "version", "machine", "state"),
    [
        ("glibc", "2.36", "aarch64", "ok"),
        ("glibc", "2.31", "aarch64", "note"),
        ("glibc", "2.31", "x86_64", "ok"),
        ("glibc", "2.9", "x86_64", "broken"),
        ("", "", "aarch64", "broken"),
    ],
)
def test_c_libraries(library: str, version: str, machine: str, state: str) -> None:
    assert check_c_library(library, version, machine=machine).state == state


def test_an_environment_that_sees_the_systems_packages(tmp_path: Path) -> None:
    assert not sees_system_packages(tmp_path)
    settings = tmp_path / "pyvenv.cfg"
    settings.write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
    assert not sees_system_packages(tmp_path)
    settings.write_text("home = /usr/bin\ninclude-system-site-packages = true\n")
    assert sees_system_packages(tmp_path)
    assert "with the system's packages" in check_environment(tmp_path, virtual=True).got

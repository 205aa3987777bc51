from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.utils import parse_wheel_filename

from edgeinfer.boards import load_profile
from edgeinfer.host.board_wheels import SYSTEM_NUMPY_AND_OPENCV, WheelTarget, wheel_target
from tests.host.board_wheels.wheels import BOOKWORM, TRIXIE

RUNTIME = "tflite_runtime-2.14.0-cp311-cp311-manylinux_2_34_aarch64.whl"


def runs(wheel: str, target: WheelTarget) -> bool:
    return not parse_wheel_filename(wheel)[3].isdisjoint(target.tags())


def test_platforms_go_from_the_newest_glibc_to_the_oldest() -> None:
    platforms = BOOKWORM.platforms()
    assert platforms[0] == "manylinux_2_36_aarch64"
    assert platforms[-2:] == ["manylinux_2_17_aarch64", "manylinux2014_aarch64"]
    x86 = WheelTarget(architecture="x86_64", python="3.12", glibc=(2, 39)).platforms()
    assert x86[-2:] == ["manylinux_2_5_x86_64", "manylinux1_x86_64"]
    assert "manylinux2010_x86_64" in x86


@pytest.mark.parametrize(
    ("wheel", "fits"),
    [
        (RUNTIME, True),
        (RUNTIME.replace("aarch64", "x86_64"), False),
        (RUNTIME.replace("2_34", "2_37"), False),
        (RUNTIME.replace("311", "312"), False),
        ("opencv_python_headless-4.11.0.86-cp37-abi3-manylinux2014_aarch64.whl", True),
        ("click-8.1-py3-none-any.whl", True),
        ("edgeinfer-0.1.0-py3-none-linux_aarch64.whl", True),
        ("edgeinfer-0.1.0-py3-none-musllinux_1_2_aarch64.whl", False),
    ],
)
def test_tags_say_which_wheels_run_there(wheel: str, fits: bool) -> None:
    assert runs(wheel, BOOKWORM) is fits


@given(minor=st.integers(17, 60), needed=st.integers(5, 70))
def test_a_wheel_runs_with_its_glibc_and_newer_ones(minor: int, needed: int) -> None:
    target = WheelTarget(architecture="aarch64", python="3.11", glibc=(2, minor))
    wheel = f"x-1-py3-none-manylinux_2_{needed}_aarch64.whl"
    assert runs(wheel, target) is (17 <= needed <= minor)


@pytest.mark.parametrize(
    ("marker", "bookworm", "trixie"),
    [
        ("python_version < '3.12'", True, False),
        ("python_full_version >= '3.13.0'", False, True),
        ("platform_machine == 'aarch64' and sys_platform == 'linux'", True, True),
        ("platform_machine == 'x86_64'", False, False),
        ("extra == 'gui'", False, False),
    ],
)
def test_markers_are_judged_for_the_board(marker: str, bookworm: bool, trixie: bool) -> None:
    requirement = Requirement(f"x; {marker}")
    assert BOOKWORM.wants(requirement) is bookworm
    assert TRIXIE.wants(requirement) is trixie


def test_an_extra_that_is_asked_for_is_wanted() -> None:
    assert BOOKWORM.wants(Requirement("x; extra == 'gui'"), ["gui"])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"architecture": "arm64"}, "architecture is 'arm64'"),
        ({"python": "2.7"}, "python is '2.7'"),
        ({"python": "3.11.2"}, "python is"),
        ({"glibc": (2, 16)}, "expected (2, 17) or newer"),
        ({"runtime": "==1"}, "Expected package name"),
        ({"runtime": "numpy==1"}, "runtime is 'numpy==1'"),
    ],
)
def test_impossible_values_are_refused(change: dict[str, Any], expected: str) -> None:
    fields = {"architecture": "aarch64", "python": "3.11", "glibc": (2, 36), **change}
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        WheelTarget(**fields)
    assert expected in str(caught.value)


def test_the_name_is_fit_for_a_folder() -> None:
    assert BOOKWORM.name == "aarch64-python3.11-glibc2.36"


def system_targets(name: str) -> dict[tuple[str, str], WheelTarget]:
    return {
        (system.version_id, system.architecture): wheel_target(system)
        for system in load_profile(name).systems
    }


def test_a_systems_statements_make_its_target() -> None:
    targets = system_targets("rpi4")
    assert targets["12", "aarch64"] == WheelTarget(
        architecture="aarch64", python="3.11", glibc=(2, 36), runtime="tflite-runtime==2.14.0"
    )
    assert targets["13", "aarch64"].runtime.startswith("ai-edge-litert==2.")
    assert targets["12", "armv7l"].system_packages == SYSTEM_NUMPY_AND_OPENCV
    assert targets["13", "armv7l"].runtime == ""


def test_a_system_without_a_known_glibc_has_no_target() -> None:
    system = load_profile("imx8mp").systems[0]
    with pytest.raises(ValueError, match="glibc is not known"):
        wheel_target(dataclasses.replace(system, glibc=""))


def test_the_systems_own_runtime_comes_with_its_numpy() -> None:
    system = load_profile("imx8mp").systems[0]
    target = wheel_target(dataclasses.replace(system, glibc="2.39"))
    assert target.provides_runtime
    assert target.provides("numpy")
    assert target.runtime == ""

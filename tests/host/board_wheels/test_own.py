from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgeinfer.device.core.errors import WheelError
from edgeinfer.host.board_wheels.own import check_given, find_built, own_version, source_checkout
from tests.host.board_wheels.wheels import (
    BOOKWORM,
    OWN_TAG,
    TRIXIE,
    make_own_wheel,
    make_wheel,
)
from tests.support.checkout import ROOT

VERSION = str(own_version())
SOURCES = {
    "device/__init__.py": "",
    "device/loop/run_loop.py": "frames = 1\n",
    "boards/profiles/rpi4.toml": 'title = "Raspberry Pi 4"\n',
}
NOT_CARRIED = {"device/preprocess/native/build.py": "x", "boards/toolchains/build_wheels.py": "x"}


def make_checkout(folder: Path, built_from: dict[str, str], tag: str = OWN_TAG) -> Path:
    for name, content in {**SOURCES, **NOT_CARRIED}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    members = {f"edgeinfer/{name}": content for name, content in built_from.items()}
    make_wheel(folder / "dist", "edgeinfer", version=VERSION, tag=tag, members=members)
    return folder


def test_the_tests_run_from_a_checkout() -> None:
    assert source_checkout() == ROOT


def test_a_fitting_wheel_is_taken(tmp_path: Path) -> None:
    name = check_given(make_own_wheel(tmp_path), BOOKWORM)
    assert name.distribution == "edgeinfer"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"tag": "py3-none-manylinux_2_28_armv7l"}, "make wheels"),
        ({"tag": "py3-none-linux_x86_64"}, "expected a wheel for aarch64 with Python 3.11"),
        ({"version": "0.0.1"}, f"is version 0.0.1, expected {VERSION}, as on this workstation"),
    ],
)
def test_a_wheel_that_does_not_fit_is_refused(
    tmp_path: Path, options: dict[str, Any], expected: str
) -> None:
    with pytest.raises(WheelError, match=expected):
        check_given(make_own_wheel(tmp_path, **options), BOOKWORM)


def test_another_package_for_another_python_is_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "tflite-runtime", tag="cp311-cp311-manylinux_2_34_aarch64")
    check_given(wheel, BOOKWORM)
    with pytest.raises(WheelError, match=r"is for cp311.*expected a wheel for aarch64 with Py"):
        check_given(wheel, TRIXIE)


def test_a_file_that_is_absent_or_not_named_as_a_wheel_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WheelError, match="does not exist"):
        check_given(tmp_path / f"edgeinfer-{VERSION}-{OWN_TAG}.whl", BOOKWORM)
    with pytest.raises(WheelError, match="does not have the name of a wheel"):
        check_given(tmp_path / "edgeinfer.whl", BOOKWORM)


@pytest.mark.parametrize("name", ["edgeinfer.pth", "json.py", "edgeinfer/../json.py"])
def test_a_wheel_of_edgeinfer_with_files_of_others_is_refused(tmp_path: Path, name: str) -> None:
    own = make_own_wheel(tmp_path, members={name: "import os"})
    with pytest.raises(WheelError, match=rf"contains {name}, expected only files of edgeinfer"):
        check_given(own, BOOKWORM)
    checkout = make_checkout(tmp_path / "checkout", {**SOURCES})
    (built,) = (checkout / "dist").glob("*.whl")
    built.write_bytes(own.read_bytes())
    with pytest.raises(WheelError, match=rf"contains {name}"):
        find_built(BOOKWORM, checkout)


def test_the_checkouts_wheel_is_found(tmp_path: Path) -> None:
    checkout = make_checkout(tmp_path, SOURCES)
    make_own_wheel(checkout / "dist", tag="py3-none-manylinux_2_28_armv7l")
    make_own_wheel(checkout / "dist", version="0.0.1")
    assert (
        find_built(BOOKWORM, checkout) == checkout / "dist" / f"edgeinfer-{VERSION}-{OWN_TAG}.whl"
    )


def test_without_a_checkout_or_a_fitting_wheel_none_is_found(tmp_path: Path) -> None:
    assert find_built(BOOKWORM, None) is None
    assert find_built(BOOKWORM, tmp_path) is None
    checkout = make_checkout(tmp_path, SOURCES, tag="py3-none-linux_aarch64")
    assert find_built(BOOKWORM, checkout) is None


@pytest.mark.parametrize(
    ("built_from", "named"),
    [
        ({**SOURCES, "device/loop/run_loop.py": "frames = 2\n"}, "device/loop/run_loop.py"),
        ({n: c for n, c in SOURCES.items() if "loop" not in n}, "device/loop/run_loop.py"),
        ({**SOURCES, "device/old.py": ""}, "device/old.py"),
    ],
    ids=["changed", "added", "removed"],
)
def test_a_wheel_of_other_sources_is_refused(
    tmp_path: Path, built_from: dict[str, str], named: str
) -> None:
    checkout = make_checkout(tmp_path, built_from)
    with pytest.raises(WheelError, match=rf"other sources than these \({named} differs\).*make wh"):
        find_built(BOOKWORM, checkout)

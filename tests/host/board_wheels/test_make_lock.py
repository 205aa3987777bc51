"""The lock is made by a real pip, of a folder of small wheels."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from edgeinfer.device.core.errors import WheelError
from edgeinfer.host.board_wheels.make_lock import make_lock
from edgeinfer.host.board_wheels.wheel_file import wheel_file
from tests.host.board_wheels.wheels import BOOKWORM, TRIXIE, make_wheel, use_index

OWN = [
    Requirement("tflite-runtime==2.14.0; python_version < '3.12'"),
    Requirement("ai-edge-litert>=2; python_version >= '3.12'"),
]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "index"
    use_index(folder, monkeypatch)
    make_wheel(folder, "pip", version="26.0")
    make_wheel(
        folder,
        "tflite-runtime",
        version="2.14.0",
        tag="cp311-cp311-manylinux_2_34_aarch64",
        requires=["numpy>=1.23"],
    )
    make_wheel(folder, "numpy", version="1.26.4", tag="cp311-cp311-manylinux2014_aarch64")
    make_wheel(folder, "numpy", version="2.5.0", tag="cp313-cp313-manylinux2014_aarch64")
    make_wheel(
        folder,
        "ai-edge-litert",
        version="2.3.0",
        tag="cp313-cp313-manylinux_2_27_aarch64",
        requires=[
            "numpy>=2",
            "here; platform_machine == 'x86_64'",
            "there; platform_machine == 'aarch64'",
            "tools; extra == 'tools'",
        ],
    )
    make_wheel(folder, "here")
    make_wheel(folder, "there", requires=["deep; python_version >= '3.13'"])
    make_wheel(folder, "deep")
    return folder


def test_each_system_gets_what_it_needs_as_its_markers_say(index: Path) -> None:
    told: list[str] = []
    lock = make_lock([BOOKWORM, TRIXIE, BOOKWORM], OWN, told.append)
    assert [f"{package.name} {package.version}" for package in lock.packages] == [
        *("ai-edge-litert 2.3.0", "deep 1.0", "numpy 1.26.4", "numpy 2.5.0", "pip 26.0"),
        *("tflite-runtime 2.14.0", "there 1.0"),
    ]
    assert len(told) == 2  # each system once
    for package in lock.packages:
        for wheel in package.wheels:
            there = wheel_file(index / wheel.file)
            assert (wheel.sha256, wheel.size) == (there.sha256, there.size)
    litert = lock.versions("ai-edge-litert")[0]
    assert litert.requires == (
        "here; platform_machine == 'x86_64'".replace("'", '"'),
        "numpy>=2",
        "there; platform_machine == 'aarch64'".replace("'", '"'),
    )


def test_a_system_without_wheels_stops_it(index: Path) -> None:
    (index / "numpy-2.5.0-cp313-cp313-manylinux2014_aarch64.whl").unlink()
    with pytest.raises(WheelError):
        make_lock([TRIXIE], OWN, lambda text: None)

"""A real pip downloads here: from a folder of small wheels, once from the package index."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from edgeinfer.device.core.errors import StorageError, WheelError
from edgeinfer.host import board_wheels as package
from edgeinfer.host.board_wheels import SYSTEM_NUMPY_AND_OPENCV, BoardWheels, WheelTarget
from edgeinfer.host.board_wheels.make_lock import lock_of
from tests.host.board_wheels.wheels import (
    BOOKWORM,
    TRIXIE,
    cut_connection,
    make_own_wheel,
    make_wheel,
    use_index,
)
from tests.system.environments import unavailable

ARMHF = WheelTarget(
    architecture="armv7l",
    python="3.11",
    glibc=(2, 36),
    system_packages=SYSTEM_NUMPY_AND_OPENCV,
)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all that pip knows, with a runtime for Bookworm and what it needs."""
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
    make_wheel(folder, "numpy", version="2.1.0", tag="cp311-cp311-manylinux2014_aarch64")
    return folder


def board_wheels(target: WheelTarget, index: Path, **options: Any) -> BoardWheels:
    """Find a board's wheels, the lock naming all that the index has."""
    lock = lock_of(sorted(index.glob("*.whl")))
    return package.board_wheels(target, lock=lock, **options)


def names(found: BoardWheels) -> list[str]:
    return [wheel.name.split("-")[0] for wheel in found.wheels]


def test_a_board_gets_edgeinfer_with_all_that_it_needs(index: Path, tmp_path: Path) -> None:
    own = make_own_wheel(tmp_path, ["tflite-runtime==2.14.0", "numpy<2"])
    found = board_wheels(BOOKWORM, index, given=[own], cache=tmp_path / "cache")
    assert names(found) == ["edgeinfer", "numpy", "tflite_runtime"]
    assert found.wheels[1].name.startswith("numpy-1.26.4")
    assert found.pip.name == "pip-26.0-py3-none-any.whl"
    for wheel in (*found.wheels, found.pip):
        assert wheel.path.name == wheel.name
        assert wheel.path.stat().st_size == wheel.size


def test_the_cache_answers_the_same_without_a_connection(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, cache = make_own_wheel(tmp_path), tmp_path / "cache"
    told: list[str] = []
    lock = lock_of(index.glob("*.whl"))
    find = partial(package.board_wheels, BOOKWORM, given=[own], lock=lock, cache=cache)
    first = find(tell=told.append)
    make_wheel(index, "numpy", version="2.2.0", tag="cp311-cp311-manylinux2014_aarch64")
    cut_connection(monkeypatch)
    assert find(tell=told.append) == first
    assert told == ["downloading packages for aarch64 with Python 3.11 and glibc 2.36"]
    leftover = {path.suffix for path in (cache / BOOKWORM.name).iterdir()}
    assert leftover == {".whl"}


@pytest.mark.parametrize("damage", [b"", b"PK not the wheel that was downloaded"])
def test_a_damaged_cache_is_downloaded_again(index: Path, tmp_path: Path, damage: bytes) -> None:
    own, cache = make_own_wheel(tmp_path), tmp_path / "cache"
    first = board_wheels(BOOKWORM, index, given=[own], cache=cache)
    first.pip.path.write_bytes(damage)
    assert board_wheels(BOOKWORM, index, given=[own], cache=cache) == first


def test_offline_with_an_empty_cache_says_what_to_do(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_connection(monkeypatch)
    with pytest.raises(WheelError, match="no package index can be reached"):
        board_wheels(BOOKWORM, index, given=[make_own_wheel(tmp_path)], cache=tmp_path / "cache")


def test_markers_of_requirements_are_evaluated_for_the_board(index: Path, tmp_path: Path) -> None:
    """pip judges them for this machine: too little comes for another Python, or too much."""
    make_wheel(
        index,
        "ai-edge-litert",
        version="2.3.0",
        tag="cp313-cp313-manylinux_2_27_aarch64",
        requires=[
            "here; platform_machine == 'x86_64'",
            "there; platform_machine == 'aarch64'",
            "new; python_version >= '3.13'",
        ],
    )
    make_wheel(index, "here")
    make_wheel(index, "there", requires=["deep; python_version >= '3.13'"])
    make_wheel(index, "new")
    make_wheel(index, "deep")
    own = make_own_wheel(tmp_path, ["ai-edge-litert>=2"])
    found = board_wheels(TRIXIE, index, given=[own], cache=tmp_path / "cache")
    assert names(found) == ["ai_edge_litert", "deep", "edgeinfer", "new", "there"]


def test_what_the_system_provides_is_not_carried(index: Path, tmp_path: Path) -> None:
    tag = "cp311-cp311-manylinux_2_34_armv7l"
    make_wheel(index, "tflite-runtime", version="2.14.0", tag=tag, requires=["numpy>=1.23", "x"])
    make_wheel(index, "x", requires=["y"])
    make_wheel(index, "y")
    own = make_own_wheel(tmp_path, tag="py3-none-manylinux_2_28_armv7l")
    found = board_wheels(ARMHF, index, given=[own], cache=tmp_path / "cache")
    assert names(found) == ["edgeinfer", "tflite_runtime", "x", "y"]


def test_a_pinned_runtime_replaces_edgeinfers_choice(index: Path, tmp_path: Path) -> None:
    tag = "cp311-cp311-manylinux_2_27_aarch64"
    make_wheel(index, "ai-edge-litert", version="2.1.6", tag=tag)
    make_wheel(index, "ai-edge-litert", version="2.3.0", tag=tag)
    target = WheelTarget(
        architecture="aarch64", python="3.11", glibc=(2, 36), runtime="ai-edge-litert==2.1.6"
    )
    found = board_wheels(target, index, given=[make_own_wheel(tmp_path)], cache=tmp_path / "cache")
    assert names(found) == ["ai_edge_litert", "edgeinfer"]
    assert found.wheels[0].name.startswith("ai_edge_litert-2.1.6-")


def test_a_runtime_of_the_system_is_not_carried(index: Path, tmp_path: Path) -> None:
    target = WheelTarget(
        architecture="aarch64",
        python="3.13",
        glibc=(2, 39),
        system_packages=SYSTEM_NUMPY_AND_OPENCV | {"tflite-runtime"},
    )
    own = make_own_wheel(tmp_path, ["ai-edge-litert>=2", "numpy>=2"])
    found = board_wheels(target, index, given=[own], cache=tmp_path / "cache")
    assert names(found) == ["edgeinfer"]


def test_a_given_wheel_replaces_the_one_of_the_index(index: Path, tmp_path: Path) -> None:
    tag = "cp311-cp311-manylinux_2_34_aarch64"
    special = make_wheel(tmp_path, "tflite-runtime", version="2.15.1", tag=tag, requires=["numpy"])
    own, cache = make_own_wheel(tmp_path), tmp_path / "cache"
    found = board_wheels(BOOKWORM, index, given=[own, special], cache=cache)
    assert names(found) == ["edgeinfer", "numpy", "tflite_runtime"]
    assert found.wheels[2].path == special
    assert board_wheels(BOOKWORM, index, given=[own, special], cache=cache) == found


def test_a_python_without_any_runtime_is_refused(index: Path, tmp_path: Path) -> None:
    target = WheelTarget(architecture="armv7l", python="3.13", glibc=(2, 41))
    own = make_own_wheel(
        tmp_path,
        ["tflite-runtime==2.14.0; python_version < '3.12'"],
        tag="py3-none-manylinux_2_28_armv7l",
    )
    with pytest.raises(WheelError, match=r"armv7l with Python 3\.13.*none has a wheel.*64-bit"):
        board_wheels(target, index, given=[own], cache=tmp_path / "cache")


def test_a_runtime_without_a_wheel_for_that_glibc_is_refused(index: Path, tmp_path: Path) -> None:
    target = WheelTarget(architecture="aarch64", python="3.11", glibc=(2, 31))
    with pytest.raises(WheelError, match=r"no wheel of tflite-runtime 2\.14\.0.*manylinux_2_31"):
        board_wheels(target, index, given=[make_own_wheel(tmp_path)], cache=tmp_path / "cache")


def test_a_cache_that_cannot_be_written_is_reported(index: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(StorageError):
        board_wheels(BOOKWORM, index, given=[make_own_wheel(tmp_path)], cache=tmp_path / "cache")


def test_a_wheel_that_is_not_an_archive_is_refused(index: Path, tmp_path: Path) -> None:
    own = make_own_wheel(tmp_path)
    own.write_bytes(b"no archive")
    with pytest.raises(WheelError, match="is not a wheel"):
        board_wheels(BOOKWORM, index, given=[own], cache=tmp_path / "cache")


def test_the_package_index_has_what_32_bit_arm_needs(tmp_path: Path) -> None:
    own = make_own_wheel(
        tmp_path, ["click>=8.1", "tflite-runtime==2.14.0"], tag="py3-none-manylinux_2_28_armv7l"
    )
    try:
        found = package.board_wheels(ARMHF, given=[own], cache=tmp_path / "cache")
    except WheelError as error:
        if "no package index can be reached" in error.got:
            unavailable(f"nothing can be downloaded here ({error})")
        raise
    assert names(found) == ["click", "edgeinfer", "tflite_runtime"]
    assert found.wheels[2].name.endswith("_armv7l.whl")

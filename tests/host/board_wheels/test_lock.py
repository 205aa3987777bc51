from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from edgeinfer.device.core.errors import WheelError
from edgeinfer.device.models.bundle.strict import to_json
from edgeinfer.host.board_wheels.choose import choose, needed
from edgeinfer.host.board_wheels.lock import LOCK_FILE, Lock, own_lock, read_lock
from edgeinfer.host.board_wheels.make_lock import lock_of
from edgeinfer.host.board_wheels.supported import (
    all_targets,
    own_requirements,
    supported_targets,
    write_requirements,
)
from edgeinfer.host.board_wheels.target import RUNTIMES, WheelTarget
from tests.host.board_wheels.wheels import BOOKWORM, make_wheel

TARGETS = all_targets()


@pytest.mark.parametrize("target", TARGETS, ids=[f"{t.name} {t.runtime}" for t in TARGETS])
def test_the_lock_has_all_that_each_system_needs(target: WheelTarget) -> None:
    """It fails where the requirements changed and the lock was not renewed: make board-lock."""
    chosen = choose(target, own_lock(), needed(target, own_requirements()), {})
    assert {"pip", "click"} <= chosen.keys()
    assert len(RUNTIMES & chosen.keys()) == 1
    system = set(map(target.provides, ("numpy", "opencv-python-headless")))
    assert ({"numpy", "opencv-python-headless"} <= chosen.keys()) == (system == {False})


def test_every_system_of_a_profile_is_among_them() -> None:
    architectures = {target.architecture for target in supported_targets()}
    assert architectures == {"aarch64", "armv7l", "x86_64"}
    assert {target.python for target in supported_targets()} == {"3.10", "3.11", "3.12", "3.13"}


def test_every_entry_of_the_lock_is_needed() -> None:
    """What no system needs any more goes with the next renewal."""
    taken = {
        one.wheel.file
        for target in TARGETS
        for one in choose(target, own_lock(), needed(target, own_requirements()), {}).values()
    }
    locked = {wheel.file for package in own_lock().packages for wheel in package.wheels}
    assert locked == taken


def test_the_lock_has_no_addresses() -> None:
    text = LOCK_FILE.read_text(encoding="utf-8")
    assert "://" not in text
    assert set(json.loads(text)) == {"schema", "packages"}


@pytest.fixture
def lock(tmp_path: Path) -> Lock:
    make_wheel(tmp_path, "a", version="1.0", requires=["b>=1"])
    make_wheel(tmp_path, "a", version="2.0", tag="cp313-cp313-manylinux_2_17_aarch64")
    make_wheel(tmp_path, "a", version="2.0", tag="cp313-cp313-manylinux_2_28_aarch64")
    make_wheel(tmp_path, "b", version="1.5")
    return lock_of(tmp_path.glob("*.whl"))


def fitting(lock: Lock, text: str, target: WheelTarget = BOOKWORM) -> str:
    requirement = Requirement(text)
    return lock.fitting(requirement.name, [requirement], target)[1].file


def test_the_newest_that_suits_is_taken(lock: Lock) -> None:
    trixie = dataclasses.replace(BOOKWORM, python="3.13")
    assert fitting(lock, "a") == "a-1.0-py3-none-any.whl"
    assert fitting(lock, "a", trixie) == "a-2.0-cp313-cp313-manylinux_2_28_aarch64.whl"
    assert fitting(lock, "a<2", trixie) == "a-1.0-py3-none-any.whl"
    old = dataclasses.replace(trixie, glibc=(2, 17))
    assert fitting(lock, "a", old) == "a-2.0-cp313-cp313-manylinux_2_17_aarch64.whl"


def test_a_version_for_another_python_is_not_taken(lock: Lock) -> None:
    packages = tuple(dataclasses.replace(one, python=">=3.12") for one in lock.packages)
    changed = dataclasses.replace(lock, packages=packages)
    with pytest.raises(WheelError, match=r"no wheel of a 2\.0 and 1\.0 in the lock"):
        fitting(changed, "a")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("c", "c: is not in the lock of board packages"),
        ("a>=3", r"a>=3: is asked for; the lock of board packages has 2\.0, 1\.0"),
        ("a>=2", r"no wheel of a 2\.0 in the lock of board packages, expected one for cp311"),
    ],
)
def test_a_missing_wheel_is_named(lock: Lock, text: str, said: str) -> None:
    with pytest.raises(WheelError, match=said):
        fitting(lock, text)


def damaged(lock: Lock, **changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = to_json(lock)
    document["packages"][0]["wheels"][0].update(changes)
    return document


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": "0" * 63},
        {"sha256": "G" * 64},
        {"size": 0},
        {"file": "../a-1.0-py3-none-any.whl"},
        {"file": "b-1.0-py3-none-any.whl"},
        {"file": "a-9.9-py3-none-any.whl"},
        {"file": "a-1.0-py3-none-any/../x.whl"},
        {"url": "x"},
    ],
)
def test_a_damaged_lock_is_refused(lock: Lock, tmp_path: Path, changes: dict[str, Any]) -> None:
    path = tmp_path / "lock.json"
    path.write_text(json.dumps(damaged(lock, **changes)))
    with pytest.raises(WheelError, match=r"cannot be read.*the lock of board packages"):
        read_lock(path)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema": 1}', '{"schema": 2, "packages": []}'])
def test_a_file_that_is_not_a_lock_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "lock.json"
    path.write_text(text)
    with pytest.raises(WheelError, match="cannot be read"):
        read_lock(path)
    with pytest.raises(WheelError, match="cannot be read"):
        read_lock(tmp_path / "absent.json")


def test_a_lock_is_read_as_it_was_written(lock: Lock, tmp_path: Path) -> None:
    path = tmp_path / "lock.json"
    path.write_text(json.dumps(to_json(lock)))
    assert read_lock(path) == lock


def test_each_system_gets_a_file_for_auditing(tmp_path: Path) -> None:
    files = write_requirements(tmp_path / "audit")
    assert len(files) > 5
    hashes = {wheel.sha256 for package in own_lock().packages for wheel in package.wheels}
    for file in files:
        lines = [
            re.fullmatch(r"(\S+)==(\S+) --hash=sha256:(\w{64})", line)
            for line in file.read_text().splitlines()
        ]
        names = [line[1] for line in lines if line]
        assert len(lines) == len(set(names)) > 2
        assert {line[3] for line in lines if line} <= hashes

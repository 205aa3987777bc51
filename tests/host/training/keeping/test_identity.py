"""A training goes on only with the same settings and data, and the difference is named."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.device.core.errors import UsageError
from edgeinfer.host.training.keeping.identity import Identity, sample_lines


@pytest.fixture
def pictures(tmp_path: Path) -> list[Sample]:
    """Three files, one with a name that is not UTF-8."""
    names = ["a.png", "b.png", os.fsdecode(b"\xff.png")]
    for name in names:
        (tmp_path / name).write_bytes(b"picture")
    return [Sample(source=str(tmp_path / name), target="cat") for name in names]


def _identity(pictures: list[Sample], **settings: str) -> Identity:
    lines = sample_lines({"train": pictures, "validation": [], "test": []})
    return Identity(settings={"--epochs": "3", **settings}, samples=lines)


def test_the_same_is_equal(pictures: list[Sample], tmp_path: Path) -> None:
    _identity(pictures).write(tmp_path)
    _identity(pictures).require_equal(tmp_path, Silent())


def test_another_setting_is_named(pictures: list[Sample], tmp_path: Path) -> None:
    _identity(pictures).write(tmp_path)
    other = replace(_identity(pictures), settings={"--epochs": "4"})
    with pytest.raises(UsageError, match=r"--epochs: is 4, expected 3, as when .*--force"):
        other.require_equal(tmp_path, Silent())
    with pytest.raises(UsageError, match="--teacher: is runs/x, expected not given"):
        _identity(pictures, **{"--teacher": "runs/x"}).require_equal(tmp_path, Silent())


def test_other_pictures_are_named(pictures: list[Sample], tmp_path: Path) -> None:
    _identity(pictures).write(tmp_path)
    with pytest.raises(UsageError, match=r"1 is missing \(such as .*a\.png\)"):
        _identity(pictures[1:]).require_equal(tmp_path, Silent())
    with pytest.raises(UsageError, match="are in another order"):
        _identity(pictures[::-1]).require_equal(tmp_path, Silent())
    (tmp_path / "b.png").write_bytes(b"another picture")
    with pytest.raises(UsageError, match=r"the pictures: 1 is changed \(such as .*b\.png\)"):
        _identity(pictures).require_equal(tmp_path, Silent())


def test_a_damaged_folder_is_an_error(pictures: list[Sample], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be continued"):
        _identity(pictures).require_equal(tmp_path, Silent())
    assert not _identity(pictures).equals(tmp_path)

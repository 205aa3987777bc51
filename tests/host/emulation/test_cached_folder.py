from __future__ import annotations

from pathlib import Path

import pytest

from edgeinfer.device.core.errors import StorageError
from edgeinfer.host.emulation.cached_folder import kept_folder


def write_file(folder: Path) -> None:
    (folder / "file").write_text("content")


def test_a_folder_is_made_once_for_the_same_inputs(tmp_path: Path) -> None:
    calls: list[Path] = []

    def build(folder: Path) -> None:
        calls.append(folder)
        write_file(folder)

    first = kept_folder(tmp_path, "root", ["a", "b"], build)
    assert kept_folder(tmp_path, "root", ["a", "b"], build) == first
    assert len(calls) == 1
    assert kept_folder(tmp_path, "root", ["a", "c"], build) != first
    assert len(calls) == 2
    assert {path.name for path in tmp_path.iterdir()} == {
        path.name for path in tmp_path.glob("root-*")
    }


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    def build(folder: Path) -> None:
        write_file(folder)
        raise RuntimeError("offline")

    with pytest.raises(RuntimeError, match="offline"):
        kept_folder(tmp_path, "root", ["a"], build)
    assert not list(tmp_path.iterdir())


def test_of_two_that_are_made_at_the_same_time_the_first_is_kept(tmp_path: Path) -> None:
    def build(folder: Path) -> None:
        write_file(folder)
        if len(list(tmp_path.glob(".building-*"))) == 1:
            kept_folder(tmp_path, "root", ["a"], lambda other: write_file(other))

    folder = kept_folder(tmp_path, "root", ["a"], build)
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    assert [path.name for path in folder.iterdir()] == ["file"]


def test_a_place_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(StorageError):
        kept_folder(tmp_path / "home", "root", ["a"], write_file)

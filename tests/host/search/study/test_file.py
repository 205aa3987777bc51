"""A search's folder is opened by one at a time, with the settings that it began with."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeinfer.converters.run_folder.trained_run import read_trained
from edgeinfer.device.core.errors import StorageError, UsageError
from edgeinfer.host.search.space import Space, space_of
from edgeinfer.host.search.study.file import STUDY_FILE
from tests.host.search.examples import make_run, opened_study


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Space:
    return space_of(read_trained(make_run(tmp_path_factory.mktemp("study") / "run")), None)


def test_other_settings_are_another_search(tmp_path: Path, space: Space) -> None:
    with opened_study(tmp_path / "out", space, threads="1"):
        pass
    with (
        pytest.raises(UsageError, match=r"--threads: 4, expected 1, as the search in") as caught,
        opened_study(tmp_path / "out", space, threads="4"),
    ):
        pass
    assert "--out" in caught.value.next_step
    with (
        pytest.raises(UsageError, match=r"--threads: not given, expected 1"),
        opened_study(tmp_path / "out", space),
    ):
        pass


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, space: Space) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(UsageError, match="is not a search"), opened_study(tmp_path, space):
        pass
    assert sorted(os.listdir(tmp_path)) == ["thesis.tex"]


def test_two_cannot_search_in_one_folder(tmp_path: Path, space: Space) -> None:
    with (
        opened_study(tmp_path / "out", space),
        pytest.raises(UsageError, match="is searching there"),
        opened_study(tmp_path / "out", space),
    ):
        pass


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + b"x" * 4096])
def test_a_damaged_study_is_one_sentence(tmp_path: Path, space: Space, content: bytes) -> None:
    (tmp_path / STUDY_FILE).write_bytes(content)
    with (
        pytest.raises(StorageError, match=r"study\.sqlite: cannot be used"),
        opened_study(tmp_path, space),
    ):
        pass

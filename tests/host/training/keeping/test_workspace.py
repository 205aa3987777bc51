"""The run's folder appears whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import StorageError, UsageError
from edgeinfer.host.training.keeping.workspace import workspace


def _make(out: Path, content: str, *, force: bool = False) -> None:
    with workspace(out, force=force) as place:
        assert not (out / "new").exists()
        (place.run / "trained.json").write_text(content)
        (place.cache / "big").write_text("cache")


def test_it_appears_by_rename_and_the_cache_goes(tmp_path: Path) -> None:
    out = tmp_path / "runs" / "cats"
    _make(out, "first")
    assert os.listdir(out.parent) == ["cats"]
    assert os.listdir(out) == ["trained.json"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_nothing_is_left_after_an_error(tmp_path: Path, error: type[BaseException]) -> None:
    out = tmp_path / "cats"

    def work() -> None:
        with workspace(out, force=False) as place:
            (place.run / "model.keras").write_text("half")
            raise error

    with pytest.raises(error):
        work()
    assert not os.listdir(tmp_path)


def test_an_earlier_run_stays_unless_forced(tmp_path: Path) -> None:
    out = tmp_path / "cats"
    _make(out, "first")
    with pytest.raises(UsageError, match="--force"):
        _make(out, "second")
    with pytest.raises(ValueError, match="broken"), workspace(out, force=True):
        raise ValueError("broken")
    assert (out / "trained.json").read_text() == "first"
    _make(out, "third", force=True)
    assert (out / "trained.json").read_text() == "third"
    assert os.listdir(tmp_path) == ["cats"]


def test_force_does_not_replace_a_folder_of_someone_else(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "cat.jpg").write_text("precious")
    with pytest.raises(UsageError, match="was not made by"):
        _make(photos, "run", force=True)
    assert (photos / "cat.jpg").read_text() == "precious"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        _make(tmp_path / "file" / "cats", "run")

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import StorageError
from edgeinfer.host.data.capture.store import CaptureFolder, Saved

NOON = datetime(2026, 12, 1, 12, 0, 0, 123_456, tzinfo=timezone.utc)


def opened(folder: Path, *, add: bool = False, value: str | None = None) -> CaptureFolder:
    return CaptureFolder(folder, add=add, value=value, keep_free_bytes=0)


def save(store: CaptureFolder, label: str, moment: datetime = NOON) -> Saved:
    return store.save(b"jpeg", moment, label=label, suffix=".jpg", digest=b"")


def test_names_are_times_and_none_is_replaced(tmp_path: Path) -> None:
    store = opened(tmp_path / "out")
    here = NOON.astimezone(timezone(timedelta(hours=5)))
    names = [save(store, "open", moment).path.name for moment in (NOON, NOON, here)]
    assert names == ["20261201T120000123Z.jpg", *(f"20261201T120000123Z-{n}.jpg" for n in (2, 3))]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["open"]


def test_a_folder_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(StorageError, match="add to it with --add"):
        opened(tmp_path)
    assert save(opened(tmp_path, add=True), "open").path.is_file()
    with pytest.raises(StorageError, match="is a file"):
        opened(tmp_path / "mine.txt", add=True)


def test_values_are_in_a_table(tmp_path: Path) -> None:
    store = opened(tmp_path / "out", value="bar")
    first, second = save(store, "2.5"), save(store, "3")
    table = tmp_path / "out" / "targets.csv"
    lines = [f"pictures/{first.path.name},2.5", f"pictures/{second.path.name},3"]
    assert table.read_text().splitlines() == ["file,bar", *lines]
    store.take_back(second)
    assert table.read_text().splitlines() == ["file,bar", lines[0]]
    assert not second.path.exists()
    store.take_back(first)
    assert table.read_text() == ""


def test_a_table_whose_last_line_is_incomplete(tmp_path: Path) -> None:
    save(opened(tmp_path, value="bar"), "1")
    table = tmp_path / "targets.csv"
    whole = table.read_text()
    table.write_text(whole + "pictures/20261")
    opened(tmp_path, add=True, value="bar")
    assert table.read_text() == whole


def test_a_table_of_another_value(tmp_path: Path) -> None:
    save(opened(tmp_path, value="bar"), "1")
    with pytest.raises(StorageError, match="has the columns file,bar, expected file,psi"):
        opened(tmp_path, add=True, value="psi")


def test_the_disk_stays_as_free_as_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="lower --keep-free-mb"):
        CaptureFolder(tmp_path / "out", add=False, value=None, keep_free_bytes=2**60)


def test_nothing_is_left_where_nothing_was_saved(tmp_path: Path) -> None:
    opened(tmp_path / "out").close()
    assert not (tmp_path / "out").exists()
    store = opened(tmp_path / "out")
    saved = save(store, "open")
    store.close()
    assert saved.path.is_file()
    store.take_back(saved)
    store.close()
    assert not (tmp_path / "out").exists()

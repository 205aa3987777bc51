from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeinfer.device.core.errors import StorageError
from edgeinfer.device.outputs.recording import folder as record_folder
from edgeinfer.device.outputs.recording.folder import RecordFolder

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=timezone.utc)
PAST = datetime(1970, 1, 1, tzinfo=timezone.utc)


def folder_of(path: Path, *, max_bytes: int = 100, keep_free_bytes: int = 0) -> RecordFolder:
    return RecordFolder(
        path, stem="still", suffix=".jpg", max_bytes=max_bytes, keep_free_bytes=keep_free_bytes
    )


def record(folder: RecordFolder, size: int, moment: datetime = NOON) -> Path:
    hidden = folder.begin(moment)
    folder.make_room(size)
    hidden.write_bytes(b"x" * size)
    return folder.finish(hidden)


def names(path: Path) -> list[str]:
    return sorted(os.listdir(path))


def test_a_recording_appears_when_it_is_complete(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "new")
    hidden = folder.begin(NOON)
    hidden.write_bytes(b"half")
    assert hidden.name.startswith(".")
    assert hidden.suffix == ".jpg"
    path = folder.finish(hidden)
    assert path.name == "still-00000001-20261124T120000Z.jpg"
    assert names(tmp_path / "new") == [path.name]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.lists(st.tuples(st.integers(1, 60), st.booleans()), max_size=25))
def test_the_cap_holds_and_the_newest_stay(tmp_path: Path, sizes: list[tuple[int, bool]]) -> None:
    """The boolean is a restart, at which the clock falls back to 1970."""
    path = tmp_path / "folder"
    path.mkdir(exist_ok=True)
    for name in names(path):
        (path / name).unlink()
    folder, moment = folder_of(path), NOON
    written: list[int] = []
    for size, restart in sizes:
        if restart:
            folder, moment = folder_of(path), PAST
        record(folder, size, moment)
        written.append(size)
        kept = [(path / name).stat().st_size for name in names(path)]
        assert sum(kept) <= 100
        assert kept == written[-len(kept) :]
        # Only as much is deleted as must be.
        assert kept == written or sum(written[-len(kept) - 1 :]) > 100


def test_other_files_are_never_touched(tmp_path: Path) -> None:
    others = ["still-1-x.jpg", "still-00000001-20261124T120000Z.png", "holiday.jpg", ".x.part.jpg"]
    for other in others:
        (tmp_path / other).write_bytes(b"x" * 500)
    (tmp_path / "still-00000007-20261124T120000Z.jpg").mkdir()
    folder = folder_of(tmp_path)
    for _ in range(20):
        record(folder, 60)
    assert set(others) < set(names(tmp_path))
    assert len(names(tmp_path)) == len(others) + 2


def test_recording_larger_than_the_cap_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="--record-max-mb"):
        record(folder_of(tmp_path), 101)


def test_room_for_others_is_left_by_deleting_and_then_by_stopping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_by_others = 0

    def free_bytes(_: object) -> int:
        return 1200 - taken_by_others - sum(one.stat().st_size for one in tmp_path.iterdir())

    monkeypatch.setattr(record_folder, "LEAST_FREE_BYTES", 0)
    folder = folder_of(tmp_path, keep_free_bytes=1000)
    monkeypatch.setattr(RecordFolder, "_free_bytes", free_bytes)
    for _ in range(3):
        record(folder, 30)
    taken_by_others = 150
    record(folder, 30)
    assert len(names(tmp_path)) == 2
    taken_by_others = 300
    with pytest.raises(StorageError, match=r"free on the disk.*--record-keep-free-mb"):
        record(folder, 30)
    assert len(names(tmp_path)) == 2  # to delete them would not be enough


def test_real_disk_has_a_size(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="free on the disk"):
        record(folder_of(tmp_path, keep_free_bytes=10**18), 1)


def test_what_a_killed_run_left_is_removed_and_a_living_one_is_not(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    name = "still-00000001-20261124T120000Z.jpg"
    left = [tmp_path / f".{name}.{process}.part.jpg" for process in (dead.pid, os.getpid(), 1)]
    for path in left:
        path.write_bytes(b"half")
    record(folder_of(tmp_path), 1)
    assert [path.exists() for path in left] == [False, False, True]


def test_recordings_that_others_delete_are_not_an_error(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    for _ in range(5):
        record(folder, 90).unlink()
    assert names(tmp_path) == []


def test_folder_that_cannot_be_made_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="file"):
        folder_of(tmp_path / "file" / "folder").check()
    folder_of(tmp_path / "a" / "b").check()

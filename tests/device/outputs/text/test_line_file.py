from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeinfer.device.core.errors import StorageError
from edgeinfer.device.outputs.text.line_file import LineFile
from tests.support.waiting import PATIENCE_S


def lines_in(path: Path) -> list[str]:
    text = path.read_text()
    assert text.endswith("\n")
    return text.splitlines()


def csv_file(path: Path, *, max_bytes: int = 1000) -> LineFile:
    return LineFile(path, begins="a,b\n", header="a,b\n", max_bytes=max_bytes)


def test_lines_are_written_immediately_and_an_earlier_file_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "x.csv"
    for number in range(2):
        file = csv_file(path)
        file.check()
        file.write(f"{number},0\n")
        assert lines_in(path) == ["a,b", "0,0", "1,0"][: number + 2]
        file.close()


@pytest.mark.parametrize("cut", range(1, 13))
def test_half_a_line_of_a_power_cut_is_cut_off(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n3,4\n"[:cut])
    file = csv_file(path)
    file.check()
    file.write("5,6\n")
    whole = ["a,b", "1,2", "3,4"][: max(1, cut // 4)]
    assert lines_in(path) == [*whole, "5,6"]
    file.close()


def test_half_a_line_longer_than_one_read(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n" + "x" * 200_000)
    file = csv_file(path, max_bytes=10**6)
    file.write("5,6\n")
    assert lines_in(path) == ["a,b", "1,2", "5,6"]
    file.close()


@pytest.mark.parametrize("content", ["dear diary", "a,c\n1,2\n", "\n"])
def test_a_file_that_we_did_not_write_is_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(content)
    file = csv_file(path)
    for act in (file.check, lambda: file.write("1,2\n")):
        with pytest.raises(StorageError, match="holds something else"):
            act()
    assert path.read_text() == content


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=30),
    st.integers(45, 120),
    st.integers(1, 5),
)
def test_no_file_exceeds_its_size_and_the_newest_lines_are_kept(
    tmp_path: Path, lengths: list[int], max_bytes: int, reopen_every: int
) -> None:
    path, old = tmp_path / "x.csv", tmp_path / "x.csv.1"
    path.unlink(missing_ok=True)
    old.unlink(missing_ok=True)
    written = [f"{n:02d}".ljust(length, "x") for n, length in enumerate(lengths)]
    file = csv_file(path, max_bytes=max_bytes)
    for number, line in enumerate(written):
        if number % reopen_every == 0:
            file.close()
        file.write(line + "\n")
    file.close()
    files = [one for one in (old, path) if one.exists()]
    assert all(one.stat().st_size <= max_bytes for one in files)
    assert all(lines_in(one)[0] == "a,b" for one in files)
    kept = [line for one in files for line in lines_in(one)[1:]]
    assert kept == written[-len(kept) :]
    assert kept == written or len(files) == 2


@pytest.mark.parametrize("moved", [True, False])
def test_a_file_that_others_move_away_or_remove_is_started_again(
    tmp_path: Path, moved: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeinfer.device.outputs.text.line_file.LOOK_EVERY_S", 0.0)
    path = tmp_path / "x.csv"
    file = csv_file(path)
    file.write("1,2\n")
    path.rename(tmp_path / "kept") if moved else path.unlink()
    file.write("3,4\n")
    assert lines_in(path) == ["a,b", "3,4"]
    file.close()


def test_second_writer_is_refused(tmp_path: Path) -> None:
    first, second = csv_file(tmp_path / "x.csv"), csv_file(tmp_path / "x.csv")
    first.write("1,2\n")
    with pytest.raises(StorageError, match="written by another program"):
        second.write("3,4\n")
    first.close()
    second.write("3,4\n")
    second.close()
    assert lines_in(tmp_path / "x.csv") == ["a,b", "1,2", "3,4"]


FULL_DISK = """
import resource, sys
from pathlib import Path
from edgeinfer.device.core.errors import StorageError
from edgeinfer.device.outputs.text.line_file import LineFile

path = Path(sys.argv[1])
file = LineFile(path, begins="a", header="a\\n", max_bytes=10**6)
resource.setrlimit(resource.RLIMIT_FSIZE, (50, resource.RLIM_INFINITY))
refused = 0
for number in range(20):
    try:
        file.write(f"{number:09d}\\n")
    except StorageError:
        refused += 1
    assert path.read_text().endswith("\\n")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
file.write("room again\\n")
print(refused, *path.read_text().split("\\n"), sep=",")
"""


def test_where_there_is_no_room_no_half_line_stays(tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk: a write takes what still fits."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "x")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    numbers = [f"{number:09d}" for number in range(4)]
    assert done.stdout.strip().split(",") == ["16", "a", *numbers, "room again", ""]


def test_full_device_is_a_sentence() -> None:
    file = LineFile(Path("/dev/full"), begins="{", max_bytes=100)
    file.check()
    for _ in range(2):
        with pytest.raises(StorageError, match=r"/dev/full: cannot be written \(no space"):
            file.write("{}\n")


def test_pipe_without_a_reader_is_said_and_waits_for_nobody(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    file = LineFile(pipe, begins="{", max_bytes=5)
    file.check()
    with pytest.raises(StorageError, match="a pipe that nobody reads"):
        file.write("{}\n")
    received: list[str] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_text()))
    reader.start()
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            file.write("{first}\n")
            break
        except StorageError:
            assert time.monotonic() < end
    file.write("{a second line, longer than max_bytes}\n")
    file.close()
    reader.join()
    assert received == ["{first}\n{a second line, longer than max_bytes}\n"]
    with pytest.raises(StorageError, match="a pipe that nobody reads"):
        file.write("{}\n")


def test_places_that_can_never_be_written_are_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path, tmp_path / "file" / "x.csv"):
        with pytest.raises(StorageError):
            csv_file(place).check()

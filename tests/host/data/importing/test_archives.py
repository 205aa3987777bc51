from __future__ import annotations

import os
import stat
import warnings
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeinfer.device.core.errors import DataError, EdgeinferError
from edgeinfer.host.data.importing import archives
from edgeinfer.host.data.importing.archives import unpack
from edgeinfer.host.data.importing.found import Record
from tests.host.data.importing.conftest import reasons

Member = tuple[str | zipfile.ZipInfo, bytes]


def zipped(path: Path, members: list[Member]) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # duplicate names are what is tested
        for name, data in members:
            archive.writestr(name, data)
    return path


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def space(tmp_path: Path) -> Path:
    folder = tmp_path / "space"
    folder.mkdir()
    return folder


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def test_pictures_and_labels_come_out(tmp_path: Path, space: Path, record: Record) -> None:
    members: list[Member] = [
        ("set/cat/1.jpg", b"1"),
        ("set\\dog\\2.jpg", b"2"),
        ("set/data.yaml", b"names: [a]"),
        ("set/./cat//3.png", b"3"),
        ("set/cat/", b""),
        ("__MACOSX/set/cat/._1.jpg", b""),
        ("set/.DS_Store", b""),
        ("set/run.exe", b"MZ"),
        ("set/cat/1.jpg", b"another"),
        ("set/cat/1.JPG", b"case"),
        (link("set/cat/4.jpg"), b"/etc/passwd"),
    ]
    unpack(zipped(tmp_path / "a.zip", members), space, record)
    names = {"cat/1.jpg", "cat/1.JPG", "dog/2.jpg", "data.yaml", "cat/3.png"}
    assert files(space) == {f"set/{name}" for name in names}
    assert (space / "set/cat/1.jpg").read_bytes() == b"1"
    assert reasons(record) == {
        "file that is not a picture and not labels": 1,
        "second member of the same name": 1,
        "link in the ZIP": 1,
    }


@pytest.mark.parametrize(
    "name",
    ["../1.jpg", "a/../../1.jpg", "/tmp/1.jpg", "C:\\1.jpg", "..\\1.jpg", "a\\..\\..\\1.jpg"],
)
def test_paths_that_lead_out(tmp_path: Path, space: Path, record: Record, name: str) -> None:
    path = zipped(tmp_path / "a.zip", [("ok.jpg", b""), (name, b"")])
    with pytest.raises(DataError, match="whose path leads out of it"):
        unpack(path, space, record)
    assert files(space) == set()


def test_bombs(
    tmp_path: Path, space: Path, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "SAFE_BYTES", 10_000)
    path = zipped(tmp_path / "a.zip", [("1.jpg", bytes(200_000))])
    with pytest.raises(DataError, match=r"would become 0\.2 MB, expected at most 100 times"):
        unpack(path, space, record)
    monkeypatch.setattr(archives, "SAFE_BYTES", 2**30)
    monkeypatch.setattr(archives, "MAX_FILE_BYTES", 1000)
    with pytest.raises(DataError, match=r"its member '1\.jpg' has 0\.2 MB"):
        unpack(path, space, record)
    monkeypatch.setattr(archives, "MAX_MEMBERS", 0)
    with pytest.raises(DataError, match="has 1 members"):
        unpack(path, space, record)


def test_a_member_that_is_larger_than_it_says(tmp_path: Path, space: Path, record: Record) -> None:
    path = zipped(tmp_path / "a.zip", [("1.jpg", os.urandom(5000))])
    data = path.read_bytes().replace((5000).to_bytes(4, "little"), (50).to_bytes(4, "little"))
    path.write_bytes(data)
    with pytest.raises(DataError, match="is a damaged ZIP"):
        unpack(path, space, record)
    assert sum((space / name).stat().st_size for name in files(space)) <= 50


def test_a_disk_without_room(
    tmp_path: Path, space: Path, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "KEEP_FREE_BYTES", 2**60)
    with pytest.raises(EdgeinferError, match="MB of room"):
        unpack(zipped(tmp_path / "a.zip", [("1.jpg", b"")]), space, record)


def test_a_file_and_a_folder_of_one_name(tmp_path: Path, space: Path, record: Record) -> None:
    path = zipped(tmp_path / "a.zip", [("a.jpg", b""), ("a.jpg/b.jpg", b"")])
    with pytest.raises(DataError, match="a file and a folder of one name"):
        unpack(path, space, record)


def test_an_encrypted_one(tmp_path: Path, space: Path, record: Record) -> None:
    path = zipped(tmp_path / "a.zip", [("1.jpg", b"12345678")])
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match="is encrypted"):
        unpack(path, space, record)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_cut_or_changed_zip_is_an_error_or_harmless(tmp_path: Path, data: st.DataObject) -> None:
    folder = tmp_path / "here"
    folder.mkdir(exist_ok=True)
    path = zipped(folder / "a.zip", [("a/1.jpg", b"1" * 50), ("b.txt", b"2" * 50)])
    whole = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    space = folder / "space"
    space.mkdir(exist_ok=True)
    for name in files(space):
        (space / name).unlink()
    with suppress(EdgeinferError):
        unpack(path, space, Record())
    assert {entry.name for entry in folder.iterdir()} == {"a.zip", "space"}

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeinfer.host.data.importing.formats.pictures import PictureIndex
from edgeinfer.host.data.importing.found import Record
from tests.host.data.importing.conftest import MakePictures, reasons


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("images/a.png", "images/a.png"),
        ("a.png", "images/a.png"),
        ("/home/me/project/images/a.png", "images/a.png"),
        ("C:\\data\\images\\a.png", "images/a.png"),
        ("../../images/./a.png", "images/a.png"),
        ("train/same.png", "images/train/same.png"),
        ("elsewhere/val/same.png", "images/val/same.png"),
        ("A.PNG", "images/a.png"),
        ("same.png", None),
        ("b.png", None),
        ("", None),
        ("..", None),
        ("/etc/passwd", None),
        ("../secret.png", None),
    ],
)
def test_names_as_labels_write_them(
    tmp_path: Path, pictures: MakePictures, record: Record, name: str, found: str | None
) -> None:
    pictures("secret.png", *(f"set/images/{n}.png" for n in ("a", "train/same", "val/same")))
    index = PictureIndex(tmp_path / "set", record)
    path = index.find(name, tmp_path / "set" / "labels", "here")
    assert path == (None if found is None else str(tmp_path / "set" / found))
    case = {"picture's name differs in capital letters": 1}
    assert reasons(record) == (case if name == "A.PNG" else {})


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="a./\\:~b", max_size=12))
def test_no_name_leads_out(tmp_path: Path, name: str) -> None:
    (tmp_path / "set").mkdir(exist_ok=True)
    for place in ("a", "set/a"):
        (tmp_path / f"{place}.png").write_bytes(b"")
    index = PictureIndex(tmp_path / "set", Record())
    found = index.find(f"{name}.png", tmp_path / "set", "")
    assert found in {None, str(tmp_path / "set" / "a.png")}


def test_what_is_never_a_picture_of_the_set(tmp_path: Path, pictures: MakePictures) -> None:
    pictures("a.png", ".hidden.png", ".git/b.png", "__MACOSX/c.png", "@eaDir/d.png")
    (tmp_path / "e.dng").write_bytes(b"")
    (tmp_path / "loop").symlink_to(tmp_path)
    record = Record()
    assert PictureIndex(tmp_path, record).paths == [str(tmp_path / "a.png")]
    assert reasons(record) == {"picture in a format that is not read": 1}

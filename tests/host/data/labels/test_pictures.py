from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import DataError
from edgeinfer.host.data.folders.folder import Layout
from edgeinfer.host.data.labels.pictures import table_layout
from tests.host.data.conftest import MakePhoto


def by_name(layout: Layout) -> dict[str, str]:
    return {os.path.basename(file.path): layout.labels[file.label] for file in layout.files}


@pytest.fixture
def pictures(make_photo: MakePhoto, tmp_path: Path) -> Path:
    for index, name in enumerate(["1.png", "2.png", "deep/3.png", "deep/4.png"]):
        make_photo(f"photos/{name}", index)
    return tmp_path / "photos"


@pytest.mark.parametrize(
    "names",
    [
        ("1.png", "2.png", "deep/3.png", "deep/4.png"),
        ("1", "2", "deep/3", "deep/4"),
        ("./1.png", "deep/../2.png", "deep\\3.png", "4.png"),
        ("photos/1.png", "photos/2.png", "photos/deep/3.png", "photos/deep/4.png"),
    ],
)
def test_names_in_a_table(pictures: Path, names: tuple[str, ...]) -> None:
    table = pictures.parent / "labels.csv"
    rows = [f"{name},{label}" for name, label in zip(names, "abab", strict=True)]
    table.write_text("\n".join(["file,label", *rows]))
    layout = table_layout(pictures, table)
    assert by_name(layout) == {"1.png": "a", "2.png": "b", "3.png": "a", "4.png": "b"}
    assert layout.labels == ("a", "b")
    assert layout.splits == ()
    assert layout.findings == ()
    assert all(os.path.isabs(file.path) for file in layout.files)


def test_absolute_paths_and_pictures_elsewhere(pictures: Path, make_photo: MakePhoto) -> None:
    other = make_photo("elsewhere/9.png", 9)
    table = pictures / "labels.csv"
    table.write_text(f"file,label\n{other},a\n{pictures}/1.png,b\n")
    assert by_name(table_layout(pictures, table)) == {"9.png": "a", "1.png": "b"}


def test_what_a_table_lacks_and_has_too_much(pictures: Path, make_photo: MakePhoto) -> None:
    make_photo("photos/wide/3.png", 30)
    table = pictures / "labels.csv"
    table.write_text("file,label\n1.png,a\n1.png,a\ngone.png,b\n3.png,b\n2.png,\n,a\n")
    layout = table_layout(pictures, table)
    assert by_name(layout) == {"1.png": "a"}
    assert [(finding.path, finding.detail) for finding in layout.findings] == [
        ("1.png", "labels.csv, line 3: is in the table twice"),
        ("gone.png", "labels.csv, line 4: there is no such picture"),
        ("3.png", "labels.csv, line 5: is the name of 2 pictures"),
        ("2.png", "labels.csv, line 6: has no label"),
        ("", "labels.csv, line 7: names no file"),
        ("labels.csv", "has no line for 4 pictures of the folder, such as 2.png"),
    ]


def test_splits(pictures: Path) -> None:
    table = pictures / "labels.csv"
    table.write_text("file,label,split\n1.png,a,train\n2.png,b,Val\n3.png,b,test\n4.png,a,\n")
    layout = table_layout(pictures, table)
    assert layout.splits == ("train", "validation", "test")
    assert [file.split for file in layout.files] == ["train", "validation", "test", None]
    table.write_text("file,label,split\n1.png,a,holiday\n")
    with pytest.raises(DataError, match="line 2: the split is 'holiday'"):
        table_layout(pictures, table)


def test_two_labels_for_one_picture(pictures: Path) -> None:
    table = pictures / "labels.csv"
    table.write_text("file,label\n1.png,a\n1,b\n")
    with pytest.raises(DataError, match="line 3: gives 1 the label 'b', an earlier line 'a'"):
        table_layout(pictures, table)


def test_a_table_of_other_pictures(pictures: Path) -> None:
    table = pictures / "labels.csv"
    table.write_text("file,label\nx.png,a\n")
    with pytest.raises(DataError, match=r"names no picture of .*line 2: there is no such picture"):
        table_layout(pictures, table)

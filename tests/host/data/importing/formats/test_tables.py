from __future__ import annotations

from pathlib import Path

import pytest

from edgeinfer.device.core.errors import DataError
from edgeinfer.host.data.importing.formats.tables import (
    has_boxes,
    read_box_table,
    read_label_table,
)
from edgeinfer.host.data.importing.found import Box, Record
from tests.host.data.importing.conftest import MakePictures, reasons


def test_labels(tmp_path: Path, pictures: MakePictures, record: Record) -> None:
    pictures("set/a.png", "set/b.png", "set/c.png", "secret.png")
    table = tmp_path / "set" / "labels.csv"
    text = "\ufefffile;label;split\r\na.png;cat;train\r\nb;dog/wolf;val\r\nx.png;cat;\r\n"
    table.write_text(text + "a.png;cat;train\r\n../secret.png;cat;train\r\n", newline="")
    data = read_label_table(tmp_path / "set", table, record)
    assert [(Path(p.path).name, p.label, p.split) for p in data.pictures] == [
        ("a.png", "cat", "train"),
        ("b.png", "dog/wolf", "validation"),
    ]
    assert reasons(record) == {
        "there is no such picture": 1,
        "is in the table twice": 1,
        "picture that is not in the table": 1,
        "picture outside of the folder": 1,
    }


def test_values_are_not_labels(tmp_path: Path, pictures: MakePictures, record: Record) -> None:
    names = [f"{number}.png" for number in range(24)]
    pictures(*names)
    table = tmp_path / "t.csv"
    lines = [f'{name},"{number},5"' for number, name in enumerate(names)]
    table.write_text("\n".join(("file,label", *lines)))
    with pytest.raises(DataError, match="has 24 different numbers for 24 pictures"):
        read_label_table(tmp_path, table, record)


HEADER = "filename,width,height,class,xmin,ymin,xmax,ymax\n"


def test_boxes(tmp_path: Path, pictures: MakePictures, record: Record) -> None:
    pictures("a.png", "b.png", "c.png")
    table = tmp_path / "boxes.csv"
    rows = "a.png,40,30,cat,1,2,30,20\na.png,40,30,dog,0,0,5,5\na.png,40,30,cat,1,2,30,20\n"
    rows += "b.png,40,30,cat,1,2,x,20\nb.png,,,cat,1,2,30,20\nz.png,1,1,cat,0,0,1,1\n"
    table.write_text(HEADER + rows)
    assert has_boxes(table)
    data = read_box_table(tmp_path, table, record)
    assert [p.boxes for p in data.pictures] == [
        (Box("cat", 1, 2, 30, 20), Box("dog", 0, 0, 5, 5)),
        (Box("cat", 1, 2, 30, 20),),
    ]
    assert reasons(record) == {
        "row that is there twice": 1,
        "row without a box of four numbers": 1,
        "labels of a picture that is not there": 1,
        "picture that is not in the table": 1,
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEADER + "a.png,40,30\n", "line 2: has 3 cells, expected at least 8"),
        (HEADER + '"a.png,40', "is not CSV"),
        (HEADER + "z.png,40,30,cat,1,2,3,4\n", "names no picture below"),
        ("xmin,ymin,xmax,ymax\n1,2,3,4\n", "has boxes and no column of files"),
    ],
)
def test_tables_that_cannot_be(
    tmp_path: Path, pictures: MakePictures, record: Record, text: str, said: str
) -> None:
    pictures("a.png")
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DataError, match=said):
        read_box_table(tmp_path, tmp_path / "t.csv", record)

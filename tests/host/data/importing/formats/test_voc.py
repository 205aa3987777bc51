from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeinfer.device.core.errors import DataError
from edgeinfer.host.data.importing.formats.voc import parse_annotation, read_voc
from edgeinfer.host.data.importing.found import Box, Record
from tests.host.data.importing.conftest import MakePictures, reasons


def box(label: str = "cat", edges: tuple[object, ...] = (1, 2, 30, 20)) -> str:
    names = ("xmin", "ymin", "xmax", "ymax")
    sides = "".join(f"<{n}>{e}</{n}>" for n, e in zip(names, edges, strict=True))
    return f"<object><name>{label}</name><bndbox>{sides}</bndbox></object>"


def annotation(*objects: str, file: str = "a.png", size: tuple[int, int] = (40, 30)) -> str:
    width, height = size
    return (
        f"<annotation><filename>{file}</filename><size><width>{width}</width><height>{height}"
        f"</height></size>{''.join(objects)}</annotation>"
    )


def test_what_an_annotation_says(record: Record) -> None:
    said = parse_annotation(annotation(box(), box("dog")).encode(), record, "a.xml")
    assert said == ("a.png", (40, 30), (Box("cat", 1, 2, 30, 20), Box("dog", 1, 2, 30, 20)))


def test_a_size_of_0_is_none(record: Record) -> None:
    assert parse_annotation(annotation(size=(0, 0)).encode(), record, "").size is None


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_other_encodings(record: Record, encoding: str) -> None:
    text = annotation(box("Käse")).replace("><", ">\r\n<")
    assert parse_annotation(text.encode(encoding), record, "").boxes[0].label == "Käse"


BOMB = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]><annotation>&y;</annotation>'
OUTSIDE = '<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation/>'


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (BOMB.encode(), "declares a document type"),
        (BOMB.encode("utf-16"), "declares a document type"),
        (OUTSIDE.encode(), "declares a document type"),
        (b"<annotation>", "is not XML"),
        (b"", "is not XML"),
        (b"\xff\xff", "is not XML"),
        (b'<?xml version="1.0" encoding="gbk2"?><annotation/>', "is not XML"),
        (b"<kml/>", "begins with <kml>"),
    ],
)
def test_what_is_not_an_annotation(data: bytes, said: str, record: Record) -> None:
    with pytest.raises(ValueError, match=said):
        parse_annotation(data, record, "")


@pytest.mark.parametrize(
    "thing",
    [
        box(edges=(1, 2, "nan", 20)),
        box(edges=(1, 2, "", 20)),
        box(label=" "),
        "<object><name>cat</name></object>",
        "<object><name>cat</name><polygon/></object>",
    ],
)
def test_objects_without_a_box_are_left_out(thing: str, record: Record) -> None:
    said = parse_annotation(annotation(thing, box("dog")).encode(), record, "a.xml")
    assert [one.label for one in said.boxes] == ["dog"]
    assert reasons(record) == {"object without a box that can be read": 1}


@settings(max_examples=60)
@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=8),
    st.lists(st.text("0123456789.,-e ", max_size=6), min_size=4, max_size=4),
)
def test_any_texts_are_boxes_or_left_out(label: str, edges: list[str]) -> None:
    root = ElementTree.Element("annotation")
    thing = ElementTree.SubElement(root, "object")
    ElementTree.SubElement(thing, "name").text = label
    place = ElementTree.SubElement(thing, "bndbox")
    for name, edge in zip(("xmin", "ymin", "xmax", "ymax"), edges, strict=True):
        ElementTree.SubElement(place, name).text = edge
    record = Record()
    said = parse_annotation(ElementTree.tostring(root), record, "")
    left_out = sum(count for (kind, _), count in record.counts.items() if kind == "left-out")
    assert len(said.boxes) + left_out == 1


def test_splits_and_pictures_that_are_missing(
    tmp_path: Path, pictures: MakePictures, record: Record
) -> None:
    pictures("JPEGImages/1.png", "JPEGImages/2.png", "JPEGImages/3.png", "JPEGImages/4.png")
    for name in ("1", "2", "4", "9"):
        path = tmp_path / "Annotations" / f"{name}.xml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(annotation(box(), file=f"{name}.png" if name != "2" else "7.png"))
    (tmp_path / "Annotations" / "cut.xml").write_text("<annotation><object>")
    lists = tmp_path / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("1\r\n")
    (lists / "val.txt").write_text("2\n")
    (lists / "trainval.txt").write_text("1\n2\n4\n")
    (lists / "cat_val.txt").write_text("1 1\n")
    data = read_voc(tmp_path, record)
    assert [(Path(p.path).stem, p.split) for p in data.pictures] == [
        ("1", "train"),
        ("2", "validation"),
        ("4", "train"),
    ]
    assert reasons(record) == {
        "annotation names another picture; the one with its name is taken": 1,
        "labels of a picture that is not there": 1,
        "file that is not an annotation of Pascal VOC": 1,
        "picture without an annotation": 1,
    }


def test_no_picture_at_all(tmp_path: Path, record: Record) -> None:
    (tmp_path / "a.xml").write_text(annotation(box()))
    with pytest.raises(DataError, match="has 1 XML files, and none belongs to one of its 0 pict"):
        read_voc(tmp_path, record)


def test_real_raccoons(shared_data: Path, record: Record) -> None:
    folder = shared_data / "raccoon"
    data = read_voc(folder, record)
    written = [
        (xml.stem, len(ElementTree.parse(xml).findall("object")))
        for xml in sorted((folder / "annotations").glob("*.xml"))
    ]
    found = [(Path(p.place).stem, len(p.boxes)) for p in data.pictures]
    assert sorted(found) == sorted(written)
    assert len(found) == 200
    assert reasons(record) == {}

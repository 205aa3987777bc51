from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeinfer.device.core.errors import DataError
from edgeinfer.host.data.importing.formats.yolo import parse_yolo, read_yolo
from edgeinfer.host.data.importing.formats.yolo_names import (
    YoloNames,
    parse_yaml,
    read_yolo_names,
)
from edgeinfer.host.data.importing.found import Box, Record
from tests.host.data.importing.conftest import MakePictures, reasons

NAME = st.characters(min_codepoint=32, max_codepoint=0xD7FF)
NAMES = YoloNames({0: "cat", 1: "dog"}, {})


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("names: [cat, 'big dog', \"Käse\"]\n", ["cat", "big dog", "Käse"]),
        ("names:\n- cat\n- 'it''s'\n", ["cat", "it's"]),
        ("names:\n  - cat   # a comment\n  - dog#2\nnc: 2\n", ["cat", "dog#2"]),
        ("names:\n  0: cat\n  1: dog\n", ["cat", "dog"]),
        ("{}names: {{0: cat, 1: 'a, b'}}\n".format("nc: 2\n"), ["cat", "a, b"]),
        ("---\r\n# all\r\nnames: [\r\n  'cat',\r\n  'dog',\r\n]\r\n", ["cat", "dog"]),
        ("\ufeffpath: ../x\nnames: ['cat']\nroboflow:\n  project: x\n  url: http://a/b\n", ["cat"]),
        ("train: a\nval:\n  - b\n  - c\nnames: [a]\nkpt_shape: [17, 3]\n", ["a"]),
    ],
)
def test_names_as_tools_write_them(tmp_path: Path, text: str, names: list[str]) -> None:
    (tmp_path / "data.yaml").write_text(text, newline="")
    said = read_yolo_names(tmp_path / "data.yaml")
    assert list(said.names.values()) == names
    assert said.keypoints == ("kpt" in text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("names: [cat\n", "bracket of line 1 is not closed"),
        ("names: 'cat\n", "quotation mark that is not closed"),
        ("nc: 3\nnames: [a, b]\n", "says nc: 3 and names 2 classes"),
        ("names: []\n", "names 0 classes"),
        ("names: ['']\n", "has no name for class 0"),
        ("names:\n  x: cat\n", "where a class's number is expected"),
        ("nc: 2\n", "names 0 classes"),
        ("names: yes\n", "has no list of names"),
        ("? [a]\n", "which is not understood"),
    ],
)
def test_names_that_cannot_be(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(DataError, match=said):
        read_yolo_names(tmp_path / "data.yaml")


@settings(max_examples=60)
@given(st.text(max_size=60))
def test_any_text_is_yaml_or_an_error_that_says_where(text: str) -> None:
    said = "line "
    try:
        parse_yaml(text)
    except ValueError as error:
        said = str(error)
    assert "line " in said


@settings(max_examples=60)
@given(st.lists(st.text(NAME, max_size=8)))
def test_any_names_come_back(names: list[str]) -> None:
    block = "\n".join(f"  - {json.dumps(name, ensure_ascii=False)}" for name in names)
    flow = ", ".join(json.dumps(name, ensure_ascii=False) for name in names)
    for text in (f"names: [{flow}]", f"names:\n{block}" if names else "names: []"):
        found = parse_yaml(text)
        assert found == {"names": names}


def boxes(tmp_path: Path, text: str, record: Record, names: YoloNames = NAMES) -> list[Box]:
    (tmp_path / "a.txt").write_text(text)
    return list(parse_yolo(tmp_path / "a.txt", names, record, "a.txt"))


def test_boxes_outlines_and_points(tmp_path: Path, record: Record) -> None:
    text = "0 0.5 0.5 0.5 0.25\r\n\n1.0 0,5 0.5 1 1 0.9\n0 0.1 0.2 0.3 0.2 0.2 0.6\n"
    assert boxes(tmp_path, text, record) == [
        ("cat", 0.25, 0.375, 0.75, 0.625),
        ("dog", 0.0, 0.0, 1.0, 1.0),
        ("cat", 0.1, 0.2, 0.3, 0.6),
    ]
    assert reasons(record) == {
        "decimal comma read as a point": 1,
        "confidence behind a box; not used": 1,
        "outline; the box around it is taken": 1,
    }
    pose = NAMES._replace(keypoints=True)
    assert boxes(tmp_path, "0 .5 .5 1 1 0 0 .3 .3", record, pose) == [("cat", 0, 0, 1, 1)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("2 0.5 0.5 0.5 0.5", "line 1: its class is 2, expected one of the 2 that have a name"),
        ("-1 0.5 0.5 0.5 0.5", "its class is -1"),
        ("0.5 0.5 0.5 0.5 0.5", r"its class is 0\.5"),
        ("0 120 80 40 30", "has the number 120, expected shares"),
        ("0 0.5 0.5", "has 2 numbers behind its class"),
        ("0 0.5 0.5 nan 0.5", "'nan' is not a number"),
        ("cat 0.5 0.5 0.5 0.5", "'cat' is not a number"),
    ],
)
def test_lines_that_cannot_be(tmp_path: Path, record: Record, line: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        boxes(tmp_path, line, record)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text("01 .,-e\n", max_size=40))
def test_any_line_is_a_box_or_an_error(tmp_path: Path, text: str) -> None:
    said = "a.txt"
    try:
        for _, left, top, right, bottom in boxes(tmp_path, text, Record()):
            assert all(abs(edge) <= 4 for edge in (left, top, right, bottom))
    except DataError as error:
        said = str(error)
    assert "a.txt" in said


@pytest.mark.parametrize(
    ("layout", "yaml"),
    [
        ("images/{split}/{n}.png labels/{split}/{n}.txt", "train: images/train\nval: images/val\n"),
        ("{split}/images/{n}.png {split}/labels/{n}.txt", "train: ../train/images\nval: /x/val\n"),
        ("{split}/{n}.png {split}/{n}.txt", ""),
    ],
)
def test_layouts(
    tmp_path: Path, pictures: MakePictures, record: Record, layout: str, yaml: str
) -> None:
    picture, text = layout.split()
    for split, numbers in (("train", "12"), ("val", "13")):
        for n in numbers:
            pictures(picture.format(split=split, n=n))
            path = tmp_path / text.format(split=split, n=n)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{'01'[split == 'val']} 0.5 0.5 1 1\n")
    (tmp_path / "data.yaml").write_text(f"{yaml}names: [cat, dog]\n")
    data = read_yolo(tmp_path, record)
    assert [(p.split, p.boxes[0].label) for p in data.pictures] == [
        *[("train", "cat")] * 2,
        *[("validation", "dog")] * 2,
    ]


def test_lists_names_and_pictures_without_boxes(
    tmp_path: Path, pictures: MakePictures, record: Record
) -> None:
    pictures("images/1.png", "images/2.png", "images/3.png")
    (tmp_path / "labels").mkdir()
    for name in ("1", "2", "9"):
        (tmp_path / "labels" / f"{name}.txt").write_text("0 0.5 0.5 1 1\n")
    (tmp_path / "classes.txt").write_text("cat\ndog\n\n")
    data = read_yolo(tmp_path, record)
    assert [len(p.boxes) for p in data.pictures] == [1, 1, 0]
    assert reasons(record) == {
        "picture without a file of boxes; taken as one without objects": 1,
        "labels of a picture that is not there": 1,
        "class without a box": 1,
    }
    (tmp_path / "train.txt").write_text("./images/1.png\n/content/images/2.png\n../nothing.png\n")
    (tmp_path / "data.yaml").write_text("train: train.txt\ntest: /etc\nnames: [cat]\n")
    data = read_yolo(tmp_path, Record())
    assert [p.split for p in data.pictures] == ["train", "train", None]


def test_without_names(tmp_path: Path, pictures: MakePictures, record: Record) -> None:
    pictures("1.png")
    (tmp_path / "1.txt").write_text("0 0.5 0.5 1 1\n")
    with pytest.raises(DataError, match=r"put a classes\.txt there"):
        read_yolo(tmp_path, record)
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(f"names: [{name[0]}]\n")
    with pytest.raises(DataError, match=r"names its classes in 2 files: a\.yaml, b\.yaml"):
        read_yolo(tmp_path, record)

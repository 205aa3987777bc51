"""Pictures and their values from tables and names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import DataError, EdgeinferError, UsageError
from edgeinfer.host.data.labels.measured.value_table import read_value_table
from edgeinfer.host.data.labels.measured.values import ValueLayout, ValueSource, find_values


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "gauges"
    folder.mkdir()
    for name in ("1.jpg", "2.jpg", "3.jpg"):
        (folder / name).write_bytes(b"not read yet")
    return folder


def found(root: Path, text: str, *targets: str, name: str = "t.csv", **more: object) -> ValueLayout:
    table = root / name
    table.write_bytes(text.encode("utf-8-sig"))
    return find_values(root, ValueSource(table=table, targets=targets, **more))  # type: ignore[arg-type]


def values(layout: ValueLayout) -> dict[str, tuple[float, ...]]:
    return {Path(file.path).name: file.values for file in layout.files}


PLAIN = {"1.jpg": (1.5,), "2.jpg": (2.25,)}


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("file,value\n1.jpg,1.5\n2.jpg,2.25\n", ""),
        ("file;pressure (bar)\n1.jpg;1,5\n2.jpg;2,25\n", "bar"),
        ("1.jpg;1,5\n2.jpg;2,25\n", ""),
        ("image\tweather\treading [bar]\n1.jpg\tsun\t1.5\n2.jpg\train\t2.25\n", "bar"),
        ('file,note,p\n1.jpg,x,"1,5 bar"\n2.jpg,y,"2,25 bar"\n', "bar"),
        ("what,p\n1.jpg,1.5\n2.jpg,2.25\n", ""),
    ],
)
def test_tables_of_many_kinds(root: Path, text: str, unit: str) -> None:
    layout = found(root, text)
    assert values(layout) == PLAIN
    assert layout.units == (unit,)


@pytest.mark.parametrize(
    "content",
    [
        {"1.jpg": 1.5, "2.jpg": 2.25},
        {"1.jpg": "1,5 bar", "2.jpg": "2,25 bar"},
        [{"file": "1.jpg", "value": 1.5}, {"value": 2.25, "file": "2.jpg"}],
        {"images": [{"file": "1.jpg", "p": 1.5, "note": "x"}, {"file": "2.jpg", "p": 2.25}]},
    ],
)
def test_json(root: Path, content: object) -> None:
    assert values(found(root, json.dumps(content), name="t.json")) == PLAIN


TWO = "file,flow (l),angle (deg),split\n1.jpg,1,350,train\n2.jpg,2,10,test\n"


def test_several_columns_are_named(root: Path) -> None:
    layout = found(root, TWO, "angle", "flow")
    assert (layout.names, layout.units) == (("angle", "flow"), ("deg", "l"))
    assert values(layout) == {"1.jpg": (350.0, 1.0), "2.jpg": (10.0, 2.0)}
    assert [file.split for file in layout.files] == ["train", "test"]
    with pytest.raises(
        DataError, match=r"2 columns of numbers, flow \(l\), angle .*--target 'flow'"
    ):
        found(root, TWO)
    with pytest.raises(DataError, match=r"no column 'angel'.*did you mean"):
        found(root, TWO, "angel")


def test_json_lists_are_several_values(root: Path) -> None:
    text = json.dumps({"1.jpg": [1, 350], "2.jpg": [2, 10]})
    layout = found(root, text, "value 0", "value 1", name="t.json")
    assert values(layout) == {"1.jpg": (1.0, 350.0), "2.jpg": (2.0, 10.0)}


def test_what_is_left_out_is_said_once(root: Path) -> None:
    text = "file,value\n1.jpg,1\n1.jpg,1.0\n2.jpg,\n8.jpg,3\n9.jpg,4\n"
    layout = found(root, text)
    assert values(layout) == {"1.jpg": (1.0,)}
    details = sorted(finding.detail for finding in layout.findings)
    assert details == [
        "has no line for 2 pictures of the folder, such as 2.jpg",
        "line 3 (1.jpg) is in the table twice, with the same value",
        "line 4 (2.jpg) has no value",
        "line 5 (8.jpg) there is no such picture, and 1 more line",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,value\n1.jpg,1\n1.jpg,2\n", r"line 3.* gives 1\.jpg 2, line 2 1"),
        ("file,value\n1.jpg,1 bar\n2.jpg,2 m\n", r"1 in bar and 1 in m"),
        ("file,value\n8.jpg,1\n", r"gives no picture of .* a value: line 2 \(8\.jpg\) there is no"),
        ("file,value\n1.jpg,3,4\n", r"line 2.* has 3 cells, expected 2.*semicolons"),
        ("file,value\n1.jpg,\n", r"no column of numbers|gives no picture"),
        ("file,colour\n1.jpg,red\n", r"no column of numbers among file, colour"),
        ("a,b\n1,2\n", r"none of them is known to name files"),
        ("", r"has no rows"),
    ],
)
def test_tables_that_cannot_be_used(root: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        found(root, text)


def test_a_unit_that_the_user_says_is_converted_to(root: Path) -> None:
    text = "file,p (kPa)\n1.jpg,150\n2.jpg,225\n"
    layout = found(root, text, units=("bar",))
    assert (values(layout), layout.units) == (PLAIN, ("bar",))
    assert "2 of 2 values of 'p' are in kPa" in layout.findings[0].detail
    with pytest.raises(UsageError, match="3 units for 1 values"):
        found(root, text, units=("a", "b", "c"))


def test_values_in_names(tmp_path: Path) -> None:
    for name in ("train/a_0,5.jpg", "train/b_1.5.jpg", "test/c_2.jpg", "train/cat.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    layout = find_values(tmp_path, ValueSource(pattern="*_{value}", units=("bar",)))
    assert values(layout) == {"a_0,5.jpg": (0.5,), "b_1.5.jpg": (1.5,), "c_2.jpg": (2.0,)}
    assert [file.split for file in layout.files] == ["test", "train", "train"]
    assert layout.units == ("bar",)
    assert [one.path for one in layout.findings] == ["train/cat.jpg"]
    with pytest.raises(DataError, match=r"none of its 4 pictures"):
        find_values(tmp_path, ValueSource(pattern="x{value}"))
    with pytest.raises(UsageError, match="--target: 'p' is not a part"):
        find_values(tmp_path, ValueSource(pattern="*_{value}", targets=("p",)))


def test_without_values_the_error_shows_the_way(root: Path) -> None:
    with pytest.raises(DataError, match="--labels-csv, or say where"):
        find_values(root, ValueSource())
    for number in range(3):
        (root / f"{number}.jpg").unlink(missing_ok=True)
        (root / f"0{number}_{number}.5.jpg").write_bytes(b"")
    (root / "3.jpg").unlink()
    with pytest.raises(DataError, match=r"--name-pattern '\*_\{value\}'"):
        find_values(root, ValueSource())
    (root / "t.csv").write_text("")
    with pytest.raises(DataError, match=r"add --labels-csv .*t\.csv"):
        find_values(root, ValueSource())


@pytest.mark.parametrize("text", ["\x00", "[", '{"a": {}}', "[1, 2]", 'file,value\n"1.jpg,1\n'])
def test_broken_tables_are_errors(root: Path, text: str) -> None:
    path = root / "t.json"
    path.write_text(text)
    with pytest.raises(EdgeinferError):
        read_value_table(path)

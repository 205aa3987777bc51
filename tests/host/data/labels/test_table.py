from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeinfer.device.core.errors import DataError
from edgeinfer.host.data.labels import table as table_module
from edgeinfer.host.data.labels.table import read_table

CAT_AND_DOG = [("1.jpg", "cat", None), ("2.jpg", "dog", None)]


def rows_of(path: Path) -> list[tuple[str, str, str | None]]:
    return [(row.file, row.label, row.split) for row in read_table(path)]


@pytest.mark.parametrize(
    "content",
    [
        b"file,label\n1.jpg,cat\n2.jpg,dog\n",
        b"\xef\xbb\xbffilename;class\r\n1.jpg;cat\r\n2.jpg;dog\r\n",
        b"image_path\tcategory\n1.jpg\tcat\n2.jpg\tdog",
        b"label,Image Name\ncat,1.jpg\ndog,2.jpg\n",
        b"id,breed\n1.jpg,cat\n2.jpg,dog\n",
        b"1.jpg,cat\n2.jpg,dog\n",
        b"cat;1.jpg\ndog;2.jpg\n",
        b'"file","label"\n"1.jpg","cat"\n\n"2.jpg"," dog "\n',
        b"filename,width,height,class,xmin\n1.jpg,3,4,cat,0\n2.jpg,3,4,dog,1\n",
        b"filename, cat, dog\n1.jpg, 1, 0\n2.jpg, 0, 1\n",
        "file,label\n1.jpg,cat\n2.jpg,dog\n".encode("utf-16"),
    ],
)
def test_a_csv_of_any_usual_kind(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "labels.csv").write_bytes(content)
    assert rows_of(tmp_path / "labels.csv") == CAT_AND_DOG


@pytest.mark.parametrize(
    "content",
    [
        '{"1.jpg": "cat", "2.jpg": "dog"}',
        '[{"file": "1.jpg", "label": "cat"}, {"file": "2.jpg", "label": "dog"}]',
        '{"images": [{"path": "1.jpg", "class": "cat"}, {"path": "2.jpg", "class": "dog"}]}',
        '{"file_name": "1.jpg", "category": "cat"}\n{"file_name": "2.jpg", "category": "dog"}\n',
        '{"1.jpg": {"label": "cat"}, "2.jpg": {"label": "dog"}}',
    ],
)
@pytest.mark.parametrize("name", ["labels.json", "labels.txt"])
def test_json_of_any_usual_kind(tmp_path: Path, content: str, name: str) -> None:
    (tmp_path / name).write_text(content)
    assert rows_of(tmp_path / name) == CAT_AND_DOG


def test_splits_and_numbers(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("file,label,split\n1.jpg,7,train\n2.jpg,8,\n")
    assert rows_of(path) == [("1.jpg", "7", "train"), ("2.jpg", "8", None)]
    path = tmp_path / "labels.json"
    path.write_text('[{"file": "1.jpg", "label": 7, "set": "val"}]')
    assert rows_of(path) == [("1.jpg", "7", "val")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has no rows"),
        (b"file,label\n", "has no rows"),
        (b"what,which,why\n1,2,3\n", "none of them is known to name files"),
        (b"file,a,b\n1.jpg,x,y\n", "none of them is known to hold labels"),
        (b"file,cat,dog\n1.jpg,1,1\n", "line 2: gives 1.jpg 2 labels"),
        (b"file,size,label\n1.jpg,3,cat\n2.jpg\n", "line 3: has 1 cell"),
        (b"1.jpg,3,cat\n", "has 3 columns without names"),
        (b"1.jpg\n2.jpg\n", "has 1 column without names"),
        (b'file,label\n"1.jpg,cat\n', "is not CSV"),
        (b"file,label\n1.jpg,cat\n\xff\xfe.jpg,dog\n", "line 3: is not UTF-8 text"),
        (b"PK\0\0", "is not a text file"),
        (b"{", "is not JSON"),
        (b"[1, 2]", "entry 1: does not give a file"),
        (b'[{"file": "1.jpg", "label": ["cat", "dog"]}]', "entry 1: does not give one label"),
        (b'{"file": "1.jpg", "label": "cat"}\nno\n', "line 2: is not JSON"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_not_understood_is_named_by_its_line(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_table(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_what_is_not_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read_table(tmp_path / "gone.csv")
    with pytest.raises(DataError, match="is a folder"):
        read_table(tmp_path)
    path = tmp_path / "labels.csv"
    path.write_text("file,label\n1.jpg,cat\n")
    monkeypatch.setattr(table_module, "MAX_TABLE_BYTES", 10)
    with pytest.raises(DataError, match="MiB large"):
        read_table(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | st.text(alphabet='{}[]":,;\t\n1a.jpg', max_size=80))
def test_any_content_is_read_or_refused(tmp_path: Path, content: bytes | str) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        rows = read_table(path)
    except DataError:
        return
    assert rows

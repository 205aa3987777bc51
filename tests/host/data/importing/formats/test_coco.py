from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeinfer.device.core.errors import DataError
from edgeinfer.host.data.importing.formats.coco import find_coco, read_coco
from edgeinfer.host.data.importing.found import Box, Record
from tests.host.data.importing.conftest import MakePictures, reasons


def coco(**changes: Any) -> dict[str, Any]:
    return {
        "images": [{"id": 1, "file_name": "a.png", "width": 40, "height": 30}],
        "categories": [{"id": 7, "name": "cat"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 7, "bbox": [1, 2, 30, 20]}],
    } | changes


def write(path: Path, content: object, *, encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(json.dumps(content).encode(encoding))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_boxes(tmp_path: Path, pictures: MakePictures, record: Record, encoding: str) -> None:
    pictures("a.png")
    write(tmp_path / "all.json", coco(), encoding=encoding)
    (picture,) = read_coco(tmp_path, record).pictures
    assert picture.boxes == (Box("cat", 1, 2, 31, 22),)
    assert (picture.size, picture.split) == ((40, 30), None)
    assert reasons(record) == {}


def test_splits_and_files_of_other_kinds(
    tmp_path: Path, pictures: MakePictures, record: Record
) -> None:
    pictures("train2017/a.png", "val2017/b.png")
    images = [{"id": 1, "file_name": "b.png"}]
    write(tmp_path / "annotations" / "instances_train2017.json", coco())
    write(tmp_path / "annotations" / "instances_val2017.json", coco(images=images))
    write(tmp_path / "annotations" / "captions_val2017.json", {})
    assert [p.split for p in read_coco(tmp_path, record).pictures] == ["train", "validation"]


def test_what_is_left_out(tmp_path: Path, pictures: MakePictures, record: Record) -> None:
    pictures("a.png", "extra.png")
    images = [{"id": 1, "file_name": "../x/a.png"}, {"id": 2, "file_name": "/etc/passwd"}]
    one = {"id": 1, "image_id": 1, "category_id": 7}
    annotations = [
        {**one, "bbox": [0, 0, 5, 5], "iscrowd": 1},
        {**one, "bbox": [0, 0, 5]},
        {**one, "bbox": [0, 0, "5", 5]},
        {**one, "segmentation": [[1, 2, 3, 4, 5, 6]]},
        {**one, "image_id": 9, "bbox": [0, 0, 5, 5]},
    ]
    write(tmp_path / "all.json", coco(images=images, annotations=annotations))
    (picture,) = read_coco(tmp_path, record).pictures
    assert (Path(picture.path).name, picture.boxes) == ("a.png", ())
    assert reasons(record) == {
        "box around a crowd; not used": 1,
        "annotation without a box of four numbers": 3,
        "annotation of a picture that is not listed": 1,
        "labels of a picture that is not there": 1,
        "picture without an annotation": 1,
        "class without a box": 1,
    }


TWO = [{"id": 1, "file_name": "a.png"}, {"id": 1, "file_name": "b.png"}]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "is not an object"),
        ({}, "has no list of objects 'images'"),
        (coco(images=[1]), "has no list of objects 'images'"),
        (coco(images=TWO), "two entries of 'images' have the id 1"),
        (coco(images=[{"id": [1], "file_name": "a.png"}]), "has a id that is not a number"),
        (coco(images=[{"file_name": "a.png"}]), "has no id"),
        (coco(images=[{"id": 1}]), "image 1 has no file_name"),
        (coco(images=[{"id": 1, "file_name": "b.png"}]), "none of the pictures that all.json"),
        (coco(categories=[{"id": 8, "name": "cat"}]), "has the category 7, expected one of the 1"),
        (coco(categories=[{"id": 7, "name": " "}]), "category 7 has no name"),
    ],
)
def test_files_that_contradict_themselves(
    tmp_path: Path, pictures: MakePictures, record: Record, content: object, said: str
) -> None:
    pictures("a.png")
    write(tmp_path / "all.json", content)
    with pytest.raises(DataError, match=said):
        read_coco(tmp_path, record)


@pytest.mark.parametrize("text", ["{", '{"a": NaN}', "[" * 100_000, '{"a": 1e999}', ""])
def test_json_that_cannot_be(tmp_path: Path, record: Record, text: str) -> None:
    (tmp_path / "all.json").write_text(text)
    with pytest.raises(DataError, match="is not JSON that can be read"):
        read_coco(tmp_path, record)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.floats(-9, 9) | st.sampled_from(["a.png"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "image_id", "category_id", "bbox", "name", "file_name"]), inner
        )
    ),
    max_leaves=8,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(["images", "annotations", "categories"]), JSON))
def test_any_json_is_read_or_an_error(tmp_path: Path, changes: dict[str, Any]) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    write(tmp_path / "all.json", coco(**changes))
    said = str(tmp_path)
    try:
        read_coco(tmp_path, Record())
    except DataError as error:
        said = str(error)
    assert str(tmp_path) in said


def test_the_log_of_an_import_is_not_coco(tmp_path: Path) -> None:
    write(tmp_path / "import.json", {})
    write(tmp_path / "boxes.json", {})
    assert [path.name for path in find_coco(tmp_path)] == ["boxes.json"]

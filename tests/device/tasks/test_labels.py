"""Label files in their formats, inside a model and next to it; the background counted once."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.tasks.labels import (
    MAX_CLASS,
    MAX_LABEL_FILE_BYTES,
    UNNAMED,
    fit_labels,
    labels_in_file,
    labels_in_model,
    named,
    parse_labels,
    read_label_file,
)
from edgeinfer.device.tflite.metadata.zip_behind import MAX_ZIP_MEMBERS
from edgeinfer.device.tflite.reader import read_tflite
from tests.device.tflite_examples import dense_model, encode
from tests.support.growth import assert_linear

LABEL_MAP = """
item {
  name: "/m/01g317"
  id: 1
  display_name: "person"
}
item { id: 3
  name: 'car' }
"""


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("cat\ndog\n", ("cat", "dog")),
        ("cat\r\n dog \r\n\r\n", ("cat", "dog")),
        ("cat\n\ndog", ("cat", "", "dog")),
        ("0 cat\n1 dog", ("cat", "dog")),
        ("0  person\n1  bicycle\n3  car\n", ("person", "bicycle", UNNAMED, "car")),
        ("1: cat\n2: dog", (UNNAMED, "cat", "dog")),
        ("0, cat, tabby\n1, dog", ("cat, tabby", "dog")),
        ("7 up\n8 ball", ("7 up", "8 ball")),
        ("1 cat\n1 dog", ("1 cat", "1 dog")),
        (f"0 cat\n{MAX_CLASS + 1} dog", ("0 cat", f"{MAX_CLASS + 1} dog")),
        (LABEL_MAP, (UNNAMED, "person", UNNAMED, "car")),
        ("item {", ()),
        ("", ()),
        ("item { id: 1 name: 'a}b{' } item { id: 2 name: 'c' }", (UNNAMED, "a}b{", "c")),
        ("# don't: item { id: 0 name: 'x' }\nitem { id: 1 name: 'cat' }", (UNNAMED, "cat")),
        ("item { id: 1 item { id: 0 name: 'cat' }", ("cat",)),
        ("item { name: 'man' id: 0 keypoints { id: 7 name: 'nose' } }", ("man",)),
        ("item { id: '\u00b2' name: 'x' }", ()),
        (f"item {{ id: '{'9' * 5000}' name: 'x' }}", ()),
        ("item { id: 999999999 name: 'x' }", ()),
    ],
)
def test_label_files(text: str, labels: tuple[str, ...]) -> None:
    assert parse_labels(text) == labels


@given(st.text(alphabet="item {}:id name'\"\n 019,", max_size=200))
def test_any_text_gives_labels_or_none(text: str) -> None:
    assert len(parse_labels(text)) <= MAX_CLASS + 1


@pytest.mark.parametrize(
    "unit",
    ["item{", "item {id:1 name:'", "item{{", 'name:"', "item ", "id : ", "1 \t", "1:\n", "{}", "'"],
)
@pytest.mark.parametrize("end", ["", "}", "item{}", "'"])
def test_time_grows_with_a_file_not_with_its_square(unit: str, end: str) -> None:
    assert_linear(parse_labels, lambda size: unit * (size // len(unit)) + end, MAX_LABEL_FILE_BYTES)


def test_label_file_that_is_read_from_outside(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(b"\xef\xbb\xbfcat\r\ndog\r\n")
    assert read_label_file(path) == ("cat", "dog")
    for content, said in (
        (b"", "is empty"),
        (b"\xff", "cannot be read"),
        (b"item {", "no class"),
        (b"x" * 9000, "of 9,000 char"),
    ):
        path.write_bytes(content)
        with pytest.raises(ModelError, match=said):
            read_label_file(path)
    with pytest.raises(ModelError, match="has more than"):
        read_label_file(Path("/dev/zero"))


def test_labels_that_fit_stay_as_they_are() -> None:
    assert fit_labels(("cat", "dog"), 2, subject="x") == (("cat", "dog"), None)
    assert fit_labels(("background", "cat"), 2, subject="x") == (("background", "cat"), None)


def test_a_files_background_is_not_a_class_of_a_model_without_one() -> None:
    labels, note = fit_labels(("background", "cat", "dog"), 2, subject="x")
    assert labels == ("cat", "dog")
    assert note is not None
    assert "no class 'background'" in note


def test_imagenet_models_may_count_a_background_that_the_file_leaves_out() -> None:
    thousand = tuple(f"name {i}" for i in range(1000))
    labels, note = fit_labels(thousand, 1001, subject="x")
    assert labels == ("background", *thousand)
    assert note is not None


def test_no_other_difference_is_guessed_away() -> None:
    for labels, classes in ((("cat", "dog"), 3), (("cat", "dog", "cow"), 2), (("cat",) * 9, 2)):
        with pytest.raises(ModelError, match=f"{len(labels)} labels for {classes} outputs"):
            fit_labels(labels, classes, subject="x")


def test_a_remark_below_the_labels_is_none() -> None:
    file = parse_labels("background\ncat\n\nand 255 is the ignore label")
    assert fit_labels(file, 2, subject="x") == (("background", "cat"), None)


def test_classes_without_a_name_are_numbered() -> None:
    assert named(("cat", "", UNNAMED)) == ("cat", "class 1", "class 2")


def with_zip(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO(encode(dense_model()))
    with zipfile.ZipFile(stream, "a", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def test_labels_behind_the_model() -> None:
    data = with_zip(
        {
            "labels-de.txt": b"Katze\nHund\n",
            "labels.txt": "\ufeffcat\r\n dog \r\n\r\n".encode(),
            "vocabulary.txt": b"none",
        }
    )
    assert labels_in_model(data) == ("cat", "dog")
    assert labels_in_file(data, ["absent.txt", "labels-de.txt"], subject="x") == ("Katze", "Hund")
    assert labels_in_file(data, ["other.txt"], subject="x") is None
    plain = read_tflite(encode(dense_model()), subject="x")
    assert read_tflite(data, subject="x") == plain, "the ZIP is not the model's"


def test_models_without_labels() -> None:
    assert labels_in_model(encode(dense_model())) is None
    assert labels_in_model(with_zip({"readme.txt": b"hello"})) is None
    assert labels_in_model(with_zip({"labels.txt": b"\n\n"})) is None
    assert labels_in_model(b"") is None


def test_labels_of_a_real_model(shared_data: Path) -> None:
    data = (shared_data / "coral" / "tf2_mobilenet_v2_1.0_224_ptq.tflite").read_bytes()
    labels = labels_in_model(data)
    assert labels is not None
    assert (len(labels), labels[0], labels[286]) == (1001, "background", "Egyptian cat")


def test_hostile_labels_are_refused() -> None:
    bomb = with_zip({"labels.txt": bytes(20 * MAX_LABEL_FILE_BYTES)})
    assert len(bomb) < MAX_LABEL_FILE_BYTES // 10
    with pytest.raises(ModelError, match=f"it has more than {MAX_LABEL_FILE_BYTES} bytes"):
        labels_in_model(bomb)
    with pytest.raises(ModelError, match="it is not UTF-8 text"):
        labels_in_model(with_zip({"labels.txt": b"\xff\xfe"}))
    with pytest.raises(ModelError, match="its label map names no class"):
        labels_in_model(with_zip({"labels.txt": b"item{" * 9}))
    with pytest.raises(ModelError, match="it has a class name of 9,000 characters"):
        labels_in_model(with_zip({"labels.txt": b"cat\n" + b"x" * 9000}))
    many = with_zip({f"{number}.txt": b"" for number in range(MAX_ZIP_MEMBERS + 1)})
    with pytest.raises(ModelError, match="has more than 1,000 files"):
        labels_in_model(many)


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_labels_of_a_compression_that_unpacks_without_bounds_are_refused(compression: int) -> None:
    bomb = with_zip({"labels.txt": bytes(2**26)}, compression)
    with pytest.raises(ModelError, match="not stored and not deflated"):
        labels_in_model(bomb)


@given(
    changes=st.lists(st.tuples(st.integers(1, 300), st.integers(0, 255)), min_size=1, max_size=4)
)
def test_damaged_labels_raise_only_model_errors(changes: list[tuple[int, int]]) -> None:
    data = bytearray(with_zip({"labels.txt": b"cat\ndog\nbird\n" * 5}))
    for back, value in changes:
        data[-back] = value
    try:
        labels = labels_in_model(bytes(data))
    except ModelError:
        return
    assert labels is None or len(labels) > 0

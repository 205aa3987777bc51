"""Pictures with boxes are read from each layout, checked, and split."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeinfer.converters.tasks.detection.target import BoxesTarget, TrueBox
from edgeinfer.device.core.errors import DataError
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.data.dataset import DataOptions
from edgeinfer.host.data.folders.findings import LeftOutError
from edgeinfer.host.tasks.detection.boxes import find_boxes
from edgeinfer.host.tasks.detection.task import TASK
from tests.host.tasks.detection.boxed_pictures import CAT, DOG, Box, coco, picture, voc, yolo

EXPECTED = BoxesTarget((TrueBox(0, 0.1, 0.1, 0.5, 0.6), TrueBox(1, 0.5, 0.25, 1.0, 1.0)))


@pytest.mark.parametrize("layout", ["voc", "yolo", "coco"])
def test_each_layout_gives_the_same_targets(tmp_path: Path, layout: str) -> None:
    kinds: list[list[Box]] = [[CAT, DOG], [CAT], []]
    pictures = {f"p{n:02}": kinds[n % 3] for n in range(40)}
    for number, (name, boxes) in enumerate(pictures.items()):
        if layout == "voc":
            voc(tmp_path, name, boxes, number)
        elif layout == "yolo":
            yolo(tmp_path, name, boxes, number)
    if layout == "coco":
        coco(tmp_path, pictures)
    data = TASK.prepare(tmp_path, DataOptions())
    assert data.labels == ("cat", "dog")
    sizes = {split: len(samples) for split, samples in data.splits.items()}
    assert sizes == {"train": 34, "validation": 3, "test": 3}
    found = {Path(s.source).stem: s.target for part in data.splits.values() for s in part}
    assert found["p00"] == EXPECTED
    assert found["p01"] == BoxesTarget(EXPECTED.things[:1])
    assert found["p02"] == BoxesTarget()
    assert all(any(s.target.things for s in part) for part in data.splits.values())


def test_a_model_names_the_classes(tmp_path: Path) -> None:
    voc(tmp_path, "a", [DOG], 0)
    samples = TASK.find(tmp_path, Said(labels=("fox", "dog")))
    assert [sample.target.labels.tolist() for sample in samples] == [[1]]
    with pytest.raises(DataError, match="has boxes of 'dog', expected labels of the model"):
        TASK.find(tmp_path, Said(labels=("fox", "cat")))


def findings(root: Path) -> dict[str, set[tuple[str, str]]]:
    """Return what was found, by kind: the file and the reason."""
    try:
        found = TASK.prepare(root, DataOptions()).findings
    except DataError as error:
        cause = error.__cause__
        assert isinstance(cause, LeftOutError)
        found = cause.findings
    kinds: dict[str, set[tuple[str, str]]] = {}
    for one in found:
        kinds.setdefault(one.kind, set()).add((Path(one.path).stem, one.detail))
    return kinds


def test_faults_are_named_by_file(tmp_path: Path) -> None:
    for number in range(12):
        voc(tmp_path, f"good{number:02}", [CAT], number)
    voc(tmp_path, "empty", [CAT, ("cat", 5, 5, 5, 9)], 20)
    voc(tmp_path, "outside", [CAT, ("cat", 50, 5, 60, 9)], 21)
    voc(tmp_path, "flipped", [("cat", 20, 12, 4, 2)], 22)
    voc(tmp_path, "cut", [("cat", 4, 2, 60, 12)], 23)
    voc(tmp_path, "twice", [CAT, CAT], 24)
    voc(tmp_path, "nan", [("cat", float("nan"), 2, 3, 4)], 25)
    voc(tmp_path, "copy", [CAT], 0)
    voc(tmp_path, "elsewhere", [("cat", 20, 2, 36, 12)], 1)
    voc(tmp_path, "another", [DOG], 2)
    kinds = findings(tmp_path)
    ignored = {name: detail.partition(":")[0] for name, detail in kinds["ignored"]}
    assert ignored == {
        "empty": "empty box",
        "outside": "box outside of its picture",
        "twice": "box that is written twice",
        "nan": "object without a box that can be read",
    }
    warned = {name: detail.partition(":")[0] for name, detail in kinds["warning"]}
    assert warned["flipped"] == "box with its edges in the wrong order; swapped"
    assert warned["cut"] == "box reaches over the edge of its picture; cut there"
    assert "its boxes are in other places" in warned["good01"] + warned.get("elsewhere", "")
    copies = {name for name, _ in kinds["duplicate"]}
    assert copies == {"good00", "good01"}, "the first by name is kept"
    assert {name for name, _ in kinds["conflict"]} == {"good02", "another"}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("classes", "says what whole pictures show"),
        ("no boxes", "none of its 3 pictures has a box that can be used"),
        ("few", "has 3 usable pictures with boxes, expected at least 10"),
        ("zip", "is packed, expected a folder"),
        ("bomb", "none belongs to one of its"),
    ],
)
def test_data_that_cannot_be_used(tmp_path: Path, kind: str, words: str) -> None:
    root = tmp_path
    for number in range(3):
        if kind == "classes":
            picture(root / "cat" / f"{number}.png", number)
            picture(root / "dog" / f"{number}.png", 10 + number)
        else:
            voc(root, str(number), [] if kind == "no boxes" else [CAT], number)
            if kind == "bomb":
                xml = root / "Annotations" / f"{number}.xml"
                xml.write_text('<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>')
    if kind == "zip":
        import zipfile

        root = tmp_path / "data.zip"
        with zipfile.ZipFile(root, "w") as archive:
            archive.writestr("a/b.txt", "x")
    with pytest.raises(DataError) as caught:
        TASK.prepare(root, DataOptions())
    assert words in str(caught.value)


def test_classes_without_a_box_are_noted(tmp_path: Path) -> None:
    for number in range(12):
        yolo(tmp_path, f"{number:02}", [CAT], seed=number)
    layout = find_boxes(tmp_path)
    assert layout.labels == ("cat",)
    assert [(one.kind, one.path, one.detail) for one in layout.findings] == [
        ("note", "data.yaml", "class without a box: dog")
    ]


@pytest.mark.parametrize(
    "place",
    ["boxes.json", "annotations/all.json", "annotations/instances_train.json", "train/x.json"],
)
@pytest.mark.parametrize("part", [0.3, 0.5, 0.9])
def test_a_coco_file_that_is_cut_is_named(tmp_path: Path, place: str, part: float) -> None:
    coco(tmp_path, {f"p{number:02}": [CAT] for number in range(12)})
    (whole,) = tmp_path.glob("*.json")
    text = whole.read_text()
    whole.unlink()
    file = tmp_path / place
    file.parent.mkdir(exist_ok=True)
    file.write_text(text[: int(part * len(text))])
    with pytest.raises(DataError, match="is not JSON") as caught:
        find_boxes(tmp_path)
    assert caught.value.subject.startswith(str(file))


def test_a_table_that_is_named_is_not_replaced_by_a_coco_file(tmp_path: Path) -> None:
    coco(tmp_path, {f"p{number:02}": [CAT] for number in range(12)})
    table = tmp_path / "labels.csv"
    table.write_text("file,label\n" + "".join(f"p{number:02}.png,cat\n" for number in range(12)))
    with pytest.raises(DataError, match="says what whole pictures show"):
        find_boxes(tmp_path, table)


def test_empty_texts_are_pictures_without_a_box(tmp_path: Path) -> None:
    for number in range(40):
        yolo(tmp_path, f"a{number:02}", [], seed=number)
    with pytest.raises(DataError, match="none of its 40 pictures has a box that can be used"):
        find_boxes(tmp_path)
    (tmp_path / "labels" / "a00.txt").unlink()
    (tmp_path / "labels" / "a00.txt").symlink_to(tmp_path / "nowhere")
    yolo(tmp_path, "z", [CAT], seed=40)
    assert sum(len(file.target.things) for file in find_boxes(tmp_path).files) == 1


def test_a_folder_without_any_box_says_what_is_expected(tmp_path: Path) -> None:
    for number in range(12):
        picture(tmp_path / "images" / f"{number}.png", number)
    with pytest.raises(DataError, match=r"has no boxes in a layout that is known.*--labels-csv"):
        find_boxes(tmp_path)

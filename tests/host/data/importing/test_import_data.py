"""Whole imports: each layout in, folders out, and nothing where something is wrong."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.pictures.decode import read_image
from edgeinfer.host.data.folders.folder import find_layout
from edgeinfer.host.data.importing import write
from edgeinfer.host.data.importing.found import Record
from edgeinfer.host.data.importing.import_data import Imported, ImportSettings, import_data
from tests.host.data.importing.conftest import MakePictures, reasons

VOC = (
    "<annotation><object><name>{}</name><bndbox><xmin>5</xmin><ymin>6</ymin><xmax>25</xmax>"
    "<ymax>26</ymax></bndbox></object></annotation>"
)


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def zipped(path: Path, folder: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
    return path


@pytest.fixture
def boxes(tmp_path: Path, pictures: MakePictures) -> Path:
    """A folder in Pascal VOC with a cat and a dog for each of two splits."""
    for split in ("train", "valid"):
        for label in ("cat", "dog"):
            pictures(f"voc/{split}/{label}.png")
            (tmp_path / "voc" / split / f"{label}.xml").write_text(VOC.format(label))
    return tmp_path / "voc"


def run(source: Path, out: Path, **wishes: object) -> Imported:
    return import_data(source, out, ImportSettings(**wishes))  # type: ignore[arg-type]


def test_boxes_become_one_form_and_that_is_read_again(boxes: Path, tmp_path: Path) -> None:
    imported = run(boxes, tmp_path / "out")
    names = [f"pictures/{s}/{n}.png" for s in ("train", "validation") for n in ("cat", "dog")]
    assert files(tmp_path / "out") == ["boxes.json", "import.json", *names]
    assert (imported.boxes, imported.pictures) == (True, 4)
    said = json.loads((tmp_path / "out" / "boxes.json").read_text())
    assert said["images"][0] == {
        "id": 1,
        "file_name": "pictures/train/cat.png",
        "width": 40,
        "height": 30,
        "split": "train",
    }
    assert said["categories"] == [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    assert [a["bbox"] for a in said["annotations"]] == [[5, 6, 20, 20]] * 4
    again = run(tmp_path / "out", tmp_path / "again")
    assert again.counts == imported.counts
    assert json.loads((tmp_path / "again" / "boxes.json").read_text()) == said


def test_crops_are_what_is_in_the_boxes(tmp_path: Path, record: Record) -> None:
    pixels = np.zeros((30, 40, 3), np.uint8)
    pixels[6:26, 5:25] = 200
    (tmp_path / "voc").mkdir()
    assert cv2.imwrite(str(tmp_path / "voc" / "a.png"), pixels)
    (tmp_path / "voc" / "a.xml").write_text(VOC.format("spot"))
    run(tmp_path / "voc", tmp_path / "out", crops=True)
    part = read_image(tmp_path / "out" / "spot" / "a.jpg")
    assert part.shape == (20, 20, 3)
    assert part.min() > 190
    run(tmp_path / "voc", tmp_path / "wide", crops=True, margin=0.5)
    part = read_image(tmp_path / "wide" / "spot" / "a.jpg")
    assert part.shape == (30, 35, 3)


def test_crops_can_be_trained_from(boxes: Path, tmp_path: Path) -> None:
    run(boxes, tmp_path / "out", crops=True)
    layout = find_layout(tmp_path / "out", to_train=False)
    assert (layout.labels, layout.splits) == (("cat", "dog"), ("train", "validation"))
    assert layout.findings == ()
    run(boxes, tmp_path / "plain", crops=True, splits=False)
    assert find_layout(tmp_path / "plain", to_train=False).splits == ()


def test_a_zip_is_what_its_folder_is(boxes: Path, tmp_path: Path) -> None:
    run(zipped(tmp_path / "voc.zip", boxes.parent), tmp_path / "out", crops=True)
    run(boxes, tmp_path / "folder", crops=True)
    assert files(tmp_path / "out") == files(tmp_path / "folder")


def test_errors_name_the_zip_and_not_where_it_was_unpacked(boxes: Path, tmp_path: Path) -> None:
    for path in boxes.rglob("*.xml"):
        path.rename(path.with_suffix(".txt"))
        path.with_suffix(".txt").write_text("7 0.5 0.5 1 1\n")
    (boxes / "classes.txt").write_text("cat\n")
    source = zipped(tmp_path / "yolo.zip", boxes)
    with pytest.raises(EdgeinferError, match="its class is 7") as raised:
        run(source, tmp_path / "out")
    assert str(raised.value).startswith(f"{source}: train/cat.txt, line 1: ")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["voc", "yolo.zip"]


def test_teachable_machine(tmp_path: Path, pictures: MakePictures) -> None:
    pictures("a/0.jpg", "a/1.jpg", "b/0.jpg", "tm/Class 1-!-0.jpg", "tm/Class 2-!-0.jpg")
    (tmp_path / "tm" / "manifest.json").write_text('{"type": "image"}')
    project = zipped(tmp_path / "project.tm", tmp_path / "tm")
    run(project, tmp_path / "one")
    assert files(tmp_path / "one") == [
        "Class 1/Class 1-!-0.jpg",
        "Class 2/Class 2-!-0.jpg",
        "import.json",
    ]
    (tmp_path / "zips").mkdir()
    for name in ("a", "b"):
        zipped(tmp_path / "zips" / f"{name}-samples.zip", tmp_path / name)
    run(tmp_path / "zips", tmp_path / "two")
    assert files(tmp_path / "two") == ["a/0.jpg", "a/1.jpg", "b/0.jpg", "import.json"]
    with pytest.raises(EdgeinferError, match="give the folder that they are in"):
        run(tmp_path / "zips" / "a-samples.zip", tmp_path / "three")


def test_a_table_with_labels_that_cannot_be_folders(tmp_path: Path, pictures: MakePictures) -> None:
    pictures("set/x/1.png", "set/y/1.png", "set/2.png")
    table = tmp_path / "set" / "labels.csv"
    table.write_text("file,label\nx/1.png,a/b\ny/1.png,a/b\n2.png,Cat\n")
    imported = run(table, tmp_path / "out")
    assert files(tmp_path / "out") == ["Cat/2.png", "a_b/1-2.png", "a_b/1.png", "import.json"]
    assert reasons(imported.record) == {
        "label that cannot be a folder's name; written differently": 1,
        "picture of a name that is taken; renamed": 1,
    }
    log = json.loads((tmp_path / "out" / "import.json").read_text())
    assert log["layout"] == "table"
    assert next(c["place"] for c in log["corrections"]) == "a/b"


def test_links_are_the_same_files(tmp_path: Path, pictures: MakePictures) -> None:
    pictures("set/a/1.png", "set/b/1.png")
    run(tmp_path / "set", tmp_path / "out", link=True)
    assert os.path.samefile(tmp_path / "set/a/1.png", tmp_path / "out/a/1.png")


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"crops": True, "link": True}, "--link: is given with --crops"),
        ({"margin": 0.5}, "--margin: is given without --crops"),
        ({"crops": True}, "has no boxes, it is read as class folders"),
        ({"pictures": Path()}, "--pictures: is given for"),
    ],
)
def test_settings_are_obeyed_or_refused(
    tmp_path: Path, pictures: MakePictures, wishes: dict[str, object], said: str
) -> None:
    pictures("set/a/1.png", "set/b/1.png")
    with pytest.raises(EdgeinferError, match=said):
        run(tmp_path / "set", tmp_path / "out", **wishes)
    assert not (tmp_path / "out").exists()


def test_links_into_a_zip_are_refused(boxes: Path, tmp_path: Path) -> None:
    with pytest.raises(EdgeinferError, match="--link: is given for a ZIP"):
        run(zipped(tmp_path / "a.zip", boxes), tmp_path / "out", link=True)


def test_places_that_are_taken(boxes: Path, tmp_path: Path) -> None:
    with pytest.raises(EdgeinferError, match="which is imported"):
        run(boxes, boxes / "out")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("")
    with pytest.raises(EdgeinferError, match="is there already, and not empty"):
        run(boxes, tmp_path / "full")
    assert files(tmp_path / "full") == ["mine"]
    (tmp_path / "empty").mkdir()
    assert run(boxes, tmp_path / "empty").pictures == 4


def test_all_or_nothing(boxes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    def fails(source: str, path: Path) -> None:
        written.append(source)
        if len(written) == 3:
            raise KeyboardInterrupt
        path.write_bytes(b"")

    left = tmp_path / ".out.import-999999999"
    left.mkdir()
    monkeypatch.setattr(write, "_copy", fails)
    with pytest.raises(KeyboardInterrupt):
        run(boxes, tmp_path / "out")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["voc"]


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({}, "has no labels that can be read"),
        ({"a.createml.json": '[{"coordinates": 1}]'}, "is in the layout CreateML"),
        ({"a.csv": "x", "b.csv": "y"}, "has 2 tables: a.csv, b.csv"),
    ],
)
def test_folders_of_no_known_layout(
    tmp_path: Path, pictures: MakePictures, tree: dict[str, str], said: str
) -> None:
    pictures("set/1.png")
    for name, text in tree.items():
        (tmp_path / "set" / name).write_text(text)
    with pytest.raises(EdgeinferError, match=said):
        run(tmp_path / "set", tmp_path / "out")


def test_real_raccoons(shared_data: Path, tmp_path: Path) -> None:
    imported = run(shared_data / "raccoon", tmp_path / "out")
    assert (imported.pictures, imported.counts) == (200, {(None, "raccoon"): 217})
    assert reasons(imported.record) == {}

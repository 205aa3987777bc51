from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from edgeinfer.converters.common.progress import Silent
from edgeinfer.device.core.errors import DataError, UsageError
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.data.dataset import DataOptions
from edgeinfer.host.data.labels.find import find_labelled
from edgeinfer.host.tasks.classification.task import TASK
from edgeinfer.host.training.data.prepare import prepare_data
from tests.host.data.conftest import MakeFolder, MakePhoto


def test_labels_in_names(make_photo: MakePhoto, tmp_path: Path) -> None:
    for index in range(4):
        make_photo(f"photos/cat.{index}.png", index)
        make_photo(f"photos/dog.{index}.png", 10 + index)
    layout = find_labelled(tmp_path / "photos")
    assert layout.labels == ("cat", "dog")
    assert Counter(file.label for file in layout.files) == {0: 4, 1: 4}
    assert [finding.sentence for finding in layout.findings] == [
        "note: labels are taken from the names of the pictures: cat (4), dog (4)"
    ]


def test_labels_in_names_of_each_split(make_photo: MakePhoto, tmp_path: Path) -> None:
    for index in range(4):
        for number, split in enumerate(("train", "test")):
            make_photo(f"photos/{split}/cat.{index}.png", index + 20 * number)
            make_photo(f"photos/{split}/dog.{index}.png", index + 20 * number + 10)
    layout = find_labelled(tmp_path / "photos")
    assert layout.labels == ("cat", "dog")
    assert layout.splits == ("train", "test")
    counts = Counter((file.split, file.label) for file in layout.files)
    assert set(counts.values()) == {4}


def test_names_without_labels(make_photo: MakePhoto, tmp_path: Path) -> None:
    for index in range(3):
        make_photo(f"photos/IMG_{index}.png", index)
        make_photo(f"photos/DSC_{index}.png", 10 + index)
    with pytest.raises(DataError, match=r"holds 6 images and no class folders.*sort the images"):
        find_labelled(tmp_path / "photos")
    (tmp_path / "photos" / "labels.csv").write_text("file,label\n")
    with pytest.raises(DataError, match=r"add --labels-csv .*photos/labels\.csv"):
        find_labelled(tmp_path / "photos")


def test_class_folders_are_read_as_ever(make_folder: MakeFolder, make_photo: MakePhoto) -> None:
    root = make_folder({"cat": 3, "dog": 3})
    make_photo("photos/cat.1.png", 77)
    layout = find_labelled(root)
    assert len(layout.files) == 6
    assert [finding.kind for finding in layout.findings] == ["ignored"]


def test_a_table_decides_over_folders(make_folder: MakeFolder) -> None:
    root = make_folder({"one": 3, "two": 3})
    table = root / "labels.csv"
    lines = [f"{folder}/{n:03},{'ab'[n % 2]}" for folder in ("one", "two") for n in range(3)]
    table.write_text("\n".join(["file,label", *lines]))
    layout = find_labelled(root, table=table, to_train=False)
    assert layout.labels == ("a", "b")
    table.write_text("file,label\none/000,a\none/001,a\n")
    with pytest.raises(DataError, match="has one label, 'a'"):
        find_labelled(root, table=table)
    table.write_text("file,label\none/000,a\none/001,b\n")
    with pytest.raises(DataError, match="class 'a' has 1 image"):
        find_labelled(root, table=table)


def test_a_model_is_measured_with_a_table(make_folder: MakeFolder) -> None:
    root = make_folder({".": 4})
    table = root / "labels.json"
    table.write_text('{"000.png": "dog", "001.png": "cat"}')
    samples = TASK.find(root, Said(labels=("cat", "dog", "bird")), table=table)
    named = {os.path.basename(sample.source): sample.target for sample in samples}
    assert named == {"000.png": 1, "001.png": 0}
    table.write_text('{"000.png": "cow"}')
    with pytest.raises(DataError, match="has the class 'cow'"):
        TASK.find(root, Said(labels=("cat", "dog")), table=table)


def test_a_table_is_never_ignored(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--labels-csv: given for fashion-mnist"):
        prepare_data(
            "fashion-mnist",
            task="classification",
            options=DataOptions(table=tmp_path / "labels.csv"),
            progress=Silent(),
        )

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import DataError
from edgeinfer.host.data.importing.formats.classes import (
    label_of_sample,
    label_of_zip,
    read_classes,
    read_project,
)
from edgeinfer.host.data.importing.found import Record
from tests.host.data.importing.conftest import MakePictures, reasons


@pytest.mark.parametrize(
    ("stem", "label"),
    [
        ("Class 1-!-0", "Class 1"),
        ("left-turn-!-12", "left-turn"),
        ("left-turn-3", "left-turn"),
        ("open_7", "open"),
        ("-!-3", None),
        ("open-!-x", None),
        ("12", None),
        ("open", None),
    ],
)
def test_names_of_samples(stem: str, label: str | None) -> None:
    assert label_of_sample(stem) == label


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Class 1-samples.zip", "Class 1"),
        ("open (2).zip", "open"),
        ("half-open.zip", "half-open"),
        ("images.zip", "images"),
    ],
)
def test_names_of_zips(name: str, label: str) -> None:
    assert label_of_zip(name) == label


def test_a_project(tmp_path: Path, pictures: MakePictures, record: Record) -> None:
    pictures("Class 1-!-0.jpg", "Class 1-!-1.jpg", "b/7.png", "8.png")
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"type": "image", "appdata": {}}))
    data = read_project(tmp_path, record)
    assert [p.label for p in data.pictures] == ["Class 1", "Class 1", "b"]
    assert reasons(record) == {"picture without a class in its name": 1}
    manifest.write_text(json.dumps({"type": "audio"}))
    with pytest.raises(DataError, match="a project of the type 'audio'"):
        read_project(tmp_path, record)


def test_a_project_without_classes(tmp_path: Path, pictures: MakePictures, record: Record) -> None:
    pictures("1.jpg")
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(DataError, match="download the samples of each class instead"):
        read_project(tmp_path, record)


def test_class_folders_with_splits(tmp_path: Path, pictures: MakePictures, record: Record) -> None:
    pictures("train/a/1.png", "train/b/1.png", "val/a/1.png", "val/b/1.png")
    found = read_classes(tmp_path, record).pictures
    assert [(p.split, p.label) for p in found] == [
        ("train", "a"),
        ("train", "b"),
        ("validation", "a"),
        ("validation", "b"),
    ]

"""Several labels a picture: every usual way to write them in a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.device.core.errors import DataError
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.host.data.labels.csv_table import labels_of_cell
from edgeinfer.host.data.labels.several import SeveralLabels, by_rarest, find_several


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for number in range(4):
        pixels = np.full((4, 4, 3), 60 * number, np.uint8)
        (tmp_path / f"{number}.png").write_bytes(encode_png(pixels))
    return tmp_path


def found(pictures: Path, text: str, name: str = "labels.csv") -> dict[str, set[str]]:
    result = read(pictures, text, name)
    return {
        Path(file.path).name: {result.labels[index] for index in result.sample(file).target}
        for file in result.layout.files
    }


def read(pictures: Path, text: str, name: str = "labels.csv") -> SeveralLabels:
    table = pictures / name
    table.write_text(text)
    return find_several(pictures, table)


WANTED = {"0.png": {"cat", "dog"}, "1.png": {"dog"}, "2.png": set()}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("file,labels\n0.png,cat;dog\n1.png,dog\n2.png,\n", "labels.csv"),
        ("file,labels\n0.png,cat | dog\n1.png,dog|\n2.png,\n", "labels.csv"),
        ('file,tags\n0.png,"dog, cat"\n1.png,dog\n2.png,""\n', "labels.csv"),
        ("file;labels\n0.png;cat,dog\n1.png;dog\n2.png;\n", "labels.csv"),
        ("file,label\n0.png,cat\n0.png,dog\n1.png,dog\n1.png,dog\n2.png,\n", "labels.csv"),
        ("file,cat,dog\n0.png,1,1\n1.png,0,1\n2.png,0,0\n", "labels.csv"),
        ('{"0.png": ["cat", "dog"], "1.png": "dog", "2.png": []}', "labels.json"),
        (
            '[{"file": "0.png", "labels": ["cat", "dog"]}, {"file": "1.png", "labels": ["dog"]},'
            ' {"file": "2.png", "labels": []}]',
            "labels.json",
        ),
    ],
)
def test_every_way_to_write_them(pictures: Path, text: str, name: str) -> None:
    assert found(pictures, text, name) == WANTED


def test_what_is_missing_is_said(pictures: Path) -> None:
    result = read(pictures, "file,labels\n0.png,cat\n9.png,dog\n")
    details = [finding.detail for finding in result.layout.findings]
    assert any("there is no such picture" in detail for detail in details)
    assert any("no line for 3 pictures" in detail for detail in details)
    assert result.labels == ("cat",)


def test_two_splits_of_one_picture_are_refused(pictures: Path) -> None:
    with pytest.raises(DataError, match="an earlier line into another"):
        read(pictures, "file,labels,split\n0.png,cat,train\n0.png,dog,test\n")


def test_a_list_of_others_than_labels_is_refused(pictures: Path) -> None:
    with pytest.raises(DataError, match="does not give one label"):
        read(pictures, '{"0.png": [["cat"]]}', "labels.json")


def test_cells() -> None:
    assert labels_of_cell(" cat ;; dog;") == ["cat", "dog"]
    assert labels_of_cell("a,b;c") == ["a,b", "c"]


def test_each_rare_label_is_a_group() -> None:
    targets = [{0}] * 30 + [{0, 1}] * 10 + [{0, 2}] * 2 + [set()] * 3
    samples = [Sample(source=str(n), target=frozenset(t)) for n, t in enumerate(targets)]
    groups = [sample.target for sample in by_rarest(samples, 10)]
    # Label 2 and pictures without one are too few: they join the largest group.
    assert groups == [1] * 30 + [2] * 10 + [1] * 5

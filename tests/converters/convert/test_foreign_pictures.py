"""Which pictures calibrate and measure, and which folders' names are a truth."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.converters.convert.foreign_pictures import ForeignPictures, find_pictures
from edgeinfer.converters.tasks.registry import find_compared
from edgeinfer.device.core.errors import DataError
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.tasks.task import Said

SAID = Said(labels=("cat", "dog", "owl"))
PICTURE = encode_png(np.zeros((2, 2, 3), np.uint8))


def folder_of(root: Path, **counts: int) -> Path:
    """Write pictures into folders; `__` in a name stands for a folder within a folder."""
    for name, count in counts.items():
        for number in range(count):
            place = root if name == "loose" else root / name.replace("__", "/")
            write_atomically(place / f"{number}.png", PICTURE)
    return root


def find(root: Path, task: str = "classification", ignore_labels: bool = False) -> ForeignPictures:
    return find_pictures(
        root, 10, seed=0, task=find_compared(task), said=SAID, ignore_labels=ignore_labels
    )


def test_folders_named_as_labels_are_the_truth(tmp_path: Path) -> None:
    found = find(folder_of(tmp_path, train__cat=6, train__dog=6, test__owl=5, test__cat=3))
    assert found.labelled
    assert found.notes == ()
    assert (len(found.calibration), len(found.compared)) == (10, 10)
    targets = Counter(one.target for one in (*found.calibration, *found.compared))
    assert targets == {0: 9, 1: 6, 2: 5}
    for one in found.compared:
        assert SAID.labels[one.target] == Path(one.source).parent.name


def test_pictures_without_folders_have_no_truth(tmp_path: Path) -> None:
    found = find(folder_of(tmp_path, loose=7))
    assert (found.labelled, found.notes) == (False, ())
    assert {one.target for one in found.compared} == {None}
    assert (len(found.calibration), len(found.compared)) == (3, 4)


def test_folders_of_other_names_are_said_to_be_none(tmp_path: Path) -> None:
    found = find(folder_of(tmp_path, a=2, b=2, c=2, d=2, e=2))
    assert not found.labelled
    assert "(a, b, c and 2 more) are not labels of the model" in found.notes[0]


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"cat": 2, "dog": 2, "puma": 2}, "(cat, dog), but puma is not, expected all pictures"),
        ({"cat": 2, "Dog": 1, "puma": 1}, "(cat), but Dog, puma are not, expected"),
        ({"cat": 2, "loose": 3}, "(cat), but 3 pictures are in no such folder, expected"),
        ({"cat": 2, "x": 1, "loose": 1}, "but x is not, and 1 picture is in no such folder"),
    ],
)
def test_a_folder_where_only_some_names_are_labels_is_refused(
    counts: dict[str, int], said: str, tmp_path: Path
) -> None:
    root = folder_of(tmp_path, **counts)
    with pytest.raises(DataError) as caught:
        find(root)
    assert said in str(caught.value)
    assert "or give --min-agreement" in str(caught.value)
    assert not find(root, ignore_labels=True).labelled, "the option decides"
    found = find(root, task="detection")
    assert (found.labelled, found.notes) == (False, ()), "folders do not say where objects are"


@given(calibrating=st.integers(1, 40), count=st.integers(1, 40), seed=st.integers(0, 5))
def test_no_picture_both_calibrates_and_measures(
    calibrating: int, count: int, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.getbasetemp() / f"of {count}"
    if not root.exists():
        folder_of(root, loose=count)
    found = find_pictures(
        root, calibrating, seed=seed, task=find_compared("classification"), said=SAID
    )
    sources = [one.source for one in (*found.calibration, *found.compared)]
    if count > 1:
        assert len({*sources}) == len(sources) == count
        assert len(found.compared) >= count / 2
    assert 1 <= len(found.calibration) <= calibrating

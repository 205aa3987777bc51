"""Folders as systems and archives leave them, read by training, `evaluate` and the cameras."""

from __future__ import annotations

import os
import shutil
import tarfile
from collections import Counter
from pathlib import Path

import pytest

from edgeinfer.device.cameras.files.folder import FolderCamera
from edgeinfer.device.core.errors import DataError
from edgeinfer.host.data.folders.check import check_files
from edgeinfer.host.data.folders.folder import find_layout
from edgeinfer.host.data.labels.find import find_labelled
from tests.host.data.conftest import MakeFolder, MakePhoto
from tests.support.checkout import ROOT

CASES = ROOT.parent / "shared" / "cases" / "media"


def unpacked(name: str, place: Path) -> Path:
    """Return the one folder of an archive among the shared cases."""
    if not (CASES / name).is_file():
        pytest.skip(f"{CASES / name} is absent: this test needs the shared cases")
    with tarfile.open(CASES / name) as archive:
        archive.extractall(place, filter="data")
    (folder,) = place.iterdir()
    return folder


def counts(root: Path) -> dict[tuple[str | None, str], int]:
    layout = find_layout(root)
    return dict(Counter((file.split, layout.labels[file.label]) for file in layout.files))


def labels_of_frames(root: Path) -> dict[str | None, int]:
    with FolderCamera(root) as camera:
        found: Counter[str | None] = Counter()
        while (frame := camera.read()) is not None:
            found[frame.label] += 1
    return dict(found)


def test_a_training_set_in_a_training_set(tmp_path: Path) -> None:
    root = unpacked("folder_training_set.tgz", tmp_path)
    found = counts(root)
    assert {split for split, _ in found} == {"train", "test"}
    assert {label for _, label in found} == {"cat", "dog"}
    assert labels_of_frames(root) == {"cat": 16, "dog": 16}


def test_thumbnails_of_a_disk_station(tmp_path: Path) -> None:
    root = unpacked("folder_synology.tgz", tmp_path)
    assert counts(root) == {(None, "cat"): 12, (None, "dog"): 12}
    assert [(finding.path, finding.detail) for finding in find_layout(root).findings] == [
        ("cat/@eaDir", "is left over from a Synology system, the first of 2")
    ]
    assert labels_of_frames(root) == {"cat": 12, "dog": 12}


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("seg_train/seg_train", "seg_test/seg_test"),
        ("x/Train-Data", "x/holdout"),
        ("train", "eval"),
    ],
)
def test_splits_of_usual_names(make_folder: MakeFolder, train: str, test: str) -> None:
    split = "validation" if test == "eval" else "test"
    root = make_folder({f"{train}/a": 3, f"{train}/b": 3, f"{test}/a": 2, f"{test}/b": 2})
    assert counts(root) == {
        ("train", "a"): 3,
        ("train", "b"): 3,
        (split, "a"): 2,
        (split, "b"): 2,
    }


def test_a_bin_in_every_class_is_said_once(make_folder: MakeFolder) -> None:
    root = make_folder(
        {"a": 3, "b": 3, "a/#recycle": 2, "b/#recycle": 1, "$RECYCLE.BIN/a": 1, "b/.Trash-0": 1}
    )
    checked = check_files(find_layout(root))
    assert [finding.sentence for finding in checked.findings] == [
        "left out: $RECYCLE.BIN: ignored, is a recycle bin, the first of 4"
    ]
    assert len(checked.files) == 6
    assert labels_of_frames(root) == {"a": 3, "b": 3}


def test_runs_next_to_the_classes_are_left_out(make_folder: MakeFolder) -> None:
    root = make_folder({"a": 3, "b": 3, "runs/photos/pictures": 4})
    (root / "runs" / "photos" / "trained.json").write_text("{}")
    layout = find_layout(root)
    assert layout.labels == ("a", "b")
    assert [finding.sentence for finding in layout.findings] == [
        "left out: runs: ignored, is a run of edgeinfer"
    ]
    assert labels_of_frames(root) == {"a": 3, "b": 3}


def test_classes_that_hold_their_splits(make_folder: MakeFolder, make_photo: MakePhoto) -> None:
    folders = {f"{label}/{split}": 3 for label in "ab" for split in ("train", "Test_Set")}
    root = make_folder({**folders, "a/pred": 1})
    make_photo("photos/b/stray.png", 5)
    with pytest.raises(DataError, match="next to 'b', which does not"):
        find_layout(root)
    (root / "b" / "stray.png").unlink()
    assert counts(root) == {
        ("train", "a"): 3,
        ("train", "b"): 3,
        ("test", "a"): 3,
        ("test", "b"): 3,
    }
    shutil.rmtree(root / "a" / "Test_Set")
    with pytest.raises(DataError, match="class 'a' is in train and not in test"):
        find_layout(root)


def test_without_training_pictures_there_is_enough_to_measure(make_folder: MakeFolder) -> None:
    root = make_folder({"test_set/test_set/a": 2, "test_set/test_set/b": 1})
    layout = find_layout(root, to_train=False)
    assert (layout.labels, layout.splits, len(layout.files)) == (("a", "b"), ("test",), 3)
    with pytest.raises(DataError, match=r"split folders \(test_set/test_set\) and none for train"):
        find_layout(root)


def test_a_contest_whose_test_has_no_labels(make_photo: MakePhoto) -> None:
    for number in range(6):
        make_photo(f"photos/train/{'cat' if number % 2 else 'dog'}.{number}.jpg", number)
    for number in range(3):
        root = make_photo(f"photos/test1/{number}.jpg", 10 + number).parent.parent
    layout = find_labelled(root)
    assert (layout.labels, layout.splits, len(layout.files)) == (("cat", "dog"), ("train",), 6)
    assert "left out: test1: ignored, is not used: its pictures have no labels" in [
        finding.sentence for finding in layout.findings
    ]


@pytest.mark.parametrize(
    "folders",
    [
        {"train/a": 3, "train/b": 3, "kit": 3},
        {"sunny/a": 3, "sunny/b": 3, "rainy/a": 3, "rainy/b": 3},
        {"train/a": 3, "train/b": 3, "held back/a": 3, "held back/b": 3},
    ],
)
def test_unclear_folders_are_an_error_and_frames_without_classes(
    make_folder: MakeFolder, folders: dict[str, int], logged: list[str]
) -> None:
    root = make_folder(folders)
    with pytest.raises(DataError) as caught:
        find_layout(root)
    assert caught.value.next_step
    assert labels_of_frames(root) == {None: sum(folders.values())}
    assert logged == [f"{caught.value}; the images are taken without classes"]


def test_all_walks_find_the_same_pictures(make_folder: MakeFolder, tmp_path: Path) -> None:
    elsewhere = make_folder({"cats": 3, "cats/more": 1}, root="elsewhere")
    root = make_folder({"archive/train/b": 3, "archive/test/a": 2, "archive/test/b": 2})
    (root / "archive" / "train" / "a").symlink_to(elsewhere / "cats")
    (elsewhere / "cats" / "loop").symlink_to(root / "archive")
    layout = find_layout(root)
    assert len(layout.files) == 11
    with FolderCamera(root) as camera:
        named = set()
        while (frame := camera.read()) is not None:
            named.add((frame.name, frame.label))
    expected = {
        (os.path.relpath(file.path, root), layout.labels[file.label]) for file in layout.files
    }
    assert named == expected

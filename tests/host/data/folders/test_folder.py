from __future__ import annotations

import os
import shutil
import unicodedata
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import DataError
from edgeinfer.host.data.folders.folder import find_layout
from tests.host.data.conftest import MakeFolder, MakePhoto


def test_class_folders(make_folder: MakeFolder) -> None:
    root = make_folder({"dog": 3, "cat": 4})
    layout = find_layout(root)
    assert layout.labels == ("cat", "dog")
    assert layout.splits == ()
    assert layout.findings == ()
    assert [(Path(file.path).name, file.label, file.split) for file in layout.files] == [
        *[(f"00{index}.png", 0, None) for index in range(4)],
        *[(f"00{index}.png", 1, None) for index in range(3)],
    ]


@pytest.mark.parametrize(
    "names",
    [("train", "validation", "test"), ("Train", "val", "Test"), ("training", "valid", "testing")],
)
def test_split_folders(make_folder: MakeFolder, names: tuple[str, str, str]) -> None:
    root = make_folder({f"{name}/{label}": 1 for name in names for label in ("cat", "dog")})
    layout = find_layout(root)
    assert layout.labels == ("cat", "dog")
    assert layout.splits == ("train", "validation", "test")
    assert sorted((file.split or "", file.label) for file in layout.files) == [
        *[("test", 0), ("test", 1)],
        *[("train", 0), ("train", 1)],
        *[("validation", 0), ("validation", 1)],
    ]


def test_a_class_may_be_called_train(make_folder: MakeFolder) -> None:
    assert find_layout(make_folder({"train": 3, "car": 3, "bus": 3})).labels == (
        "bus",
        "car",
        "train",
    )


def test_folders_next_to_the_splits_are_named(make_folder: MakeFolder) -> None:
    counts = {"train/a": 2, "train/b": 2, "test/a": 1, "test/b": 1, "sketches": 2}
    layout = find_layout(make_folder(counts))
    assert layout.labels == ("a", "b")
    assert [(finding.kind, finding.path) for finding in layout.findings] == [
        ("ignored", "sketches")
    ]
    assert "is next to the split folders" in layout.findings[0].detail


def test_images_anywhere_below_a_class_and_what_is_skipped(
    make_folder: MakeFolder, make_photo: MakePhoto
) -> None:
    root = make_folder({"a": 3, "b": 3})
    make_photo("photos/a/2024/may/deep.JPG".replace("JPG", "jpg"), 1)
    make_photo("photos/a/.thumbnails/small.jpg", 2)
    make_photo("photos/.cache/x.jpg", 3)
    make_photo("photos/stray.png", 4)
    (root / "a" / "notes.txt").write_text("sunny")
    (root / "a" / "camera.CR2").write_bytes(b"x")
    (root / "readme").write_text("x")
    (root / "b" / "gone.png").symlink_to(root / "nowhere.png")
    os.mkfifo(root / "b" / "pipe.png")
    (root / "__MACOSX").mkdir()
    layout = find_layout(root)
    names = [os.path.relpath(file.path, root) for file in layout.files]
    assert "a/2024/may/deep.jpg" in names
    assert len(names) == 7
    assert {finding.path: finding.detail for finding in layout.findings} == {
        "__MACOSX": "is left over from an archive",
        "a/.thumbnails": "holds thumbnails",
        "readme": "is outside the class folders",
        "stray.png": "is outside the class folders, so it has no label",
        "a/notes.txt": "its name has no image suffix",
        "a/camera.CR2": ".cr2 files are not supported; convert it to JPEG",
        "b/gone.png": "is a broken link",
        "b/pipe.png": "is not a regular file",
    }


def test_link_loops_end(make_folder: MakeFolder) -> None:
    root = make_folder({"a": 3, "b": 3})
    (root / "a" / "up").symlink_to(root / "a", target_is_directory=True)
    (root / "a" / "self").symlink_to(root / "a" / "self")
    (root / "b" / "again").symlink_to(root / "b", target_is_directory=True)
    layout = find_layout(root)
    assert len(layout.files) == 6
    assert [finding.path for finding in layout.findings] == ["a/self"]


def test_class_folders_may_be_links(make_folder: MakeFolder, tmp_path: Path) -> None:
    elsewhere = make_folder({"x": 3}, root="elsewhere")
    root = make_folder({"a": 3})
    (root / "b").symlink_to(elsewhere / "x", target_is_directory=True)
    assert find_layout(root).labels == ("a", "b")


def test_the_order_is_that_of_the_names(make_folder: MakeFolder) -> None:
    root = make_folder({"b": 12, "a": 12})
    before = [os.path.relpath(file.path, root) for file in find_layout(root).files]
    # Renaming away and back, in another order, changes the order that the file system lists.
    for index in (7, 2, 11, 0):
        path = root / "a" / f"{index:03}.png"
        shutil.move(path, root / "moved")
        shutil.move(root / "moved", path)
    assert [os.path.relpath(file.path, root) for file in find_layout(root).files] == before
    assert before == sorted(before)


@pytest.mark.parametrize(
    "label",
    ["two words", 'O\'Brien "x"', "größe, klein", "猫", "👩‍🔬 🐈", "a#3", "-n", "100%", "x;y"],
)
def test_odd_labels_work(make_folder: MakeFolder, label: str) -> None:
    layout = find_layout(make_folder({label: 3, "plain": 3}))
    assert set(layout.labels) == {unicodedata.normalize("NFC", label), "plain"}


def test_labels_are_composed_and_meet_across_splits(make_folder: MakeFolder) -> None:
    decomposed = unicodedata.normalize("NFD", "café")
    root = make_folder({"train/café": 2, "train/bar": 2, f"test/{decomposed}": 1, "test/bar": 1})
    assert find_layout(root).labels == ("bar", "café")


def test_two_spellings_of_one_label_are_refused(make_folder: MakeFolder) -> None:
    root = make_folder({"café": 3, unicodedata.normalize("NFD", "café"): 3})
    with pytest.raises(DataError, match=r"another Unicode form.*merge the two folders"):
        find_layout(root)


@pytest.mark.parametrize("name", [b"new\nline", b"tab\there", b"latin-\xe9", b"bell\x07"])
def test_names_that_cannot_be_labels_are_refused(make_folder: MakeFolder, name: bytes) -> None:
    root = make_folder({"a": 3, "b": 3})
    os.mkdir(os.path.join(os.fsencode(root), name))
    with pytest.raises(DataError, match=r"control characters.*rename the folder") as caught:
        find_layout(root)
    assert str(caught.value).isprintable()


def test_files_with_such_names_are_named(make_folder: MakeFolder) -> None:
    root = make_folder({"a": 3, "b": 3})
    for name in (b"x\ny.png", b"\xff.png"):
        with open(os.path.join(os.fsencode(root), b"a", name), "wb") as stream:
            stream.write(b"x")
    layout = find_layout(root)
    assert len(layout.files) == 6
    assert all("not valid UTF-8; rename it" in finding.detail for finding in layout.findings)
    assert len(layout.findings) == 2


# Folders that cannot be used ----------------------------------------------------------------


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="gone: does not exist; check the path"):
        find_layout(tmp_path / "gone")


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "photos.zip").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"photos\.zip: is a file, expected a folder"):
        find_layout(tmp_path / "photos.zip")


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no images and no class folders.*sort the images"):
        find_layout(tmp_path)


def test_images_without_class_folders(make_folder: MakeFolder) -> None:
    with pytest.raises(DataError, match="holds 4 images and no class folders"):
        find_layout(make_folder({".": 4}))


def test_one_class_only(make_folder: MakeFolder) -> None:
    with pytest.raises(DataError, match=r"holds one class, 'cat', expected two or more.*something"):
        find_layout(make_folder({"cat": 9}))


def test_one_folder_too_high(make_folder: MakeFolder) -> None:
    root = make_folder({"pets/cat": 3, "pets/dog": 3})
    with pytest.raises(DataError, match=f"if its sub-folders are the classes, give {root}/pets"):
        find_layout(root)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"a": 5, "b": 1}, "class 'b' has 1 image, expected at least 3.*add images or remove"),
        ({"a": 5, "b": 0}, "class 'b' has 0 images, expected at least 3"),
        ({"train/a": 2, "train/b": 1}, "class 'a' has 2 images in train, expected at least 3"),
        (
            {"train/a": 2, "train/b": 1, "test/a": 1, "test/b": 1},
            "class 'b' has 1 image in train, expected at least 2",
        ),
        (
            {"train/a": 2, "train/b": 2, "test/a": 1, "test/b": 0},
            "class 'b' has 0 images in test, expected at least 1",
        ),
    ],
)
def test_too_few_images(make_folder: MakeFolder, counts: dict[str, int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        find_layout(make_folder(counts))


def test_photos_in_formats_that_cannot_be_read(make_folder: MakeFolder) -> None:
    root = make_folder({"a": 3, "b": 0})
    for name in ("1.DNG", "2.psd", "notes.txt"):
        (root / "b" / name).write_bytes(b"x")
    with pytest.raises(
        DataError, match=r"class 'b' has 0 images.*; convert its 2 files of other formats to JPEG"
    ):
        find_layout(root)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (
            {"train/a": 3, "train/b": 3, "test/a": 1, "test/b": 1, "test/c": 1},
            "class 'c' is in test and not in train",
        ),
        (
            {"train/a": 3, "train/b": 3, "val/a": 1},
            "class 'b' is in train and not in validation",
        ),
        ({"test/a": 3, "val/a": 3}, r"split folders \(test, val\) and none for training"),
        ({"train/a": 3, "val/a": 3, "valid/a": 3}, "several folders for one split"),
        ({"train": 3, "test": 3}, "test: holds 3 images and no class folders"),
    ],
)
def test_splits_that_make_no_sense(
    make_folder: MakeFolder, counts: dict[str, int], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        find_layout(make_folder(counts))

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeinfer.device.pictures.decode import read_image
from edgeinfer.host.data.folders.check import check_files, pixel_digest
from edgeinfer.host.data.folders.folder import LabelledFile, Layout, find_layout
from tests.converters.common.listening import Listening
from tests.device.pictures.made.every_file import every_file
from tests.host.data.conftest import MakeFolder, MakePhoto


def test_all_is_well(make_folder: MakeFolder) -> None:
    layout = find_layout(make_folder({"a": 3, "b": 3}))
    progress = Listening()
    checked = check_files(layout, progress=progress)
    assert checked.files == layout.files
    assert checked.findings == ()
    assert progress.told == ["checking the images of 6"]
    assert progress.advances == [1] * 6


def test_damaged_files_are_named(
    make_folder: MakeFolder, make_photo: MakePhoto, capfd: pytest.CaptureFixture[str]
) -> None:
    root = make_folder({"a": 3, "b": 3})
    (root / "a" / "empty.jpg").touch()
    (root / "a" / "page.png").write_text("<html>not found</html>")
    truncated = make_photo("photos/b/truncated.jpg", 1)
    truncated.write_bytes(truncated.read_bytes()[:-40])
    checked = check_files(find_layout(root))
    assert [(f.kind, f.path, f.detail) for f in checked.findings] == [
        ("corrupt", "b/truncated.jpg", "is incomplete: the JPEG has no end"),
        ("empty", "a/empty.jpg", "is empty"),
        ("not-an-image", "a/page.png", "is not an image"),
    ]
    assert len(checked.files) == 6
    assert capfd.readouterr().err == ""


def test_photos_of_a_phone_are_read_and_without_the_extra_named(
    make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_folder({"a": 3, "b": 3})
    for name, made in (("1.HEIC", "heic-rgb"), ("2.avif", "avif-rgb"), ("3.gif", "gif-palette")):
        (root / "a" / name).write_bytes(every_file()[made])
    checked = check_files(find_layout(root))
    assert checked.findings == ()
    assert len(checked.files) == 9
    for package in ("pillow_heif", "PIL.AvifImagePlugin", "PIL.GifImagePlugin"):
        monkeypatch.setitem(sys.modules, package, None)
    checked = check_files(find_layout(root))
    assert [(f.kind, f.path) for f in checked.findings] == [
        ("ignored", "a/1.HEIC"),
        ("ignored", "a/2.avif"),
        ("ignored", "a/3.gif"),
    ]
    assert all("[pictures]" in finding.detail for finding in checked.findings)
    assert len(checked.files) == 6


def test_a_file_that_vanishes_is_named(make_folder: MakeFolder) -> None:
    root = make_folder({"a": 4, "b": 3})
    layout = find_layout(root)
    (root / "a" / "002.png").unlink()
    checked = check_files(layout)
    assert [(f.kind, f.path, f.detail) for f in checked.findings] == [
        ("ignored", "a/002.png", "does not exist")
    ]


def test_one_of_the_duplicates_in_a_class_is_kept(
    make_folder: MakeFolder, make_photo: MakePhoto
) -> None:
    root = make_folder({"a": 3, "b": 3})
    original = make_photo("photos/a/seen.png", 7)
    # Losslessly saved again in another format: other bytes, the same picture.
    make_photo("photos/a/zz-again.bmp", 7)
    assert original.read_bytes() != (root / "a" / "zz-again.bmp").read_bytes()
    checked = check_files(find_layout(root))
    assert [(f.kind, f.path, f.detail) for f in checked.findings] == [
        ("duplicate", "a/zz-again.bmp", "the same picture as a/seen.png")
    ]
    assert str(original) in [file.path for file in checked.files]


def test_a_leak_is_taken_out_of_training(make_folder: MakeFolder, make_photo: MakePhoto) -> None:
    counts = {f"{split}/{label}": 3 for split in ("train", "val", "test") for label in "ab"}
    root = make_folder(counts)
    for place in ("train/a/1", "val/a/2", "test/a/3", "train/b/4", "val/b/5"):
        make_photo(f"photos/{place}-leak.png", seed=1 if "/a/" in place else 2)
    checked = check_files(find_layout(root))
    assert {f.path: f.detail for f in checked.findings} == {
        "train/a/1-leak.png": "the same picture as test/a/3-leak.png",
        "val/a/2-leak.png": "the same picture as test/a/3-leak.png",
        "train/b/4-leak.png": "the same picture as val/b/5-leak.png",
    }
    pictures = {pixel_digest(read_image(Path(file.path))) for file in checked.files}
    assert len(pictures) == len(checked.files)


def test_a_picture_under_two_labels_is_dropped_altogether(
    make_folder: MakeFolder, make_photo: MakePhoto
) -> None:
    root = make_folder({"cat": 3, "dog": 3})
    for name in ("cat/x.png", "cat/y.png", "dog/z.png"):
        make_photo(f"photos/{name}", 5)
    checked = check_files(find_layout(root))
    assert {f.path: f.detail for f in checked.findings} == {
        "cat/x.png": "labelled 'cat', but dog/z.png is the same picture, labelled 'dog'",
        "cat/y.png": "labelled 'cat', but dog/z.png is the same picture, labelled 'dog'",
        "dog/z.png": "labelled 'dog', but cat/x.png is the same picture, labelled 'cat'",
    }
    assert {f.kind for f in checked.findings} == {"conflict"}
    assert len(checked.files) == 6


def test_digests_tell_shapes_apart() -> None:
    flat = np.zeros((2, 8, 3), np.uint8)
    assert pixel_digest(flat) != pixel_digest(flat.reshape(4, 4, 3))
    assert pixel_digest(flat[:, ::2]) == pixel_digest(np.zeros((2, 4, 3), np.uint8))


def test_cats_and_dogs(shared_data: Path) -> None:
    checked = check_files(find_layout(shared_data / "catsdogs" / "test"))
    assert [(f.kind, f.path, f.detail) for f in checked.findings] == [
        ("duplicate", "cat/cat.7912.jpg", "the same picture as cat/cat.3908.jpg")
    ]
    assert len(checked.files) == 999


def test_raccoons_duplicates_and_grey(shared_data: Path) -> None:
    folder = shared_data / "raccoon" / "images"
    files = tuple(LabelledFile(path=str(path), label=0) for path in sorted(folder.iterdir()))
    layout = Layout(root=folder, labels=("raccoon",), splits=(), files=files, findings=())
    checked = check_files(layout)
    assert len(files) == 200
    assert Counter(f.kind for f in checked.findings) == {"duplicate": 4}
    grey = [
        file.path
        for file in files
        if cv2.imread(file.path, cv2.IMREAD_UNCHANGED).ndim == 2  # as stored
    ]
    assert len(grey) == 3
    for path in grey:
        pixels = read_image(Path(path))
        assert (pixels == pixels[:, :, :1]).all()

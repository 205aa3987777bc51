from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import DataError
from edgeinfer.device.pictures.folders.leftovers import REASONS
from edgeinfer.device.pictures.folders.walk import pictures_below
from tests.device.pictures.folders.conftest import MakeTree


def below(root: Path) -> list[str]:
    return [os.path.relpath(path, root) for path in pictures_below(root)]


def test_the_order_is_that_of_the_names(make_tree: MakeTree) -> None:
    root = make_tree("b/1.jpg", "a.png", "c.JPG", "b/a/2.webp", "notes.txt")
    assert below(root) == ["a.png", "b/1.jpg", "b/a/2.webp", "c.JPG"]


SYSTEMS = (
    "@eaDir",
    "#recycle",
    "@Recycle",
    "$RECYCLE.BIN",
    "RECYCLER",
    ".Trash-1000",
    ".Trashes",
    ".thumbnails",
    "__MACOSX",
    "lost+found",
    "LOST.DIR",
    "FOUND.001",
    "System Volume Information",
    ".AppleDouble",
    "#snapshot",
    "@Recently-Snapshot",
)


@pytest.mark.parametrize("place", ["", "cat/", "cat/2024/"])
def test_what_systems_leave_is_not_data_at_any_depth(make_tree: MakeTree, place: str) -> None:
    root = make_tree("cat/2024/1.jpg", *(f"{place}{name}/x/2.jpg" for name in SYSTEMS))
    told: list[tuple[str, str]] = []
    found = list(pictures_below(root, lambda entry, reason: told.append((entry.name, reason))))
    assert [os.path.relpath(path, root) for path in found] == ["cat/2024/1.jpg"]
    assert sorted(name for name, _ in told) == sorted(SYSTEMS)
    assert {reason for _, reason in told} <= REASONS


def test_hidden_files_and_folders_are_skipped_in_silence(make_tree: MakeTree) -> None:
    root = make_tree("1.jpg", "._1.jpg", ".git/2.jpg", ".DS_Store")
    told: list[str] = []
    assert len(list(pictures_below(root, lambda entry, reason: told.append(entry.name)))) == 1
    assert told == []


def test_a_run_is_known_by_what_it_holds(make_tree: MakeTree) -> None:
    root = make_tree(
        "results/{trained.json,a.png}",
        "search/{study.sqlite,front.png}",
        "answers/{worst.png,pictures.csv}",
        "runs/1.jpg",
    )
    assert below(root) == ["runs/1.jpg"]


def test_links_to_folders_are_followed(make_tree: MakeTree) -> None:
    elsewhere = make_tree("cat/1.jpg", "cat/deep/2.jpg", root="elsewhere")
    root = make_tree("dog/3.jpg")
    (root / "cat").symlink_to(elsewhere / "cat", target_is_directory=True)
    assert below(root) == ["cat/1.jpg", "cat/deep/2.jpg", "dog/3.jpg"]


@pytest.mark.parametrize("target", ["..", "../..", ".", "loop"])
def test_links_in_a_circle_end(make_tree: MakeTree, target: str) -> None:
    root = make_tree("a/b/1.jpg", "2.jpg")
    (root / "a" / "b" / "loop").symlink_to(target)
    assert below(root) == ["2.jpg", "a/b/1.jpg"]


def test_links_that_lead_to_each_other_end(make_tree: MakeTree) -> None:
    root = make_tree("a/1.jpg", "b/2.jpg")
    (root / "a" / "to_b").symlink_to(root / "b")
    (root / "b" / "to_a").symlink_to(root / "a")
    assert set(below(root)) >= {"a/1.jpg", "b/2.jpg"}
    assert len(below(root)) <= 4


def test_many_links_do_not_multiply(make_tree: MakeTree) -> None:
    root = make_tree(*(f"{level}/1.jpg" for level in range(12)))
    for level in range(11):
        for name in ("x", "y"):
            (root / str(level) / name).symlink_to(root / str(level + 1))
    # Each target once: without that there would be 2 ** 12.
    assert len(below(root)) < 12 * 12


def test_other_files_are_reported(make_tree: MakeTree) -> None:
    root = make_tree("notes.txt", "a.png/")
    (root / "gone.jpg").symlink_to("nowhere.jpg")
    told: list[tuple[str, str]] = []
    assert not list(pictures_below(root, lambda entry, reason: told.append((entry.name, reason))))
    assert told == [("gone.jpg", ""), ("notes.txt", "")]


def test_a_folder_that_cannot_be_read(make_tree: MakeTree) -> None:
    with pytest.raises(DataError, match=r"1\.jpg: is a file, expected a folder"):
        list(pictures_below(make_tree("1.jpg") / "1.jpg"))

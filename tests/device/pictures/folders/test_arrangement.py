from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import DataError
from edgeinfer.device.pictures.folders.arrangement import arrange
from tests.device.pictures.folders.conftest import MakeTree


def places(root: Path) -> dict[str, str]:
    """Return where each split's classes are; "" stands for a folder without splits."""
    arrangement = arrange(root)
    assert arrangement.unclear is None, arrangement.unclear
    return {
        split or "": os.path.relpath(place, root) for split, place in arrangement.places.items()
    }


CAT_DOG = "{cat,dog}/1.jpg"


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ([CAT_DOG], {"": "."}),
        (
            [f"{{train,val,test}}/{CAT_DOG}"],
            {"train": "train", "validation": "val", "test": "test"},
        ),
        (
            [f"training_set/training_set/{CAT_DOG}", f"test_set/test_set/{CAT_DOG}"],
            {"train": "training_set/training_set", "test": "test_set/test_set"},
        ),
        (
            [
                f"seg_train/seg_train/{CAT_DOG}",
                f"seg_test/seg_test/{CAT_DOG}",
                "seg_pred/seg_pred/1.jpg",
            ],
            {"train": "seg_train/seg_train", "test": "seg_test/seg_test"},
        ),
        (
            [f"training/{CAT_DOG}", f"validate/{CAT_DOG}", f"holdout/{CAT_DOG}"],
            {"train": "training", "validation": "validate", "test": "holdout"},
        ),
        (
            [f"{{train,dev,eval}}/{CAT_DOG}"],
            {"train": "train", "validation": "dev", "test": "eval"},
        ),
        (
            [f"pets/pets_{{train,val}}/{CAT_DOG}"],
            {"train": "pets/pets_train", "validation": "pets/pets_val"},
        ),
        (
            [f"train_images/{CAT_DOG}", f"dev/{CAT_DOG}"],
            {"train": "train_images", "validation": "dev"},
        ),
        (
            [f"archive/data/{{Train-Data,Eval}}/{CAT_DOG}", "archive/readme.txt", "notes/a.txt"],
            {"train": "archive/data/Train-Data", "validation": "archive/data/Eval"},
        ),
        ([f"pets/{{train,test}}/{CAT_DOG}"], {"train": "pets/train", "test": "pets/test"}),
        ([f"images/{CAT_DOG}"], {"": "images"}),
        ([f"labelled/{CAT_DOG}", "unlabelled/1.jpg"], {"": "labelled"}),
        ([f"photos/{CAT_DOG}"], {"": "photos"}),
        ([f"train/images/{CAT_DOG}", "test/images/1.jpg"], {"train": "train/images"}),
        ([f"train/{CAT_DOG}", "test1/test1/1.jpg"], {"train": "train"}),
        ([f"train/{CAT_DOG}", "scripts/x.py"], {"train": "train"}),
        ([f"{{train,test,extra}}/{CAT_DOG}"], {"train": "train", "test": "test"}),
        (
            [f"{{train,test}}/{CAT_DOG}", f"old/{{train,test}}/{CAT_DOG}"],
            {"train": "train", "test": "test"},
        ),
    ],
)
def test_splits_and_wrappings(
    make_tree: MakeTree, tree: list[str], expected: dict[str, str]
) -> None:
    assert places(make_tree(*tree)) == expected


@pytest.mark.parametrize(
    "tree",
    [
        ["{test,kit}/1.jpg"],
        ["{train,dev,test,car}/1.jpg"],
        ["{train,car}/1.jpg", "train/steam/2.jpg"],
        ["test/2024-05-01/1.jpg", "test/2024-05-02/1.jpg", "kit/1.jpg"],
        ["{cat,dog}/{2023,2024}/1.jpg"],
        ["{cat,dog}/{100CANON,101CANON}/1.jpg"],
        ["{cat,dog}/images/1.jpg"],
        ["vehicles/{car,train}/1.jpg", "food/1.jpg"],
        ["{cat,dog}/1.jpg", "cat/{left,right}/2.jpg", "dog/{left,right}/2.jpg"],
        ["images/1.jpg", "labels/1.jpg", "cat/1.jpg"],
        ["{masks,hats}/1.jpg"],
        ["annotations/1.jpg", "labels/2.jpg"],
        ["predictions/1.jpg", "forecasts/1.jpg"],
    ],
)
def test_classes_of_odd_names_stay_classes(make_tree: MakeTree, tree: list[str]) -> None:
    assert places(make_tree(*tree)) == {"": "."}


def test_classes_may_hold_their_splits(make_tree: MakeTree) -> None:
    root = make_tree("{cat,dog}/{train,test}/1.jpg")
    arrangement = arrange(root)
    assert arrangement.split_classes
    assert arrangement.class_of(root / "cat" / "train" / "1.jpg") == "cat"


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ([f"train/{CAT_DOG}", "kit/1.jpg"], "'train', which looks like a split with the classes c"),
        (
            [f"{{train,quux}}/{CAT_DOG}"],
            r"next to 'quux', which does not, expected .*; move 'quux'",
        ),
        (["train/cat/1.jpg", "test/dog/1.jpg", "kit/1.jpg"], "'kit', which does not"),
        ([f"{{sunny,rainy}}/{CAT_DOG}"], r"the same folders \(cat, dog\) in each of rainy, sunny"),
        ([f"{{fold1,fold2,fold3}}/{CAT_DOG}"], "give one of them such as .*fold1"),
        ([f"{{train,training_set}}/{CAT_DOG}"], "several folders for one split: train, training_s"),
        ([f"{{train,dev,val}}/{CAT_DOG}"], "several folders for one split: dev, val;"),
        ([f"train/{{train,test}}/{CAT_DOG}"], "is a split by its name and holds the split test"),
        (
            [f"{{pets,farm}}/{{train,test}}/{CAT_DOG}"],
            "holds 'farm', a data set that is divided it",
        ),
        (["cat/{train,test}/1.jpg", "dog/1.jpg"], "'cat', which holds the splits test, train, nex"),
        ([f"pets/{CAT_DOG}"], "one class, 'pets', .*if its sub-folders are the classes, give"),
    ],
)
def test_what_can_be_read_in_two_ways_is_not_read(
    make_tree: MakeTree, tree: list[str], message: str
) -> None:
    root = make_tree(*tree)
    arrangement = arrange(root)
    assert arrangement.places == {}
    assert arrangement.class_of(root / "train" / "cat" / "1.jpg") is None
    with pytest.raises(DataError, match=message):
        raise arrangement.unclear or AssertionError


def test_what_is_ignored_is_said(make_tree: MakeTree) -> None:
    root = make_tree(f"{{train,test}}/{CAT_DOG}", "seg_pred/1.jpg", "sketches/1.jpg", "val/1.jpg")
    arrangement = arrange(root)
    assert {path.name: reason for path, reason in arrangement.ignored} == {
        "sketches": "is next to the split folders test, train, val",
        "seg_pred": "is not used: its pictures are in no class folders",
        "val": "is not used: its pictures are in no class folders",
    }
    classes = [
        arrangement.class_of(root / name / "1.jpg") for name in ("val", "seg_pred", "sketches")
    ]
    assert classes == [None, None, None]
    assert arrangement.class_of(root / "test" / "dog" / "deep" / "1.jpg") == "dog"


def test_unlabelled_pictures_around_a_wrapped_folder_are_said(make_tree: MakeTree) -> None:
    root = make_tree(f"labelled/{CAT_DOG}", "unlabelled/1.jpg")
    assert [path.name for path, _ in arrange(root).ignored] == ["unlabelled"]


def test_leftovers_and_runs_are_not_classes(make_tree: MakeTree) -> None:
    root = make_tree(
        f"archive/{CAT_DOG}",
        "{__MACOSX,#recycle,@eaDir,lost+found}/archive/cat/1.jpg",
        "runs/photos/{trained.json,confusion.png}",
        "results/{one,two}/trained.json",
    )
    assert places(root) == {"": "archive"}


def test_a_class_called_runs_is_a_class(make_tree: MakeTree) -> None:
    assert arrange(make_tree("{runs,jumps}/1.jpg")).class_of("x") is None
    root = make_tree("{runs,jumps}/1.jpg")
    assert arrange(root).class_of(root / "runs" / "1.jpg") == "runs"


def test_a_large_tree_without_pictures_is_not_searched_to_its_end(make_tree: MakeTree) -> None:
    root = make_tree(f"train/{CAT_DOG}", *(f"more/{number}/" for number in range(1500)))
    assert arrange(root).unclear is not None


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        arrange(tmp_path / "gone")


def test_the_name_of_the_folder_counts_also_where_the_path_does_not_say_it(
    make_tree: MakeTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_tree("photos/{cat,dog}/1.jpg")
    monkeypatch.chdir(root)
    arrangement = arrange(Path("."))
    assert arrangement.places == {None: Path("photos")}
    assert arrangement.class_of("photos/cat/1.jpg") == "cat"

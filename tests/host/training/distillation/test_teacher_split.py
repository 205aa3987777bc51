"""The student is never judged by a picture that its teacher has trained on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import SPLITS, Split, TrainedModel, write_trained
from edgeinfer.device.core.errors import DataError, ModelError, UsageError
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.host.data.dataset import PreparedData
from edgeinfer.host.training.distillation.teacher_split import follow_teacher

LABELS = ("cat", "dog")


def _samples(splits: Mapping[Split, str], root: str = "/data") -> dict[Split, list[Sample]]:
    """Return a sample for each letter: capitals are dogs."""
    return {
        split: [
            Sample(source=f"{root}/{LABELS[name.isupper()]}/{name}.jpg", target=int(name.isupper()))
            for name in splits.get(split, "")
        ]
        for split in SPLITS
    }


def _data(splits: Mapping[Split, str], *, own: frozenset[Split] = frozenset()) -> PreparedData:
    return PreparedData(
        name="pets", labels=LABELS, splits=_samples(splits), findings=(), own_splits=own
    )


def _teacher(folder: Path, splits: Mapping[Split, str], root: str = "/data") -> Path:
    folder.mkdir(exist_ok=True)
    trained = TrainedModel(name="t", labels=LABELS, preprocess=PreprocessSpec(size=(8, 8)))
    write_trained(folder, trained, _samples(splits, root))
    return folder


def _names(data: PreparedData) -> dict[Split, str]:
    return {
        split: "".join(Path(sample.source).stem for sample in samples)
        for split, samples in data.splits.items()
    }


def test_the_same_data_is_split_as_the_teacher_had_it(tmp_path: Path) -> None:
    theirs: dict[Split, str] = {"train": "abAB", "validation": "cC", "test": "dD"}
    run = _teacher(tmp_path, theirs)
    ours = _data({"train": "bcBC", "validation": "aD", "test": "dA"})
    assert _names(follow_teacher(ours, run)) == theirs


@pytest.mark.parametrize("root", ["/elsewhere/pets", "/data/moved"])
def test_data_that_was_moved_is_known_again(root: str, tmp_path: Path) -> None:
    theirs: dict[Split, str] = {"train": "abAB", "validation": "cC", "test": "dD"}
    run = _teacher(tmp_path, theirs, root)
    ours = _data({"train": "bcBC", "validation": "aD", "test": "dA"})
    assert _names(follow_teacher(ours, run)) == theirs


def test_pictures_that_the_teacher_does_not_know_stay(tmp_path: Path) -> None:
    run = _teacher(tmp_path, {"train": "aA", "validation": "bB", "test": "cC"})
    ours = _data({"train": "abABxX", "validation": "cyY", "test": "CzZ"})
    assert _names(follow_teacher(ours, run)) == {
        "train": "axAX",
        "validation": "byBY",
        "test": "czCZ",
    }


def test_a_teacher_of_other_data_changes_nothing(tmp_path: Path) -> None:
    run = _teacher(tmp_path, {"train": "aA", "validation": "bB", "test": "cC"})
    ours = _data({"train": "pP", "validation": "qQ", "test": "rR"})
    assert follow_teacher(ours, run) == ours


@pytest.mark.parametrize(
    ("theirs", "says"),
    [
        ({"train": "abAB", "validation": "cC", "test": "D"}, "in training.*a test picture"),
        ({"train": "aA", "validation": "bB", "test": "D"}, "in validation.*a test picture"),
    ],
)
def test_a_picture_that_the_data_itself_tests_with_must_be_new_to_the_teacher(
    theirs: dict[Split, str], says: str, tmp_path: Path
) -> None:
    run = _teacher(tmp_path, theirs)
    ours = _data(
        {"train": "aA", "validation": "xX", "test": "bB"}, own=frozenset({"train", "test"})
    )
    with pytest.raises(UsageError, match=says + ".*; train a teacher on this data"):
        follow_teacher(ours, run)


def test_its_own_test_split_stays_where_the_teacher_did_not_look(tmp_path: Path) -> None:
    run = _teacher(tmp_path, {"train": "aA", "validation": "bB", "test": "cC"})
    ours = _data(
        {"train": "abA", "validation": "B", "test": "cCxX"}, own=frozenset({"train", "test"})
    )
    assert _names(follow_teacher(ours, run)) == {"train": "aA", "validation": "bB", "test": "cxCX"}


def test_a_split_that_would_be_left_empty_is_refused(tmp_path: Path) -> None:
    run = _teacher(tmp_path, {"train": "abcABC"})
    ours = _data({"train": "aA", "validation": "bB", "test": "cC"})
    with pytest.raises(DataError, match="pets: has no validation pictures in the split of the"):
        follow_teacher(ours, run)


def test_a_run_without_samples_is_not_a_teacher(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no trained\.json"):
        follow_teacher(_data({"train": "aA"}), tmp_path)


NAMES = "abcdefgABCDEFG"
ASSIGNMENT = st.lists(st.sampled_from([*SPLITS, None]), min_size=len(NAMES), max_size=len(NAMES))


def _assigned(places: list[Split | None]) -> dict[Split, str]:
    return {
        split: "".join(n for n, place in zip(NAMES, places, strict=True) if place == split)
        for split in SPLITS
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ASSIGNMENT, ASSIGNMENT, st.sets(st.sampled_from(SPLITS)))
def test_nothing_leaks_and_nothing_is_lost(
    tmp_path: Path, ours: list[Split | None], theirs: list[Split | None], own: set[Split]
) -> None:
    run = _teacher(tmp_path, seen := _assigned(theirs))
    data = _data(_assigned(ours), own=frozenset(own))
    try:
        shared = _names(follow_teacher(data, run))
    except (UsageError, DataError):
        return
    assert not set(shared["test"]) & (set(seen["train"]) | set(seen["validation"]))
    assert not set(shared["validation"]) & set(seen["train"])
    assert sorted("".join(shared.values())) == sorted("".join(_names(data).values()))
    again = follow_teacher(follow_teacher(data, run), run)
    assert _names(again) == shared

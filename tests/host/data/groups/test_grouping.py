"""Pictures that belong together stay together."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import SPLITS, Split
from edgeinfer.converters.tasks.classification.task import TASK
from edgeinfer.device.core.errors import DataError, UsageError
from edgeinfer.host.data.groups.choose_split import split_as
from edgeinfer.host.data.groups.grouping import (
    groups_of,
    offer,
    parse_split_by,
    split_groups,
    time_of,
)


def pictures(sizes: list[int], labels: int = 2) -> list[Sample]:
    return [
        Sample(source=f"/d/v{group}_{index:03}.jpg", target=(group + index) % labels)
        for group, size in enumerate(sizes)
        for index in range(size)
    ]


BY_VIDEO = parse_split_by("group:{video}_*")


@settings(deadline=None)
@given(
    sizes=st.lists(st.integers(1, 40), min_size=3, max_size=20),
    seed=st.integers(0, 2**32),
    data=st.data(),
)
def test_no_group_is_in_two_splits_and_every_split_has_one(
    sizes: list[int], seed: int, data: st.DataObject
) -> None:
    def split(samples: list[Sample]) -> dict[Split, list[Sample]]:
        groups = groups_of(samples, "/d", BY_VIDEO)
        return split_groups(
            samples, groups, task=TASK, seed=seed, validation_share=0.2, test_share=0.2
        )

    samples = pictures(sizes)
    splits = split(samples)
    assert sorted(s.source for found in splits.values() for s in found) == sorted(
        s.source for s in samples
    )
    homes: dict[str, set[Split]] = {}
    for name in SPLITS:
        assert splits[name]
        for sample in splits[name]:
            homes.setdefault(sample.source.split("_")[0], set()).add(name)
    assert {len(home) for home in homes.values()} == {1}
    assert split(data.draw(st.permutations(samples))) == splits


def test_equal_groups_give_the_shares_and_the_classes() -> None:
    samples = pictures([10] * 20)
    groups = groups_of(samples, "/d", BY_VIDEO)
    splits = split_groups(samples, groups, task=TASK, seed=1, validation_share=0.1, test_share=0.2)
    assert {name: len(found) for name, found in splits.items()} == {
        "train": 140, "validation": 20, "test": 40,
    }  # fmt: skip
    assert Counter(s.target for s in splits["test"]) == {0: 20, 1: 20}


def test_too_few_groups_are_an_error_that_counts_them() -> None:
    samples = pictures([5, 5])
    with pytest.raises(DataError, match=r"gives 2 groups .* expected at least 3"):
        split_groups(
            samples,
            groups_of(samples, "/d", BY_VIDEO),
            task=TASK,
            seed=0,
            validation_share=0.1,
            test_share=0.1,
        )


def test_pictures_close_in_time_are_one_group() -> None:
    names = ["120000", "120030", "120140", "130000"]
    samples = [Sample(source=f"/d/20261124_{name}.jpg", target=0) for name in names]
    by = parse_split_by("time")
    assert groups_of(samples, "/d", by) == [0, 0, 1, 2]
    assert groups_of(samples[::-1], "/d", by) == [2, 1, 0, 0]
    assert groups_of(samples, "/d", parse_split_by("time:71")) == [0, 0, 0, 1]
    with pytest.raises(DataError, match=r"4 of 5 pictures have a time.*is cat\.jpg"):
        groups_of([*samples, Sample(source="/d/cat.jpg", target=0)], "/d", by)


@pytest.mark.parametrize("name", ["20261399_120000", "cat", "20261124", "123456789012345678"])
def test_names_without_a_time(name: str) -> None:
    assert time_of(f"{name}.jpg") is None


@pytest.mark.parametrize(
    "text", ["time:", "time:x", "time:-1", "group", "group:", "group:*", "day"]
)
def test_other_texts_are_refused_by_name(text: str) -> None:
    with pytest.raises(UsageError, match="--split-by"):
        parse_split_by(text)


def test_it_is_offered_where_names_say_so() -> None:
    assert offer([f"v{i}_{n:03}.jpg" for i in range(4) for n in range(9)]) == "group:{group}_*"
    assert offer([f"2026112{i}_12000{n}.jpg" for i in range(4) for n in range(9)]) == "time"
    assert offer([f"IMG_{n}.jpg" for n in range(90)]) is None
    assert offer([f"cat.{n}.jpg" for n in range(9)] + [f"dog.{n}.jpg" for n in range(9)]) is None
    assert offer([]) is None


def test_own_splits_and_groups_contradict_each_other(tmp_path: Path) -> None:
    own: list[tuple[Sample, Split | None]] = [(sample, "train") for sample in pictures([9, 9, 9])]
    with pytest.raises(UsageError, match="--split-by"):
        split_as(
            *(own, tmp_path),
            split_by="time",
            seed=0,
            task=TASK,
            validation_share=0.1,
            test_share=0.1,
        )

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import SPLITS, Split
from edgeinfer.converters.tasks.classification.task import TASK
from edgeinfer.device.core.errors import DataError
from edgeinfer.host.data.split import fold_of, split_samples


def _samples(counts: list[int], root: str = "/data") -> list[tuple[Sample, Split | None]]:
    return [
        (Sample(source=f"{root}/{label}/{index}.jpg", target=label), None)
        for label, count in enumerate(counts)
        for index in range(count)
    ]


counts_strategy = st.lists(st.integers(3, 60), min_size=2, max_size=5)
share_strategy = st.floats(0.02, 0.45)


@settings(deadline=None)
@given(
    counts=counts_strategy,
    seed=st.integers(0, 2**64),
    validation=share_strategy,
    test=share_strategy,
    data=st.data(),
)
def test_disjoint_complete_stratified_and_independent_of_order(
    counts: list[int], seed: int, validation: float, test: float, data: st.DataObject
) -> None:
    samples = _samples(counts)
    splits = split_samples(
        samples, seed=seed, validation_share=validation, test_share=test, task=TASK
    )
    together = [sample for split in SPLITS for sample in splits[split]]
    assert len(together) == len(set(together)) == len(samples)
    for label, count in enumerate(counts):
        got = {split: sum(s.target == label for s in splits[split]) for split in SPLITS}
        assert min(got.values()) >= 1
        shares = {"validation": validation, "test": test, "train": 1 - validation - test}
        # The smallest classes are stretched so that each split gets one.
        tolerance = (1 if count * min(shares.values()) >= 1 else 2) + 1e-9
        for split in SPLITS:
            assert abs(got[split] - count * shares[split]) <= tolerance
    shuffled = data.draw(st.permutations(samples))
    again = split_samples(
        shuffled, seed=seed, validation_share=validation, test_share=test, task=TASK
    )
    assert again == splits


def test_the_split_is_the_same_in_every_folder() -> None:
    here = split_samples(_samples([9, 9], "/home/a/photos"), seed=3, task=TASK)
    there = split_samples(_samples([9, 9], "/mnt/z"), seed=3, task=TASK)
    for split in SPLITS:
        assert [s.source.replace("/home/a/photos", "/mnt/z") for s in here[split]] == [
            s.source for s in there[split]
        ]


def test_the_split_of_seed_0_is_fixed_for_all_time() -> None:
    splits = split_samples(_samples([10, 10]), seed=0, task=TASK)
    names = {split: [s.source.removeprefix("/data/") for s in splits[split]] for split in SPLITS}
    assert names["validation"] == ["0/3.jpg", "1/7.jpg"]
    assert names["test"] == ["0/2.jpg", "1/4.jpg"]


def test_another_seed_gives_another_split() -> None:
    samples = _samples([50, 50])
    assert split_samples(samples, seed=0, task=TASK) != split_samples(samples, seed=1, task=TASK)


@pytest.mark.parametrize("own", [("train",), ("train", "test"), ("train", "validation"), SPLITS])
def test_given_splits_stay_and_missing_ones_are_made(own: tuple[Split, ...]) -> None:
    samples = [
        (Sample(source=f"/data/{split}/{label}/{index}.jpg", target=label), split)
        for split in own
        for label in range(2)
        for index in range(20)
    ]
    splits = split_samples(samples, seed=0, task=TASK)
    for split in ("validation", "test"):
        counted = Counter(sample.target for sample in splits[split])
        assert counted == ({0: 20, 1: 20} if split in own else {0: 2, 1: 2})
        origin = split if split in own else "train"
        assert all(s.source.startswith(f"/data/{origin}/") for s in splits[split])
    missing = 3 - len(own)
    assert Counter(s.target for s in splits["train"]) == {0: 20 - 2 * missing, 1: 20 - 2 * missing}


def test_too_few_samples() -> None:
    with pytest.raises(DataError, match="class 1: has 2 samples to divide, expected at least 3"):
        split_samples(_samples([5, 2]), seed=0, task=TASK)


@pytest.mark.parametrize("shares", [(0.0, 0.1), (0.1, -1.0), (0.5, 0.5), (float("nan"), 0.1)])
def test_impossible_shares(shares: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="shares"):
        split_samples(
            _samples([5, 5]), seed=0, validation_share=shares[0], test_share=shares[1], task=TASK
        )


@given(counts=counts_strategy, count=st.integers(2, 7), data=st.data())
def test_folds_are_even_in_each_group_and_independent_of_order(
    counts: list[int], count: int, data: st.DataObject
) -> None:
    samples = [sample for sample, _ in _samples(counts)]
    folds = dict(zip(samples, fold_of(samples, task=TASK, count=count, seed=3), strict=True))
    for label in range(len(counts)):
        sizes = Counter(fold for sample, fold in folds.items() if sample.target == label)
        every = [sizes[fold] for fold in range(count)]
        assert max(every) - min(every) <= 1
    whole = Counter(folds.values())
    assert max(whole[fold] for fold in range(count)) - min(whole[f] for f in range(count)) <= 1
    mixed = data.draw(st.permutations(samples))
    again = fold_of(mixed, task=TASK, count=count, seed=3)
    assert dict(zip(mixed, again, strict=True)) == folds

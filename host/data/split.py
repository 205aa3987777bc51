"""Seeded, stratified splits that are the same on every machine and in every file order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence

import numpy as np

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import SPLITS, Split
from edgeinfer.converters.tasks.task import MeasuredTask
from edgeinfer.device.core.errors import DataError


def split_samples(
    samples: Iterable[tuple[Sample, Split | None]],
    *,
    task: MeasuredTask,
    seed: int,
    validation_share: float = 0.1,
    test_share: float = 0.1,
) -> dict[Split, list[Sample]]:
    """Put each sample into one split, group by group of the task's targets.

    A split that some samples already have is kept unchanged; a missing one is taken from the
    training samples and those without a split, at least one sample of each group.

    Args:
        samples: each with the split that the data set itself puts it in, or None.
        task: defines the groups of targets, such as classes.
        seed: 0 or more; the same seed gives the same split.
        validation_share: of the group's samples that it is taken from, above 0.
        test_share: the same for the test split; both together below 1.

    Raises:
        DataError: a group has too few samples to be in each split.
        ValueError: the shares make no sense.
    """
    if not (validation_share > 0 and test_share > 0 and validation_share + test_share < 1):
        raise ValueError(
            f"the shares are {validation_share} and {test_share}, expected above 0 and together "
            "below 1"
        )
    result: dict[Split, list[Sample]] = {split: [] for split in SPLITS}
    pools: dict[int, list[Sample]] = defaultdict(list)
    groups: dict[Hashable, int] = {}
    for sample, split in samples:
        if split in ("validation", "test"):
            result[split].append(sample)
        else:
            group = task.group(sample.target)
            # A group that is a number, such as a class's index, seeds the draw with that number.
            number = group if isinstance(group, int) else groups.setdefault(group, len(groups))
            pools[number].append(sample)
    wanted: dict[Split, float] = {"validation": validation_share, "test": test_share}
    shares = {split: share for split, share in wanted.items() if not result[split]}
    for number, pool in sorted(pools.items()):
        start = 0
        shuffled = _shuffle(pool, seed, number)
        for split, count in _counts(len(pool), shares, number).items():
            result[split].extend(shuffled[start : start + count])
            start += count
        result["train"].extend(shuffled[start:])
    for members in result.values():
        members.sort(key=lambda sample: (_order(task.group(sample.target)), sample.source))
    return result


def fold_of(samples: Sequence[Sample], *, task: MeasuredTask, count: int, seed: int) -> list[int]:
    """Return the fold, 0 to `count` - 1, of each sample: each group is spread over all of them.

    Args:
        samples: any.
        task: defines the groups of targets, such as classes.
        count: how many folds.
        seed: 0 or more; the same seed gives the same folds for any order of the samples.
    """
    pools: dict[Hashable, list[Sample]] = defaultdict(list)
    for sample in samples:
        pools[task.group(sample.target)].append(sample)
    folds: dict[str, int] = {}
    # Each group begins where the last one ended, so that all folds have equally many samples.
    place = 0
    for number, group in enumerate(sorted(pools, key=_order)):
        for sample in _shuffle(pools[group], seed, number):
            folds[sample.source] = place % count
            place += 1
    return [folds[sample.source] for sample in samples]


def _order(group: Hashable) -> tuple[int, str]:
    """Return the sort key of a group: numbers by their value, others as text."""
    return (group, "") if isinstance(group, int) else (0, str(group))


def _shuffle(pool: list[Sample], seed: int, number: int) -> list[Sample]:
    """Shuffle by seed and group, independent of the order in `pool`.

    The keys are PCG64's raw output, whose stream numpy guarantees (NEP 19); that of the
    Generator's own shuffle may change between numpy versions. Paths below one folder have
    the same order in any place of that folder.
    """
    keys = np.random.PCG64([seed, number]).random_raw(len(pool))
    ordered = sorted(pool, key=lambda sample: sample.source)
    return [ordered[index] for index in np.argsort(keys, kind="stable")]


def _counts(available: int, shares: dict[Split, float], number: int) -> dict[Split, int]:
    """Return how many of a group's samples leave training: its share, rounded, at least one."""
    if available <= len(shares):
        raise DataError(
            f"class {number}",
            got=f"has {available} samples to divide",
            expected=f"at least {len(shares) + 1}",
            next_step="add images or remove the class",
        )
    counts = {split: max(1, int(available * share + 0.5)) for split, share in shares.items()}
    while sum(counts.values()) >= available:
        counts[max(counts, key=lambda split: counts[split])] -= 1
    return counts

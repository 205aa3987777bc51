"""What each split of a data set holds: pictures of each label, or the range of each value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.host.data.dataset import PreparedData
from edgeinfer.host.tasks.registry import find_data_task

NO_NAME = "value"
"""What the only value of a data set is called."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What the splits of a data set hold.

    Attributes:
        each: what a name is of: "class" (a picture has one), "label" or "value".
        pictures: how many pictures each split has.
        counts: how many of them have each label; empty for tasks without labels.
        ranges: the smallest and the largest of each measured value, None for a split without
            pictures; empty for tasks without values.
    """

    each: str
    pictures: Mapping[Split, int]
    counts: Mapping[str, Mapping[Split, int]]
    ranges: Mapping[str, Mapping[Split, tuple[float, float] | None]]


def contents_of(prepared: PreparedData) -> Contents:
    """Count the labels, or measure the range of the values, of each split.

    Args:
        prepared: the usable pictures of a data set.
    """
    task = find_data_task(prepared.task)
    labels: dict[Split, Counter[int]] = {}
    values: dict[Split, list[tuple[float, ...]]] = {}
    for split, samples in prepared.splits.items():
        labels[split] = Counter(
            index for sample in samples for index in task.labels_of(sample.target)
        )
        values[split] = [tuple(task.values_of(sample.target)) for sample in samples]
    pictures = {split: len(samples) for split, samples in prepared.splits.items()}
    names = prepared.labels or (NO_NAME,)
    if any(any(rows) for rows in values.values()):
        ranges = {
            name: {split: _range([row[place] for row in rows]) for split, rows in values.items()}
            for place, name in enumerate(names)
        }
        return Contents(each="value", pictures=pictures, counts={}, ranges=ranges)
    counts = {
        label: {split: found[index] for split, found in labels.items()}
        for index, label in enumerate(prepared.labels)
    }
    targets = (sample.target for samples in prepared.splits.values() for sample in samples)
    one = all(task.class_of(target) is not None for target in targets)
    return Contents(each="class" if one else "label", pictures=pictures, counts=counts, ranges={})


def _range(values: list[float]) -> tuple[float, float] | None:
    return (min(values), max(values)) if values else None

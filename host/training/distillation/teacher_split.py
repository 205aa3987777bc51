"""The split that a student shares with its teacher.

A teacher answers its training pictures far better than others, and a student learns its answers. So
a training picture of the teacher must not be a validation or test picture of the student: the
student uses the teacher's split.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import SPLITS, Split, read_samples
from edgeinfer.device.core.errors import DataError, UsageError

if TYPE_CHECKING:
    from edgeinfer.host.data.dataset import PreparedData

_SEEN: dict[Split, frozenset[Split]] = {
    "validation": frozenset({"train"}),
    # The validation pictures were used to choose the teacher's best epoch.
    "test": frozenset({"train", "validation"}),
}


def follow_teacher(data: PreparedData, run: Path) -> PreparedData:
    """Return the data with each of the teacher's pictures in the teacher's split.

    Pictures that the teacher does not know stay where they are. They are identified by their paths,
    or, if the data was moved or copied, by their paths within it.

    Args:
        data: the student's data with its own split.
        run: the teacher's folder of `edgeinfer train`.

    Raises:
        UsageError: a test or validation picture by the data set's own split was seen by the
            teacher.
        DataError: no training or validation pictures would be left.
        ModelError: the teacher's run is missing or damaged.
    """
    known = _known(read_samples(run), [s.source for part in data.splits.values() for s in part])
    splits: dict[Split, list[Sample]] = {split: [] for split in SPLITS}
    for split, samples in data.splits.items():
        for sample in samples:
            theirs = known(sample.source)
            splits[_place(sample, split, theirs, data, run)].append(sample)
    for split, samples in splits.items():
        if not samples and data.splits[split]:
            raise DataError(
                data.name,
                got=f"has no {split} pictures in the split of the teacher {run}",
                next_step="add pictures, or train a teacher on this data",
            )
        samples.sort(key=lambda sample: (sample.target, sample.source))
    return replace(data, splits=splits)


def _place(
    sample: Sample, split: Split, theirs: Split | None, data: PreparedData, run: Path
) -> Split:
    """Return the split for a picture that the data has in `split` and the teacher in `theirs`."""
    if theirs is None:
        return split
    if split == "train" or split not in data.own_splits:
        return theirs
    if theirs in _SEEN[split]:
        raise UsageError(
            run,
            got=f"the teacher has seen {sample.source} in {_VERB[theirs]}, which the data calls a "
            f"{split} picture",
            next_step="train a teacher on this data, with its own split",
        )
    return split


_VERB: dict[Split, str] = {"train": "training", "validation": "validation", "test": "testing"}


def _known(theirs: dict[Split, list[Sample]], ours: Iterable[str]) -> Callable[[str], Split | None]:
    """Return a function that finds a source's split in the teacher's run, or None."""
    by_path = {sample.source: split for split, samples in theirs.items() for sample in samples}
    ours = list(ours)
    if not by_path or any(source in by_path for source in ours):
        return by_path.get
    within = _within(by_path)
    by_place = {within(source): split for source, split in by_path.items()}
    place = _within(ours)
    return lambda source: by_place.get(place(source))


def _within(sources: Iterable[str]) -> Callable[[str], str]:
    """Return a function that shortens a source to its path within their common folder."""
    folder = os.path.commonpath([os.path.dirname(source) for source in sources])
    return lambda source: os.path.relpath(source, folder)

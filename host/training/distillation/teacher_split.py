"""The split that a student shares with its teacher.

A teacher answers pictures that it was trained on far better than others, and a student learns its
answers. So a picture that the teacher has trained on must not be among those that the student is
judged by: the student takes over the teacher's split.
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
    # The validation pictures have chosen the teacher's best epoch.
    "test": frozenset({"train", "validation"}),
}


def follow_teacher(data: PreparedData, run: Path) -> PreparedData:
    """Return the data with each picture that the teacher knows in the split that it had there.

    Pictures that the teacher does not know stay where they are. They are told by their paths, or,
    where the data has been moved or copied, by their paths within it.

    Args:
        data: the student's, as split by itself.
        run: the teacher's folder of `edgeinfer train`.

    Raises:
        UsageError: the data set itself calls a picture a test or validation picture that the
            teacher has seen.
        DataError: no training or validation pictures would be left.
        ModelError: the teacher's run is absent or damaged.
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
    """Return what tells a source's split in the teacher's run, None where it was not there."""
    by_path = {sample.source: split for split, samples in theirs.items() for sample in samples}
    ours = list(ours)
    if not by_path or any(source in by_path for source in ours):
        return by_path.get
    within = _within(by_path)
    by_place = {within(source): split for source, split in by_path.items()}
    place = _within(ours)
    return lambda source: by_place.get(place(source))


def _within(sources: Iterable[str]) -> Callable[[str], str]:
    """Return what shortens a source to its path within the folder that they all share."""
    folder = os.path.commonpath([os.path.dirname(source) for source in sources])
    return lambda source: os.path.relpath(source, folder)

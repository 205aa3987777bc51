"""Splits as the user wants them: picture by picture, or with neighbours kept together."""

from __future__ import annotations

import os
from collections.abc import Hashable, Sequence
from pathlib import Path

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.converters.tasks.task import MeasuredTask
from edgeinfer.device.core.errors import UsageError
from edgeinfer.host.data.folders.findings import Finding
from edgeinfer.host.data.groups.grouping import groups_of, offer, parse_split_by, split_groups
from edgeinfer.host.data.split import split_samples


def split_as(
    samples: Sequence[tuple[Sample, Split | None]],
    root: Path,
    *,
    split_by: str | None,
    seed: int,
    task: MeasuredTask,
    validation_share: float,
    test_share: float,
    together: Sequence[Hashable] | None = None,
) -> tuple[dict[Split, list[Sample]], tuple[Finding, ...]]:
    """Split samples as a user says it, and return notes on what else is possible.

    Args:
        samples: each with the split that the data set itself puts it in, or None.
        root: the folder of pictures.
        split_by: which pictures belong together, see `parse_split_by`; None for each alone.
        seed: of the split.
        task: defines the groups of targets, such as classes.
        validation_share: of the pictures.
        test_share: the same for the test split.
        together: a group for each sample, where `split_by` is None: those of one group stay in one
            split. Not for data that has splits.

    Raises:
        DataError: there are too few pictures.
        UsageError: the data set has its own splits, and pictures are to stay together.
    """
    own = any(split is not None for _, split in samples)
    plain = [sample for sample, _ in samples]
    if split_by is None and together is not None:
        splits = split_groups(
            *(plain, together),
            task=task,
            seed=seed,
            validation_share=validation_share,
            test_share=test_share,
        )
        return splits, ()
    if split_by is None:
        notes = []
        offered = None
        if not own:
            offered = offer([os.path.relpath(sample.source, root) for sample in plain])
        if offered is not None:
            detail = (
                "the names look like those of pictures that were taken one after the other; to "
                f"keep neighbours in one split: --split-by '{offered}'"
            )
            notes.append(Finding(kind="note", path=".", detail=detail))
        splits = split_samples(
            samples,
            task=task,
            seed=seed,
            validation_share=validation_share,
            test_share=test_share,
        )
        return splits, tuple(notes)
    if own:
        raise UsageError(
            "--split-by",
            got=f"given for {root}, which has its own splits",
            next_step="leave it out",
        )
    by = parse_split_by(split_by)
    groups = groups_of(plain, os.fspath(root), by)
    splits = split_groups(
        *(plain, groups),
        task=task,
        seed=seed,
        validation_share=validation_share,
        test_share=test_share,
    )
    sizes = ", ".join(f"{split} {len(found):,}" for split, found in splits.items())
    detail = f"{len(set(groups)):,} groups of pictures stay together: {sizes}"
    return splits, (Finding(kind="note", path=".", detail=detail),)

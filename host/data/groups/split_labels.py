"""Splits of pictures that have several labels: by the rarest label of each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.converters.tasks.classification.task import TASK
from edgeinfer.host.data.folders.findings import Finding
from edgeinfer.host.data.groups.choose_split import split_as
from edgeinfer.host.data.labels.several import by_rarest

LEAST_IN_GROUP = 10
"""Fewer pictures of a group would not spread over three splits by the usual shares."""


def split_by_rarest(
    samples: Sequence[tuple[Sample, Split | None]],
    root: Path,
    *,
    labels_of: Callable[[Any], Collection[int]],
    split_by: str | None,
    seed: int,
    shares: tuple[float, float],
    together: Mapping[str, Hashable] | None = None,
) -> tuple[dict[Split, list[Sample]], tuple[Finding, ...]]:
    """Do what `split_as` does, so that rare labels come into each split.

    Args:
        samples: each with the split that the data set itself puts it in, or None.
        root: the folder of pictures.
        labels_of: returns the labels of a target.
        split_by: which pictures belong together, see `parse_split_by`; None for each alone.
        seed: of the split.
        shares: of validation and test.
        together: the group of each source, see `split_as`; None for each alone.

    Raises:
        DataError, UsageError: as `split_as`.
    """
    known = {sample.source: (sample, split) for sample, split in samples}
    labelled = [replace(one, target=frozenset(labels_of(one.target))) for one, _ in samples]
    ordered = by_rarest(labelled, LEAST_IN_GROUP)
    drawn, notes = split_as(
        [(one, known[one.source][1]) for one in ordered],
        root,
        split_by=split_by,
        seed=seed,
        task=TASK,  # the numbers of `by_rarest` are its groups
        validation_share=shares[0],
        test_share=shares[1],
        together=None if together is None else [together[one.source] for one in ordered],
    )
    splits = {split: [known[one.source][0] for one in found] for split, found in drawn.items()}
    return splits, notes

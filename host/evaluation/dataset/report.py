"""Everything that the check of a data set found, beyond what its files are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.host.data.dataset import PreparedData
from edgeinfer.host.data.folders.findings import Finding, FindingKind
from edgeinfer.host.data.groups.near.find import Near, find_near
from edgeinfer.host.data.groups.near.sketch import Bytes, read_small, small_grey
from edgeinfer.host.data.groups.near.together import UNIFORM_CONTRAST, numbered
from edgeinfer.host.evaluation.dataset.contents import Contents, contents_of
from edgeinfer.host.evaluation.dataset.copies import Copy, choose_copies
from edgeinfer.host.evaluation.dataset.drift import Drift, drifts
from edgeinfer.host.evaluation.dataset.features.extract import extract
from edgeinfer.host.evaluation.dataset.features.judge import (
    Suspect,
    ToldApart,
    suspects,
    tell_apart,
)
from edgeinfer.host.evaluation.dataset.features.linear import FOLDS, compact
from edgeinfer.host.evaluation.dataset.looks import Look, look_at_all
from edgeinfer.host.evaluation.dataset.oddities import Oddity, imbalance, odd_pictures
from edgeinfer.host.tasks.registry import find_data_task


@dataclass(frozen=True, kw_only=True)
class Deep:
    """What the features of a network tell.

    Attributes:
        suspects: likely wrong labels; None where the task has no classes.
        agreed: the share of labels that heads trained on other pictures give, too.
        told_apart: how well a head distinguishes each own split from training.
    """

    suspects: tuple[Suspect, ...] | None
    agreed: float | None
    told_apart: tuple[ToldApart, ...]


@dataclass(frozen=True, kw_only=True)
class DataReport:
    """What was found in a data set.

    Attributes:
        root: its folder, absolute.
        prepared: its usable pictures, and the files that are left out.
        contents: what each split holds.
        copies: near-duplicates.
        oddities: uniform pictures, odd sizes, rare classes.
        drifts: of the splits that it has itself.
        deep: None if no features were computed.
    """

    root: Path
    prepared: PreparedData
    contents: Contents
    copies: tuple[Copy, ...]
    oddities: tuple[Oddity, ...]
    drifts: tuple[Drift, ...]
    deep: Deep | None

    def relative(self, path: str) -> str:
        """Return a picture's path within the data set."""
        return os.path.relpath(path, self.root)

    def findings(self) -> tuple[Finding, ...]:
        """Return one for each thing that a person should look at; none leaves anything out."""
        found = [self._of_copy(copy) for copy in self.copies]
        for odd in self.oddities:
            path = odd.path if odd.kind == "imbalance" else self.relative(odd.path)
            found.append(Finding(kind=odd.kind, path=path, detail=odd.detail))
        for drift in self.drifts:
            if drift.named:
                found.append(Finding(kind="drift", path=drift.split, detail=drift.text))
        if self.deep is not None:
            for told in self.deep.told_apart:
                if told.named:
                    found.append(Finding(kind="drift", path=told.split, detail=told.text))
            for suspect in self.deep.suspects or ():
                detail = (
                    f"labelled '{suspect.label}', looks like '{suspect.likely}' "
                    f"(confidence {100 * suspect.confidence:.0f} %)"
                )
                path = self.relative(suspect.path)
                found.append(Finding(kind="wrong-label", path=path, detail=detail))
        return tuple(found)

    def _of_copy(self, copy: Copy) -> Finding:
        detail = f"is {copy.text} {self.relative(copy.kept)}"
        if copy.contradicts:
            detail += ", which has another label: one is wrong"
        elif copy.split is not None and copy.straddles:
            detail += f": {copy.split} and {copy.kept_split} share it"
        kind: FindingKind = "near-conflict" if copy.contradicts else "near-duplicate"
        return Finding(kind=kind, path=self.relative(copy.path), detail=detail)


def inspect_data(
    root: Path, prepared: PreparedData, *, deep: bool, progress: Progress, threads: int = 2
) -> DataReport:
    """Look at all usable pictures of a data set.

    Args:
        root: its folder.
        prepared: what is usable, and the splits.
        deep: compute features, which tell likely wrong labels and drift; minutes for thousands.
        progress: reports the steps.
        threads: how many pictures are decoded at the same time.

    Raises:
        MissingExtraError: `deep`, and the [host] extra or the weights are not installed.
        ImageError: a picture that could be read before cannot be read now.
    """
    looks = look_at_all(prepared.splits, progress=progress, threads=threads)

    def grey(index: int) -> Bytes:
        return small_grey(read_small(looks[index].sample.source)[0])

    # Pictures of one colour all look the same: they are named for that.
    shown = [index for index, look in enumerate(looks) if look.contrast >= UNIFORM_CONTRAST]
    near = [
        Near(first=shown[pair.first], second=shown[pair.second], likeness=pair.likeness)
        for pair in find_near(
            [looks[index].sketch for index in shown],
            lambda index: grey(shown[index]),
            progress=progress,
        )
    ]
    task = find_data_task(prepared.task)

    def own_split(look: Look) -> Split | None:
        if look.split in prepared.own_splits:
            return look.split
        # A split that the data does not have is drawn from its training pictures.
        return "train" if "train" in prepared.own_splits else None

    copies = choose_copies(looks, near, own_split=own_split, contradict=task.contradict)
    return DataReport(
        root=root,
        prepared=prepared,
        contents=contents_of(prepared),
        copies=tuple(copies),
        oddities=(*odd_pictures(looks), *imbalance(prepared, task.class_of)),
        drifts=tuple(drifts(looks, prepared.own_splits)),
        deep=_deep(looks, near, prepared, progress) if deep else None,
    )


def _deep(
    looks: Sequence[Look], near: Sequence[Near], prepared: PreparedData, progress: Progress
) -> Deep:
    features = compact(extract(looks, progress=progress))
    groups = numbered(len(looks), near)
    doubted: tuple[Suspect, ...] | None = None
    agreed = None
    task = find_data_task(prepared.task)
    classes = [task.class_of(look.sample.target) for look in looks]
    targets = np.array([index for index in classes if index is not None], np.int64)
    if prepared.labels and len(targets) == len(looks):
        progress.start("comparing the labels with the pictures", 2 * FOLDS)
        found, agreed = suspects(
            looks, features, targets, prepared.labels, groups, done=progress.advance
        )
        doubted = tuple(found)
    told = tell_apart(looks, features, groups, prepared.own_splits)
    return Deep(suspects=doubted, agreed=agreed, told_apart=tuple(told))

"""Pictures with boxes: they are read, checked and split."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from edgeinfer.converters.common.progress import Progress, Silent
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.converters.tasks.detection.found import paired
from edgeinfer.converters.tasks.detection.target import BoxesTarget
from edgeinfer.device.core.errors import DataError
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.data.dataset import DataOptions, PreparedData, shares_of
from edgeinfer.host.data.folders.check import Checked, check_files
from edgeinfer.host.data.folders.findings import Finding, LeftOutError, require_some
from edgeinfer.host.data.folders.folder import LabelledFile, Layout
from edgeinfer.host.data.groups.near.together import near_groups
from edgeinfer.host.data.groups.split_labels import split_by_rarest
from edgeinfer.host.tasks.data_task import DataTask
from edgeinfer.host.tasks.detection.boxes import BoxedFile, BoxLayout, find_boxes

LEAST_PICTURES = 10
LARGEST_GROUP = 0.2
"""Of all pictures: a larger group of near-duplicates could not be put into one split."""


class DetectionData(DataTask):
    """Objects in a picture, each with a box."""

    name: ClassVar[str] = "detection"
    reads_table: ClassVar[bool] = True
    takes: ClassVar[frozenset[str]] = frozenset({"split_by"})

    def prepare(
        self, root: Path, options: DataOptions, *, progress: Progress | None = None
    ) -> PreparedData:
        """Read, check and split a folder of pictures with boxes; see `find_boxes`."""
        layout = find_boxes(root, options.table, progress=progress)
        own = {file.split for file in layout.files if file.split is not None}
        shares = shares_of(layout.root, own, options.validation_share, options.test_share)
        checked = _checked(layout, progress)
        kept = {file.path for file in checked.files}
        files = [file for file in layout.files if file.path in kept]
        if len(files) < LEAST_PICTURES:
            raise DataError(
                layout.root,
                got=f"has {len(files)} usable pictures with boxes",
                expected=f"at least {LEAST_PICTURES}",
                next_step=f"add pictures; `edgeinfer data check --task {self.name}` lists what was "
                "left out",
            ) from LeftOutError(checked.findings)
        alone = options.split_by is None and not own
        together, said = _together(files, progress) if alone else (None, ())
        splits, notes = split_by_rarest(
            [(Sample(source=file.path, target=file.target), file.split) for file in files],
            layout.root,
            labels_of=self.labels_of,
            split_by=options.split_by,
            seed=options.seed,
            shares=shares,
            together=together,
        )
        _require_boxes(layout, splits, LeftOutError(checked.findings))
        return PreparedData(
            name=layout.root.name or "data",
            splits=splits,
            findings=(*checked.findings, *said, *notes),
            own_splits=frozenset(own),
            task=self.name,
            labels=layout.labels,
            root=layout.root,
        )

    def find(
        self,
        root: Path,
        said: Said,
        *,
        table: Path | None = None,
        progress: Progress | None = None,
    ) -> list[Sample]:
        """Read a folder as `prepare` does, if the labels of its boxes are among the model's."""
        layout = find_boxes(root, table, known=said.labels, progress=progress)
        checked = _checked(layout, progress)
        kept = {file.path for file in checked.files}
        samples = [
            Sample(source=file.path, target=file.target)
            for file in layout.files
            if file.path in kept
        ]
        boxes = [thing for sample in samples for thing in sample.target.things]
        require_some(layout.root, boxes, checked.findings, what="box in a picture")
        return samples

    def contradict(self, one: BoxesTarget, other: BoxesTarget) -> bool:
        """Return whether some of their boxes are not in the same places; see `contradict`."""
        return contradict(one, other)

    def labels_of(self, target: BoxesTarget) -> Sequence[int]:
        """Return the classes in a picture, each once."""
        return sorted({thing.label for thing in target.things})


def _together(
    files: Sequence[BoxedFile], progress: Progress | None
) -> tuple[dict[str, int] | None, tuple[Finding, ...]]:
    """Return the group of near-duplicates that each picture is in, and what to say of it.

    Pictures that nearly all look the same, as those of one camera do, are not copies: there are
    then no groups.
    """
    paths = [file.path for file in files]
    groups = near_groups(paths, progress=progress or Silent())
    sizes = np.bincount(groups)
    copies = int(sizes[sizes > 1].sum())
    if not copies:
        return None, ()
    if sizes.max() > LARGEST_GROUP * len(files):
        detail = (
            f"{sizes.max():,} of {len(files):,} pictures are nearly the same, and come into all "
            "splits: what is measured on them is better than on others; to keep pictures together "
            "that were taken one after the other, see --split-by"
        )
        return None, (Finding(kind="warning", path=".", detail=detail),)
    detail = f"{copies:,} pictures that are nearly the same as others stay with them in one split"
    return (
        dict(zip(paths, groups.tolist(), strict=True)),
        (Finding(kind="note", path=".", detail=detail),),
    )


def _checked(layout: BoxLayout, progress: Progress | None) -> Checked:
    """Decode all pictures; copies of one that show other things contradict each other."""
    numbers: dict[str, int] = {}
    files = []
    for file in layout.files:
        shown = _text(file.target, layout.labels)
        number = numbers.setdefault(shown, len(numbers))
        files.append(LabelledFile(path=file.path, label=number, split=file.split))
    checked = check_files(
        Layout(
            root=layout.root,
            labels=tuple(numbers),
            splits=(),
            files=tuple(files),
            findings=layout.findings,
        ),
        progress=progress,
        classes=False,
    )
    return replace(checked, findings=(*checked.findings, *_other_places(layout, checked)))


def _other_places(layout: BoxLayout, checked: Checked) -> list[Finding]:
    """Return a warning for each copy that is left out and has its boxes in other places."""
    targets = {os.path.relpath(file.path, layout.root): file.target for file in layout.files}
    return [
        Finding(
            kind="warning",
            path=one.path,
            detail=f"its boxes are in other places than those of {one.other}, the same picture",
        )
        for one in checked.findings
        if one.kind == "duplicate" and contradict(targets[one.path], targets[one.other])
    ]


def contradict(one: BoxesTarget, other: BoxesTarget) -> bool:
    """Return whether two pictures' boxes cannot be of one picture: of some no pair overlaps."""
    sides = [(target.boxes((1, 1)), target.labels) for target in (one, other)]
    return not len(one.things) == len(other.things) == paired(*sides)


def _text(target: BoxesTarget, labels: Sequence[str]) -> str:
    counts = Counter(labels[number] for number in sorted(target.labels.tolist()))
    return ", ".join(f"{count} {label}" for label, count in counts.items()) or "nothing"


def _require_boxes(
    layout: BoxLayout, splits: dict[Split, list[Sample]], left_out: LeftOutError
) -> None:
    """Refuse data in which a class cannot be learned, or measured at all.

    Raises:
        DataError: no training picture has a box of it; or validation or test have no box.
    """
    for split, samples in splits.items():
        if not any(sample.target.things for sample in samples):
            raise DataError(
                layout.root,
                got=f"no {split} picture has a box",
                expected="boxes in each split",
                next_step="add pictures, or choose another --seed",
            ) from left_out
    learned = {thing.label for sample in splits["train"] for thing in sample.target.things}
    for number, label in enumerate(layout.labels):
        if number not in learned:
            raise DataError(
                layout.root,
                got=f"no training picture has a box of '{label}'",
                expected="some of each class",
                next_step="add such pictures, or remove the boxes",
            ) from left_out

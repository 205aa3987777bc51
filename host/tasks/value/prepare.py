"""From a folder of pictures with values to splits, and to the scales of a network's outputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.tasks.value.target import ValueTarget
from edgeinfer.converters.tasks.value.task import TASK
from edgeinfer.device.core.errors import DataError, UsageError
from edgeinfer.device.tasks.spec import Decoder, ValueSpec
from edgeinfer.device.tasks.value.reading import turned
from edgeinfer.host.data.dataset import DataOptions, PreparedData, shares_of
from edgeinfer.host.data.folders.check import check_files
from edgeinfer.host.data.folders.findings import Finding, LeftOutError
from edgeinfer.host.data.folders.folder import LabelledFile, Layout
from edgeinfer.host.data.groups.choose_split import split_as
from edgeinfer.host.data.labels.measured.values import (
    MeasuredFile,
    ValueLayout,
    ValueSource,
    find_values,
)

Numbers: TypeAlias = NDArray[np.float64]

MOST_STRATA = 10
PICTURES_A_STRATUM = 10
"""A split of a tenth takes one picture of this many."""

LEAST_PICTURES = 10


def prepare_values(
    root: Path, options: DataOptions, *, progress: Progress | None = None
) -> PreparedData:
    """Find, check and split pictures with values.

    Args:
        root: the folder.
        options: how to read and split it.
        progress: reports each picture.

    Raises:
        DataError: the folder cannot be used; the sentence says why.
        UsageError: an option does not fit.
    """
    layout = find_values(root, value_source(options))
    periods = _periods(options, layout.names)
    own = {file.split for file in layout.files if file.split is not None}
    shares = shares_of(layout.root, own, options.validation_share, options.test_share)
    files, findings = checked_files(layout, progress)
    if len(files) < LEAST_PICTURES:
        raise DataError(
            layout.root,
            got=f"has {len(files)} usable pictures with values",
            expected=f"at least {LEAST_PICTURES}",
            next_step="add pictures; `edgeinfer data check --task value` lists what was left out",
        ) from LeftOutError(findings)
    values = np.array([file.values for file in files], np.float64)
    _require_varied(layout, values)
    starts = [_start(values[:, place], period) for place, period in enumerate(periods)]
    samples = [
        (Sample(source=file.path, target=ValueTarget(target, stratum)), file.split)
        for file, target, stratum in zip(
            files, _turned(values, periods, starts), _strata(values), strict=True
        )
    ]
    splits, notes = split_as(
        *(samples, layout.root),
        split_by=options.split_by,
        seed=options.seed,
        task=TASK,
        validation_share=shares[0],
        test_share=shares[1],
    )
    several = len(layout.names) > 1
    return PreparedData(
        name=layout.root.name or "data",
        splits=splits,
        findings=(*findings, *notes),
        own_splits=frozenset(own),
        task=TASK.name,
        labels=layout.names if several else (),
        decoder=Decoder(activation="none"),
        value=_spec(layout, splits["train"], periods, starts),
        root=layout.root,
    )


def value_source(options: DataOptions) -> ValueSource:
    """Return where the values are."""
    return ValueSource(
        table=options.table,
        targets=options.targets,
        units=options.units,
        pattern=options.name_pattern,
    )


def checked_files(
    layout: ValueLayout, progress: Progress | None
) -> tuple[list[MeasuredFile], tuple[Finding, ...]]:
    """Decode all pictures once and return the usable ones, and what was found.

    Copies of one picture with different values contradict each other, as those with different
    classes do.
    """
    texts = [", ".join(f"{value:g}" for value in file.values) for file in layout.files]
    labels = tuple(sorted(set(texts)))
    place = {text: number for number, text in enumerate(labels)}
    checked = check_files(
        Layout(
            root=layout.root,
            labels=labels,
            splits=(),
            files=tuple(
                LabelledFile(path=file.path, label=place[text], split=file.split)
                for file, text in zip(layout.files, texts, strict=True)
            ),
            findings=layout.findings,
        ),
        progress=progress,
        classes=False,
    )
    kept = {file.path for file in checked.files}
    return [file for file in layout.files if file.path in kept], checked.findings


def _periods(options: DataOptions, names: Sequence[str]) -> tuple[float, ...]:
    """Return the period of each value, 0 for one that is not on a circle."""
    given = options.periods
    if len(given) not in (0, 1, len(names)):
        raise UsageError(
            "--period",
            got=f"has {len(given)} periods for {len(names)} values",
            expected=f"one, or {len(names)} with commas between them; 0 for a value on no circle",
        )
    return given * len(names) if len(given) == 1 else given or (0.0,) * len(names)


def _require_varied(layout: ValueLayout, values: Numbers) -> None:
    for place, name in enumerate(layout.names):
        if np.ptp(values[:, place]) == 0:
            raise DataError(
                layout.root,
                got=f"all {len(values):,} pictures have the same {name}, {values[0, place]:g}",
                expected="values that differ",
                next_step="add pictures that show other values",
            )


def _start(values: Numbers, period: float) -> float:
    """Return where a turn begins: 0, or half a turn below it where there are negative values."""
    return -period / 2 if period and values.min() < 0 else 0.0


def _turned(
    values: Numbers, periods: Sequence[float], starts: Sequence[float]
) -> list[tuple[float, ...]]:
    """Return the values, those on a circle within one turn."""
    return [
        tuple(
            turned(float(value), start, period) if period else float(value)
            for value, period, start in zip(row, periods, starts, strict=True)
        )
        for row in values
    ]


def _strata(values: Numbers) -> list[int]:
    """Return for each picture which part of all it is in, by the first value's order."""
    count = max(1, min(MOST_STRATA, len(values) // PICTURES_A_STRATUM))
    order = np.argsort(values[:, 0], kind="stable")
    strata = np.empty(len(values), np.int64)
    strata[order] = np.arange(len(values)) * count // len(values)
    return [int(stratum) for stratum in strata]


def _spec(
    layout: ValueLayout,
    train: Sequence[Sample],
    periods: Sequence[float],
    starts: Sequence[float],
) -> ValueSpec:
    """Return how outputs become values: -1 to 1 is the range of the training pictures."""
    values = np.array([sample.target.values for sample in train], np.float64)
    _require_varied(layout, values)
    low, high = values.min(axis=0), values.max(axis=0)
    scales, offsets, ranges = [], [], []
    for place, (period, start) in enumerate(zip(periods, starts, strict=True)):
        wide, middle = high[place] - low[place], (high[place] + low[place]) / 2
        scales.append(1.0 if period else float(wide / 2))
        offsets.append(start if period else float(middle))
        ranges.append(float(period or wide))
    same = len(set(layout.units)) == 1
    return ValueSpec(
        unit=layout.units[0] if same else "",
        units=None if same else layout.units,
        scales=tuple(scales),
        offsets=tuple(offsets),
        periods=tuple(periods) if any(periods) else None,
        ranges=tuple(ranges),
    )

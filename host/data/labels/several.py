"""Several labels for each picture, from a table."""

from __future__ import annotations

import os
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.device.core.errors import DataError
from edgeinfer.host.data.folders.findings import Finding
from edgeinfer.host.data.folders.folder import LabelledFile, Layout
from edgeinfer.host.data.labels.pictures import Pictures, split_in_table
from edgeinfer.host.data.labels.table import read_table


@dataclass(frozen=True, kw_only=True)
class SeveralLabels:
    """The pictures of a folder with the labels that a table gives each of them.

    Attributes:
        labels: all labels, sorted.
        layout: the pictures; what it calls labels are the sets of labels that occur.
        sets: for each of them the indices of its labels.
    """

    labels: tuple[str, ...]
    layout: Layout
    sets: tuple[frozenset[int], ...]

    def sample(self, file: LabelledFile) -> Sample:
        """Return one of the layout's files with its labels' indices as target."""
        return Sample(source=file.path, target=self.sets[file.label])


def find_several(root: Path, table: Path) -> SeveralLabels:
    """List the pictures of a folder with the labels that a table gives them.

    Several rows of one picture give it the labels of all of them; a row without a label says that
    there is none.

    Args:
        root: the folder of pictures.
        table: see `read_table`.

    Raises:
        DataError: the table cannot be read, or names no picture of the folder.
    """
    root = Path(os.path.abspath(root))
    findings: list[Finding] = []
    pictures = Pictures(root, table, findings)
    found: dict[str, set[str]] = defaultdict(set)
    splits: dict[str, Split | None] = {}
    for row in read_table(table, several=True):
        path, split = pictures.find(row.file), split_in_table(table, row.line, row.split)
        if path is None:
            detail = f"{table.name}, line {row.line}: {pictures.why_not_found(row.file)}"
            findings.append(Finding(kind="ignored", path=row.file, detail=detail))
            continue
        if splits.setdefault(path, split) != split:
            raise DataError(
                f"{table}, line {row.line}",
                got=f"puts {row.file} into the split '{row.split}', an earlier line into another",
                expected="one split for each picture",
            )
        found[path] |= {unicodedata.normalize("NFC", row.label)} - {""}
    if not found:
        raise DataError(
            table,
            got=f"names no picture of {root}: {findings[0].detail if findings else 'it is empty'}",
            expected="paths of pictures from that folder, such as street/7.jpg",
            next_step="give the folder from which its paths start",
        )
    findings += pictures.without_row(set(found))
    labels = tuple(sorted(set().union(*found.values())))
    place = {label: index for index, label in enumerate(labels)}
    of_path = {
        path: frozenset(place[name] for name in names) for path, names in sorted(found.items())
    }
    sets = sorted(set(of_path.values()), key=sorted)
    number = {one: index for index, one in enumerate(sets)}
    used = set(splits.values())
    layout = Layout(
        root=root,
        labels=tuple(" and ".join(labels[i] for i in sorted(one)) or "no label" for one in sets),
        splits=tuple(split for split in ("train", "validation", "test") if split in used),
        files=tuple(
            LabelledFile(path=path, label=number[one], split=splits[path])
            for path, one in of_path.items()
        ),
        findings=tuple(findings),
    )
    return SeveralLabels(labels=labels, layout=layout, sets=tuple(sets))


def by_rarest(samples: list[Sample], least: int) -> list[Sample]:
    """Return samples whose target is the number of their rarest label, to be split by it.

    So rare labels come into each split. Pictures without a label, and those whose label is the
    rarest one of fewer than `least` pictures, are one further group, or join the largest one where
    they are few themselves.
    """
    counts: dict[int, int] = defaultdict(int)
    for sample in samples:
        for label in sample.target:
            counts[label] += 1
    rarest = [min(s.target, key=lambda label: (counts[label], label), default=-1) for s in samples]
    members: dict[int, int] = defaultdict(int)
    for label in rarest:
        members[label] += 1
    groups = [label + 1 if label >= 0 and members[label] >= least else 0 for label in rarest]
    if 0 < groups.count(0) < least and max(groups) > 0:
        largest = max(set(groups) - {0}, key=lambda group: (members[group - 1], -group))
        groups = [group or largest for group in groups]
    return [replace(sample, target=group) for sample, group in zip(samples, groups, strict=True)]

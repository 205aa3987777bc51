"""The labels of a data set: from a table, from the folders, or from the pictures' names."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.device.core.errors import DataError
from edgeinfer.device.pictures.folders.arrangement import arrange
from edgeinfer.device.pictures.folders.look import folders_in, has_pictures
from edgeinfer.host.data.folders.findings import Finding
from edgeinfer.host.data.folders.folder import (
    LabelledFile,
    Layout,
    find_layout,
    require_enough,
)
from edgeinfer.host.data.folders.listing import ignored, images_in, subfolders, visible_entries
from edgeinfer.host.data.labels.file_names import label_of_name, labels_of_names
from edgeinfer.host.data.labels.pictures import table_layout

TABLE_SUFFIXES = (".csv", ".tsv", ".json", ".jsonl")


def find_labelled(root: Path, *, table: Path | None = None, to_train: bool = True) -> Layout:
    """List a data set's pictures with their labels.

    Args:
        root: the folder of pictures: one sub-folder for each class (see `find_layout`), or, with a
            table, in any order. Without folders, labels are taken from names such as `cat.0.jpg`.
        table: a CSV or JSON file of labels, see `read_table`.
        to_train: whether it must have enough for training.

    Raises:
        DataError: it cannot be understood as labelled pictures; the sentence says why.
    """
    layout = _from_names(root) if table is None else table_layout(root, table)
    if layout is None:
        return find_layout(root, to_train=to_train)
    if to_train:
        if len(layout.labels) < 2:
            raise DataError(
                table or root,
                got=f"has one label, '{layout.labels[0]}'",
                expected="two or more",
                next_step="add pictures that show something else",
            )
        require_enough(layout, layout.files)
    return layout


def _from_names(root: Path) -> Layout | None:
    """Return the layout of pictures without class folders; None where there are such folders.

    Raises:
        DataError: the pictures are in no class folder, and their names have no labels.
    """
    root = Path(os.path.abspath(root))
    findings: list[Finding] = []
    flat = _flat_folders(root, findings)
    if not flat:
        return None
    for split, folder in list(flat.items()):
        # Contests keep the labels of their test to themselves: `train/cat.0.jpg`, `test1/1.jpg`.
        if split in ("validation", "test") and not _any_label(folder):
            findings.append(ignored(folder, root, "is not used: its pictures have no labels"))
            del flat[split]
    paths = [(path, split) for split, folder in flat.items() for path in images_in(folder)]
    labels = labels_of_names([path.name for path, _ in paths])
    if labels is None:
        raise _no_labels(root, len(paths))
    names = sorted({label for label in labels if label is not None})
    place = {name: index for index, name in enumerate(names)}
    files = []
    for (path, split), label in zip(paths, labels, strict=True):
        if label is None:
            findings.append(ignored(path, root, "has no label in its name"))
        else:
            files.append(LabelledFile(path=str(path), label=place[label], split=split))
    counts = Counter(names[file.label] for file in files)
    shown = ", ".join(f"{name} ({count:,})" for name, count in counts.most_common(5))
    detail = f"labels are taken from the names of the pictures: {shown}"
    if len(names) > 5:
        detail += f" and {len(names) - 5} more"
    findings.append(Finding(kind="note", path=".", detail=detail))
    return Layout(
        root=root,
        labels=tuple(names),
        splits=tuple(split for split in ("train", "validation", "test") if split in flat),
        files=tuple(files),
        findings=tuple(findings),
    )


def _any_label(folder: Path) -> bool:
    return any(label_of_name(path.name) for path in images_in(folder))


def _flat_folders(root: Path, findings: list[Finding]) -> dict[Split | None, Path]:
    """Return the folder of pictures without class folders, or that of each split."""
    arrangement = arrange(root)
    places = dict(arrangement.places)
    if any(folders_in(place) or not has_pictures(place) for place in places.values()):
        return {}
    if None not in places and "train" not in places:
        return {}
    for place in {root, *places.values()}:
        subfolders(place, root, findings)  # names what is left over there
    findings.extend(ignored(path, root, reason) for path, reason in arrangement.ignored)
    return places


def _no_labels(root: Path, pictures: int) -> DataError:
    tables = [
        entry.name
        for entry in visible_entries(root)
        if os.path.splitext(entry.name)[1].lower() in TABLE_SUFFIXES
    ]
    advice = "sort the images into folders named after their labels"
    if tables:
        advice = f"if {tables[0]} has the labels, add --labels-csv {os.path.join(root, tables[0])}"
    return DataError(
        root,
        got=f"holds {pictures:,} images and no class folders",
        expected="one sub-folder of images per class, or names such as cat.0.jpg",
        next_step=advice,
    )

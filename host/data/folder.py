"""The layout of a labelled folder: ROOT/CLASS/... or ROOT/{train,validation,test}/CLASS/..."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.device.core.errors import DataError, printable
from edgeinfer.host.data.findings import Finding
from edgeinfer.host.data.listing import (
    ignored,
    images_below,
    images_in,
    needs_conversion,
    refuse_odd_name,
    subfolders,
)

SPLIT_FOLDERS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
"""Folder names, in lower case, that stand for a split."""

_NO_LABEL = "is outside the class folders, so it has no label"


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelledFile:
    """A file with an image's suffix below a class folder.

    Attributes:
        path: absolute.
        label: the class's index in the layout's labels.
        split: the split that the folder itself puts it in, or None.
    """

    path: str
    label: int
    split: Split | None = None


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The content of a labelled folder, in an order that does not depend on the file system.

    Attributes:
        root: the folder, absolute.
        labels: the class folders' names in NFC, sorted.
        splits: the splits that the folder itself has; empty for plain class folders.
        files: every file with an image's suffix; nothing has been read yet.
        findings: files and folders that are not used.
    """

    root: Path
    labels: tuple[str, ...]
    splits: tuple[Split, ...]
    files: tuple[LabelledFile, ...]
    findings: tuple[Finding, ...]


def find_layout(root: Path, *, to_train: bool = True) -> Layout:
    """List a labelled folder.

    Args:
        root: the folder.
        to_train: whether it must have enough for training: two classes, and pictures of each for
            every split.

    Raises:
        DataError: there is no such folder, or it cannot be understood as labelled classes.
    """
    root = Path(os.path.abspath(root))
    refuse_odd_name(os.fspath(root), root)
    findings: list[Finding] = []
    folders = subfolders(root, root, findings)
    split_folders = _split_folders(root, folders)
    for folder in folders:
        if split_folders and folder not in split_folders:
            detail = f"is next to the split folders {_names(split_folders)}"
            findings.append(ignored(folder, root, detail))
    listed: dict[Split | None, dict[str, Path]] = {}
    if split_folders:
        findings.extend(ignored(path, root, _NO_LABEL) for path in images_in(root))
        listed = {
            split: _class_folders(folder, root, findings) for folder, split in split_folders.items()
        }
        labels = _common_labels(root, listed)
    else:
        listed = {None: _class_folders(root, root, findings, listed=folders)}
        labels = tuple(sorted(listed[None]))
    if to_train and len(labels) < 2:
        raise _too_few_classes(root, labels, listed)
    files: list[LabelledFile] = []
    for split, classes in listed.items():
        for index, label in enumerate(labels):
            for path in images_below(classes[label], root, findings):
                files.append(LabelledFile(path=path, label=index, split=split))
    layout = Layout(
        root=root,
        labels=labels,
        splits=tuple(split for split in ("train", "validation", "test") if split in listed),
        files=tuple(files),
        findings=tuple(findings),
    )
    if to_train:
        require_enough(layout, layout.files)
    return layout


def require_enough(
    layout: Layout, files: tuple[LabelledFile, ...] | list[LabelledFile], *, checked: bool = False
) -> None:
    """Make sure that each class can be in each split.

    Args:
        layout: the folder.
        files: what is left of its files.
        checked: True if `files` are only the usable ones.

    Raises:
        DataError: a class has too few; the sentence says which, how many and what to do.
    """
    counts = Counter((file.split, file.label) for file in files)
    kind = "usable image" if checked else "image"
    advice = "add images or remove the class's folder"
    if checked:
        advice = "see what was left out with `edgeinfer data check`, add images or remove it"
    missing = 2 - sum(split in layout.splits for split in ("validation", "test"))
    for split in layout.splits or (None,):
        # A split that the folder does not have is taken from its training images.
        needed = 1 + missing if split in (None, "train") else 1
        for index, label in enumerate(layout.labels):
            count = counts[split, index]
            if count < needed:
                where = f" in {split}" if split else ""
                raise DataError(
                    layout.root,
                    got=f"class '{label}' has {count} {kind}{'s' * (count != 1)}{where}",
                    expected=f"at least {needed}, one for each split",
                    next_step=_convert_first(layout, label) or advice,
                )


def _convert_first(layout: Layout, label: str) -> str:
    """Return the advice about a class's photos in formats that are not read; empty if none is."""
    unread = sum(
        needs_conversion(finding.path) and label in Path(finding.path).parts[:-1]
        for finding in layout.findings
    )
    if not unread:
        return ""
    return f"convert its {unread} file{'s' * (unread != 1)} of other formats to JPEG"


def _split_folders(root: Path, folders: list[Path]) -> dict[Path, Split]:
    """Return the folders that are splits, or none where the folders are classes.

    A class may be called `train`: the names count as splits only where there are no others, or
    where there are at least two of them and they contain folders.
    """
    found = {
        folder: SPLIT_FOLDERS[folder.name.casefold()]
        for folder in folders
        if folder.name.casefold() in SPLIT_FOLDERS
    }
    if not found or (len(found) < len(folders) and len(found) < 2):
        return {}
    if len(found) < len(folders) and not all(subfolders(folder, root, []) for folder in found):
        return {}
    if len(set(found.values())) < len(found):
        raise DataError(
            root,
            got=f"has several folders for one split: {_names(found)}",
            next_step="keep one folder for each of train, validation and test",
        )
    if "train" not in found.values():
        raise DataError(
            root,
            got=f"has split folders ({_names(found)}) and none for training",
            expected="a folder 'train'",
            next_step="give a folder with one sub-folder per class",
        )
    return found


def _class_folders(
    folder: Path, root: Path, findings: list[Finding], *, listed: list[Path] | None = None
) -> dict[str, Path]:
    """Return the class folders in `folder` by label.

    Raises:
        DataError: there are none, or two whose names differ only in how they are encoded.
    """
    classes: dict[str, Path] = {}
    for path in subfolders(folder, root, findings) if listed is None else listed:
        label = unicodedata.normalize("NFC", path.name)
        if label in classes:
            raise DataError(
                path,
                got=f"spells the label '{label}' in another Unicode form than another folder",
                expected="one folder per class",
                next_step="merge the two folders",
            )
        classes[label] = path
    images = images_in(folder)
    if not classes:
        raise DataError(
            folder,
            got=f"holds {len(images) or 'no'} images and no class folders",
            expected="one sub-folder of images per class",
            next_step="sort the images into folders named after their labels",
        )
    findings.extend(ignored(path, root, _NO_LABEL) for path in images)
    return classes


def _common_labels(root: Path, listed: dict[Split | None, dict[str, Path]]) -> tuple[str, ...]:
    """Return the labels of all splits.

    Raises:
        DataError: the splits do not have the same classes.
    """
    train = set(listed["train"])
    for split, classes in listed.items():
        difference = sorted(train ^ set(classes))
        if difference:
            label = difference[0]
            here, there = ("train", split) if label in train else (split, "train")
            raise DataError(
                root,
                got=f"class '{label}' is in {here} and not in {there}",
                expected="the same class folders in each split",
                next_step="add the missing folder or remove the class",
            )
    return tuple(sorted(train))


def _too_few_classes(
    root: Path, labels: tuple[str, ...], listed: dict[Split | None, dict[str, Path]]
) -> DataError:
    """Return the error for a single class; often the given folder is one level too high."""
    only = next(iter(listed.values()))[labels[0]]
    inner = subfolders(only, root, [])
    advice = "add a folder of images that show something else"
    if len(inner) > 1:
        advice = f"if its sub-folders are the classes, give {only}"
    return DataError(
        root,
        got=f"holds one class, '{labels[0]}'",
        expected="two or more class folders",
        next_step=advice,
    )


def _names(folders: dict[Path, Split]) -> str:
    return ", ".join(printable(folder.name) for folder in folders)

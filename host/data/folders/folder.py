"""The layout of a labelled folder: ROOT/CLASS/... or ROOT/{train,validation,test}/CLASS/..."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.device.core.errors import DataError, printable
from edgeinfer.device.pictures.folders.arrangement import Arrangement, arrange
from edgeinfer.device.pictures.folders.names import split_of
from edgeinfer.host.data.folders.findings import Finding, LeftOutError
from edgeinfer.host.data.folders.listing import (
    ignored,
    images_below,
    images_in,
    needs_conversion,
    once_a_kind,
    refuse_odd_name,
    subfolders,
)

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
    arrangement = arrange(root)
    if arrangement.unclear is not None:
        raise arrangement.unclear
    if to_train and "train" not in arrangement.places and None not in arrangement.places:
        raise _none_to_train(root, arrangement)
    if root not in arrangement.places.values():
        subfolders(root, root, findings)  # names what is left over there
        findings.extend(ignored(path, root, _NO_LABEL) for path in images_in(root))
    findings.extend(ignored(path, root, reason) for path, reason in arrangement.ignored)
    listed: dict[Split | None, dict[str, Path]] = {
        split: _class_folders(place, root, findings) for split, place in arrangement.places.items()
    }
    if arrangement.split_classes:
        listed = _by_split(root, listed[None], findings)
    labels = _common_labels(root, listed)
    if to_train and len(labels) < 2:
        raise DataError(
            root,
            got=f"holds one class, '{labels[0]}'",
            expected="two or more class folders",
            next_step="add a folder of images that show something else",
        )
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
        findings=once_a_kind(findings),
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
                ) from LeftOutError(layout.findings)


def _convert_first(layout: Layout, label: str) -> str:
    """Return the advice about a class's photos in formats that are not read; empty if none is."""
    unread = sum(
        needs_conversion(finding.path) and label in Path(finding.path).parts[:-1]
        for finding in layout.findings
    )
    if not unread:
        return ""
    return f"convert its {unread} file{'s' * (unread != 1)} of other formats to JPEG"


def _none_to_train(root: Path, arrangement: Arrangement) -> DataError:
    names = ", ".join(
        printable(os.path.relpath(place, root)) for place in arrangement.places.values()
    )
    return DataError(
        root,
        got=f"has split folders ({names}) and none for training",
        expected="a folder 'train'",
        next_step="give a folder with one sub-folder per class",
    )


def _by_split(
    root: Path, classes: dict[str, Path], findings: list[Finding]
) -> dict[Split | None, dict[str, Path]]:
    """Return the folders of each split of classes that hold their splits themselves.

    Raises:
        DataError: a class has two folders for one split.
    """
    found: dict[Split | None, dict[str, Path]] = {}
    for label, folder in classes.items():
        findings.extend(
            ignored(path, root, "is in no split of its class") for path in images_in(folder)
        )
        for inner in subfolders(folder, root, findings):
            split = split_of(inner.name)
            if split is None:
                findings.append(ignored(inner, root, "is not a split's folder"))
            elif label in found.setdefault(split, {}):
                raise DataError(
                    folder,
                    got=f"has several folders for one split: {found[split][label].name}, "
                    f"{inner.name}",
                    next_step="keep one folder for each of train, validation and test",
                )
            else:
                found[split][label] = inner
    if "train" not in found:
        raise DataError(
            root,
            got=f"holds classes with split folders ({', '.join(map(str, found))}), none for "
            "training",
            expected="a folder 'train' in each class",
            next_step="give a folder with one sub-folder per class",
        )
    return found


def _class_folders(folder: Path, root: Path, findings: list[Finding]) -> dict[str, Path]:
    """Return the class folders in `folder` by label.

    Raises:
        DataError: there are none, or two whose names differ only in how they are encoded.
    """
    classes: dict[str, Path] = {}
    for path in subfolders(folder, root, findings):
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
    first = "train" if "train" in listed else next(iter(listed))
    labels = set(listed[first])
    for split, classes in listed.items():
        difference = sorted(labels ^ set(classes))
        if difference:
            label = difference[0]
            here, there = (first, split) if label in labels else (split, first)
            raise DataError(
                root,
                got=f"class '{label}' is in {here} and not in {there}",
                expected="the same class folders in each split",
                next_step="add the missing folder or remove the class",
            )
    return tuple(sorted(labels))

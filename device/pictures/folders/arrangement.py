"""Which folders of a data set are splits and which are classes, by their names and what they hold.

Where the class folders begin is found in steps:

1. Wrapping: a folder whose only content is one folder is passed, if the inner name says nothing
   ("images", "data"), repeats its parent's, or if it holds splits. Splits are unwrapped in the same
   way: `training_set/training_set/cat`.
2. Splits: a folder with a split's name that holds folders is a split; one that holds pictures is a
   class, as long as there are other classes next to it.
3. Classes: all other folders. Class folders that all hold splits (`cat/train`, `cat/test`) are
   possible too.

What can be read in two ways is read in none: `Arrangement.unclear` says why.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from edgeinfer.device.core.errors import DataError
from edgeinfer.device.pictures.folders.look import folders_in, has_pictures, has_pictures_below
from edgeinfer.device.pictures.folders.names import (
    Split,
    is_date,
    is_wrapping,
    role_of,
    roles_of,
    split_of,
)
from edgeinfer.device.pictures.folders.other_layouts import other_layout
from edgeinfer.device.pictures.folders.unclear import (
    NAMES_SHOWN,
    UnclearError,
    names_of,
    one_like_a_split,
)

_MOST_WRAPPINGS = 4
_UNLABELLED = "is not used: its pictures are in no class folders"


@dataclass(frozen=True, kw_only=True)
class Arrangement:
    """The arrangement of a folder of pictures.

    Attributes:
        root: the folder.
        places: the folder that holds the class folders, for each split; the split is None where
            the folder is not divided. Empty where that is unclear.
        split_classes: whether the class folders themselves hold the splits.
        ignored: folders that belong to no class, each with the reason.
        unclear: why the folders' names are not taken for classes; None where they are.
    """

    root: Path
    places: Mapping[Split | None, Path] = field(default_factory=dict)
    split_classes: bool = False
    ignored: tuple[tuple[Path, str], ...] = ()
    unclear: DataError | None = None

    def class_of(self, path: str | Path) -> str | None:
        """Return the name of the class folder that a file is in, None if it is in none."""
        for place in self.places.values():
            if (path := Path(path)).is_relative_to(place):
                folders = path.relative_to(place).parts[:-1]
                return folders[0] if folders else None
        return None


def arrange(root: Path) -> Arrangement:
    """Find out which folders below `root` are splits and which are classes.

    Only the first levels of folders are listed.

    Raises:
        DataError: a folder is missing or cannot be read.
    """
    try:
        place = _unwrapped(root)
        arrangement = _divided(root, place)
        return replace(arrangement, ignored=(*arrangement.ignored, *_passed(root, place)))
    except UnclearError as error:
        return Arrangement(root=root, unclear=error.sentence)


def _unwrapped(folder: Path) -> Path:
    """Return the first folder from `folder` on that does more than wrap another one."""
    for _ in range(_MOST_WRAPPINGS):
        _refuse_other_layouts(folder)
        inner = _only_folder(folder)
        if inner is None or not (_says_nothing(inner) or _holds_splits(inner)):
            break
        folder = inner
    return folder


def _passed(root: Path, place: Path) -> list[tuple[Path, str]]:
    """Return the folders of pictures without labels that lie around the wrapped one."""
    around = [parent for parent in place.parents if parent.is_relative_to(root)]
    return [
        (folder, _UNLABELLED)
        for parent in (around if place != root else [])
        for folder in folders_in(parent)
        if role_of(folder.name) == "unlabelled"
    ]


def _only_folder(folder: Path) -> Path | None:
    """Return the one folder in `folder` that has pictures below, if they are all in its folders."""
    if has_pictures(folder):
        return None
    inner = folders_in(folder)
    if len(inner) > 1:
        inner = [path for path in inner if _is_content(path)]
    return inner[0] if len(inner) == 1 else None


def _is_content(folder: Path) -> bool:
    """Return whether a folder holds more than notes, or pictures that nobody has labelled."""
    return role_of(folder.name) != "unlabelled" and has_pictures_below(folder)


def _says_nothing(folder: Path) -> bool:
    """Return whether a folder's name is a general one, or says again what its parent's does."""
    name, parent = folder.name, Path(os.path.abspath(folder)).parent.name
    if is_wrapping(name) or name.casefold() == parent.casefold():
        return True
    return role_of(name) is not None and role_of(name) == role_of(parent)


def _holds_splits(folder: Path, depth: int = _MOST_WRAPPINGS) -> bool:
    """Return whether there are splits with class folders in `folder`, or in the one it wraps."""
    if split_of(folder.name) is not None:
        return False  # it is a split itself
    if any(_class_folders(split) for split in _splits_in(folders_in(folder))):
        return True
    inner = _only_folder(folder)
    return inner is not None and depth > 1 and _holds_splits(inner, depth - 1)


def _class_folders(split: Path) -> list[Path]:
    """Return the folders in a split that are not named after a time."""
    return [inner for inner in folders_in(_unwrapped(split)) if not is_date(inner.name)]


def _divided(root: Path, place: Path) -> Arrangement:
    """Return the arrangement of a folder that wraps nothing."""
    folders = folders_in(place)
    splits = _splits_in(folders)
    if not splits:
        return _classes(root, place, folders)
    classes = {split: found for split in splits if (found := _class_folders(split))}
    unlabelled_ones = [folder for folder in folders if role_of(folder.name) == "unlabelled"]
    others = [folder for folder in folders if folder not in {*splits, *unlabelled_ones}]
    with_pictures = [folder for folder in others if has_pictures_below(folder)]
    if with_pictures and not classes:
        return _classes(root, place, folders)
    if with_pictures and not _share_a_class(classes):
        if any(has_pictures(folder) for folder in classes):
            return _classes(root, place, folders)
        raise one_like_a_split(place, classes, with_pictures[0])
    ignored = [(folder, f"is next to the split folders {names_of(splits)}") for folder in others]
    for folder in folders:
        unlabelled = folder in unlabelled_ones
        # Pictures that are to be answered, as in contests: there is a test, but not its labels.
        if splits.get(folder) in ("validation", "test") and folder not in classes:
            learned = any(splits[other] == "train" for other in classes)
            unlabelled = learned and has_pictures(_unwrapped(folder))
        if unlabelled:
            splits.pop(folder, None)
            ignored.append((folder, _UNLABELLED))
    if len(set(splits.values())) < len(splits):
        raise UnclearError(
            place,
            got=f"has several folders for one split: {names_of(_repeated(splits))}",
            next_step="keep one folder for each of train, validation and test",
        )
    for folder in splits:
        for inner in classes.get(folder, ()):
            if split_of(inner.name) and _class_folders(inner):
                raise UnclearError(
                    folder,
                    got=f"is a split by its name and holds the split {inner.name}",
                    expected="class folders in a split",
                    next_step=f"give {folder}, or move {inner.name} out of it",
                )
    places: dict[Split | None, Path] = {splits[folder]: _unwrapped(folder) for folder in splits}
    return Arrangement(root=root, places=places, ignored=tuple(ignored))


def _splits_in(folders: list[Path]) -> dict[Path, Split]:
    """Return the folders that are splits by their names."""
    roles = roles_of([folder.name for folder in folders])
    return {
        folder: role
        for folder in folders
        if (role := roles.get(folder.name)) is not None and role != "unlabelled"
    }


def _repeated(splits: Mapping[Path, Split]) -> list[Path]:
    return [folder for folder, split in splits.items() if list(splits.values()).count(split) > 1]


def _share_a_class(classes: Mapping[Path, list[Path]]) -> bool:
    """Return whether there are several splits, with a class that they share."""
    names = [{folder.name for folder in folders} for folders in classes.values()]
    return len(names) > 1 and bool(set.intersection(*names))


def _classes(root: Path, place: Path, folders: list[Path]) -> Arrangement:
    """Return the arrangement of class folders without splits next to them."""
    inner = {folder: folders_in(folder) for folder in folders if not has_pictures(folder)}
    for folder, paths in inner.items():
        # Such as VOCdevkit/VOC2007/Annotations.
        for path in (folder, *paths[:NAMES_SHOWN]):
            if path is folder or not has_pictures(path):
                _refuse_other_layouts(path)
    of_splits = {
        folder: all(role_of(path.name) for path in paths)
        for folder, paths in inner.items()
        if len(paths) > 1
    }
    for folder, paths in inner.items():
        if any(split_of(path.name) and _class_folders(path) for path in paths):
            raise UnclearError(
                place,
                got=f"holds '{folder.name}', a data set that is divided itself "
                f"({names_of(paths)}), next to other folders",
                expected="one data set",
                next_step=f"give {folder}",
            )
    if any(of_splits.values()):
        return _split_classes(root, place, folders, of_splits)
    if inner and len(inner) == len(folders):
        _refuse_another_level(place, inner)
    return Arrangement(root=root, places={None: place})


def _split_classes(
    root: Path, place: Path, folders: list[Path], of_splits: Mapping[Path, bool]
) -> Arrangement:
    """Return the arrangement of classes that are divided one by one."""
    divided = next(folder for folder, whole in of_splits.items() if whole)
    other = next((folder for folder in folders if not of_splits.get(folder)), None)
    if other is not None:
        raise UnclearError(
            place,
            got=f"has '{divided.name}', which holds the splits {names_of(folders_in(divided))}, "
            f"next to '{other.name}', which does not",
            expected="the same splits in each class",
            next_step=f"divide '{other.name}' too, or put all pictures of '{divided.name}' "
            "directly in it",
        )
    return Arrangement(root=root, places={None: place}, split_classes=True)


def _refuse_another_level(place: Path, inner: Mapping[Path, list[Path]]) -> None:
    """Refuse folders of folders whose inner ones may be the classes.

    Raises:
        UnclearError: they may.
    """
    names = [
        {path.name: path for path in paths if not is_date(path.name)} for paths in inner.values()
    ]
    outer = list(inner)
    if len(outer) == 1 and len(names[0]) > 1:
        raise UnclearError(
            place,
            got=f"holds one class, '{outer[0].name}'",
            expected="two or more class folders",
            next_step=f"if its sub-folders are the classes, give {outer[0]}",
        )
    shared = sorted(set.intersection(*(set(found) for found in names)))
    if len(outer) > 1 and len(shared) > 1:
        raise UnclearError(
            place,
            got=f"holds the same folders ({names_of([names[0][name] for name in shared])}) in each "
            f"of {names_of(outer)}: one or the other may be the classes",
            expected="one sub-folder of images per class",
            next_step=f"if they are the classes, give one of them such as {outer[0]}, or name the "
            f"others as splits; if {names_of(outer)} are, move the images out of the inner folders",
        )


def _refuse_other_layouts(folder: Path) -> None:
    """Refuse a data set for detection or segmentation."""
    if (other := other_layout(folder)) is not None:
        raise UnclearError(
            folder, got=other.got, expected=other.expected, next_step=other.next_step
        )

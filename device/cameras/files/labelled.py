"""Folders of images, with one sub-folder per class where the classes are known."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias, overload

from edgeinfer.device.core.errors import CameraError
from edgeinfer.device.pictures.decode import read_image
from edgeinfer.device.pictures.pixel_formats import IMAGE_SUFFIXES, Pixels

LabelledPicture: TypeAlias = tuple[Pixels, str | None]
"""A picture, (H, W, 3) uint8 RGB, and its true class where that is known."""

SPLIT_FOLDERS = frozenset({"train", "training", "val", "valid", "validation", "test"})
"""Folders that divide a data set; the classes are below them."""


def image_paths(folder: Path) -> Iterator[Path]:
    """Yield the images below `folder`, each folder in the order of its names.

    The tree is walked as it goes, so that memory does not grow with it; links to folders are not
    followed, they may lead in a circle.

    Raises:
        CameraError: a folder cannot be read.
    """
    # No call within a call: folders may be nested deeper than those go.
    waiting = [_entries(folder)]
    while waiting:
        entry = next(waiting[-1], None)
        if entry is None:
            waiting.pop()
            continue
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            waiting.append(_entries(path))
        elif path.suffix.lower() in IMAGE_SUFFIXES and not entry.name.startswith("."):
            yield path


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Return what a folder holds, in the order of the names."""
    try:
        with os.scandir(folder) as entries:
            return iter(sorted(entries, key=lambda entry: entry.name))
    except OSError as error:
        raise CameraError(
            folder, got=f"cannot be read ({(error.strerror or str(error)).lower()})"
        ) from error


def class_of(path: Path, root: Path) -> str | None:
    """Return the class that `path` is in below `root`, None directly in `root`.

    It is the first folder below `root` that is not a split such as "train".
    """
    folders = path.relative_to(root).parts[:-1]
    return next((name for name in folders if name.lower() not in SPLIT_FOLDERS), None)


def no_images(folder: Path) -> CameraError:
    """Return the error for a folder without a single image."""
    return CameraError(
        folder,
        got="holds no images",
        expected=", ".join(sorted(IMAGE_SUFFIXES)),
    )


class PictureFolder(Sequence[LabelledPicture]):
    """The images below a folder; each is read when it is asked for.

    Raises:
        CameraError: there is no folder, or no image in it.
        DataError: raised by asking for a picture: its file is damaged.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise CameraError(folder, got="is not a folder", expected="a folder of images")
        self._root = folder
        self._paths = list(image_paths(folder))
        if not self._paths:
            raise no_images(folder)

    def __len__(self) -> int:
        """Return how many files there are, damaged ones included."""
        return len(self._paths)

    @overload
    def __getitem__(self, index: int) -> LabelledPicture: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[LabelledPicture]: ...

    def __getitem__(self, index: int | slice) -> LabelledPicture | Sequence[LabelledPicture]:
        """Read one picture, or several."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        path = self._paths[index]
        return read_image(path), class_of(path, self._root)

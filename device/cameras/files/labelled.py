"""Folders of images, with one sub-folder per class where the classes are known."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias, overload

from edgeinfer.device.core.errors import CameraError, DataError
from edgeinfer.device.pictures.decode import read_image
from edgeinfer.device.pictures.folders.arrangement import Arrangement, arrange
from edgeinfer.device.pictures.folders.walk import Ignored, pictures_below, suffix_of
from edgeinfer.device.pictures.pixel_formats import IMAGE_SUFFIXES, Pixels

_LOG = logging.getLogger(__name__)

LabelledPicture: TypeAlias = tuple[Pixels, str | None]
"""A picture, (H, W, 3) uint8 RGB, and its true class where that is known."""


def image_paths(folder: Path, ignored: Ignored | None = None) -> Iterator[Path]:
    """Yield the images below `folder`, by the rules of training, see `pictures_below`.

    Args:
        folder: where they are.
        ignored: gets what is not an image, see there.

    Raises:
        CameraError: a folder cannot be read.
    """
    try:
        for path in pictures_below(folder, ignored):
            yield Path(path)
    except DataError as error:
        raise _as_camera_error(error) from error


class TellLeftovers:
    """Names in a warning what is left out of a walk: of each kind the first.

    Args:
        skipped: called for each file that has an image's name and is none, such as a broken link.
    """

    def __init__(self, skipped: Callable[[], None] | None = None) -> None:
        self._skipped = skipped
        self._told: set[str] = set()

    def __call__(self, entry: os.DirEntry[str], reason: str) -> None:
        """Report one file or folder, see `Ignored`."""
        if not reason and suffix_of(entry.name) in IMAGE_SUFFIXES:
            if self._skipped is not None:
                self._skipped()
            what = "is a broken link" if entry.is_symlink() else "is not a regular file"
            _LOG.warning("%s: %s; skipped", entry.path, what)
        elif reason and reason not in self._told:
            self._told.add(reason)
            _LOG.warning("%s: %s; left out, like all others of its kind", entry.path, reason)


def arrange_classes(folder: Path) -> Arrangement:
    """Find the classes of the images below `folder`, by the rules of training, see `arrange`.

    Where these are unclear the images have none, and a warning says why.
    """
    try:
        arrangement = arrange(folder)
    except DataError as error:
        # A pattern may pass folders that cannot be read; the walk judges about all others.
        arrangement = Arrangement(root=folder, unclear=error)
    if arrangement.unclear is not None:
        _LOG.warning("%s; the images are taken without classes", arrangement.unclear)
    return arrangement


def _as_camera_error(error: DataError) -> CameraError:
    return CameraError(
        error.subject, got=error.got, expected=error.expected, next_step=error.next_step
    )


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
        self._arrangement = arrange_classes(folder)
        self._paths = list(image_paths(folder, TellLeftovers()))
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
        return read_image(path), self._arrangement.class_of(path)

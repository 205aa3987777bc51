"""Folders of images as sources of frames."""

from __future__ import annotations

import glob
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

from edgeinfer.device.cameras.base import Camera, Pacer
from edgeinfer.device.cameras.files.labelled import (
    TellLeftovers,
    arrange_classes,
    image_paths,
    no_images,
)
from edgeinfer.device.core.errors import CameraError, DataError
from edgeinfer.device.pictures.decode import read_image
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.pictures.pixel_formats import IMAGE_SUFFIXES
from edgeinfer.device.preprocess.jpeg_reduction import reduction_rule
from edgeinfer.device.preprocess.spec import PreprocessSpec

_LOG = logging.getLogger(__name__)


class FolderCamera(Camera):
    """The images below a folder, one frame each; a damaged one is named, counted and skipped.

    Args:
        folder: where they are; a sub-folder's name is the class of what it holds, unless it is a
            split's or wraps the classes.
        fps: deliver them at this rate, as a live source; None: as fast as they are taken.
        spec: decode JPEGs as this model's preprocessing states; None for whole.

    Raises:
        CameraError: there is no image, or (while reading) none of them can be decoded.
    """

    def __init__(
        self,
        folder: Path,
        *,
        fps: float | None = None,
        spec: PreprocessSpec | None = None,
    ) -> None:
        first = next(image_paths(folder), None)
        if first is None:
            raise no_images(folder)
        paths = image_paths(folder, TellLeftovers(self._skip))
        self._begin(folder, paths, first, fps, spec)
        self.description = f"images below {folder}"
        if fps is not None:
            self.description += f", {fps:.4g} frames/s"

    def _begin(
        self,
        root: Path,
        paths: Iterator[Path],
        first: Path,
        fps: float | None,
        spec: PreprocessSpec | None,
    ) -> None:
        self._root = root
        self._arrangement = arrange_classes(root)
        self._reduction_rule = reduction_rule(spec)
        self._sequence = 0
        self._paths = paths
        self._pacer = Pacer(fps) if fps is not None else None
        self.live = fps is not None
        self.labelled = self._arrangement.class_of(first) is not None

    def _skip(self) -> None:
        self.skipped_files += 1

    def read(self) -> Frame | None:
        """Decode the next image; None after the last."""
        for path in self._paths:
            try:
                pixels = read_image(path, self._reduction_rule)
            except DataError as error:
                self.skipped_files += 1
                _LOG.warning("%s; skipped", error)
                continue
            captured_ns = self._pacer.wait() if self._pacer else time.monotonic_ns()
            frame = Frame(
                pixels=pixels,
                sequence=self._sequence,
                captured_ns=captured_ns,
                label=self._arrangement.class_of(path),
                name=str(path.relative_to(self._root)),
            )
            self._sequence += 1
            return frame
        if self._sequence == 0:
            raise CameraError(
                self._root, got=f"none of its {self.skipped_files} images can be read"
            )
        return None


class PatternCamera(FolderCamera):
    """The images that a pattern names, in the order of their names.

    A sub-folder below the pattern's fixed part is the class of what it holds.

    Args:
        pattern: such as "photos/*.jpg"; "**" stands for any folders.
        fps: as for `FolderCamera`, like the others.
        spec: see there.

    Raises:
        CameraError: it names no image.
    """

    def __init__(
        self,
        pattern: str,
        *,
        fps: float | None = None,
        spec: PreprocessSpec | None = None,
    ) -> None:
        try:
            found = [Path(name) for name in sorted(glob.glob(pattern, recursive=True))]
        except RecursionError as error:
            raise CameraError(
                pattern,
                got="leads into folders that are nested too deeply",
                expected="at most some hundred",
            ) from error
        paths = [path for path in found if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()]
        if not paths:
            got = f"names {len(found)} files, but no image" if found else "names no file"
            raise CameraError(
                pattern,
                got=got,
                expected=", ".join(sorted(IMAGE_SUFFIXES)),
                next_step="check the folder and the pattern",
            )
        self._begin(_fixed_part(pattern), iter(paths), paths[0], fps, spec)
        self.description = f"{len(paths):,} images, {pattern}"
        if fps is not None:
            self.description += f", {fps:.4g} frames/s"


def _fixed_part(pattern: str) -> Path:
    """Return the folder before a pattern's first wildcard."""
    parts = pattern.split(os.sep)
    fixed = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    return Path(os.sep.join(parts[:fixed]) or (os.sep if pattern.startswith(os.sep) else "."))

"""Folders of images as sources of frames."""

from __future__ import annotations

import time
from pathlib import Path

from edgeinfer.device.cameras.base import Camera, Pacer, Warn, ignore_warning
from edgeinfer.device.cameras.pictures import class_of, image_paths, no_images
from edgeinfer.device.errors import CameraError, DataError
from edgeinfer.device.images import read_image
from edgeinfer.device.preprocess.spec import PreprocessSpec
from edgeinfer.device.types import Frame


class FolderCamera(Camera):
    """The images below a folder, one frame each; a damaged one is named, counted, passed over.

    Args:
        folder: where they lie; a sub-folder's name is the class of what it holds.
        fps: deliver them at this rate, as a live source; None: as fast as they are taken.
        spec: decode JPEGs as this model's preprocessing states; None for whole.
        warn: takes a line for each file that is passed over.

    Raises:
        CameraError: there is no image, or (while reading) none of them can be decoded.
    """

    def __init__(
        self,
        folder: Path,
        *,
        fps: float | None = None,
        spec: PreprocessSpec | None = None,
        warn: Warn = ignore_warning,
    ) -> None:
        self._root = folder
        self._spec = spec
        self._warn = warn
        self._sequence = 0
        first = next(image_paths(folder), None)
        if first is None:
            raise no_images(folder)
        self._paths = image_paths(folder)
        self._pacer = Pacer(fps) if fps is not None else None
        self.live = fps is not None
        self.labelled = class_of(first, folder) is not None
        self.description = f"images below {folder}"
        if fps is not None:
            self.description += f", {fps:.4g} frames/s"

    def read(self) -> Frame | None:
        """Decode the next image; None after the last."""
        for path in self._paths:
            try:
                pixels = read_image(path, self._spec)
            except DataError as error:
                self.skipped_files += 1
                self._warn(f"{error}; skipped")
                continue
            captured_ns = self._pacer.wait() if self._pacer else time.monotonic_ns()
            frame = Frame(
                pixels=pixels,
                sequence=self._sequence,
                captured_ns=captured_ns,
                label=class_of(path, self._root),
                name=str(path.relative_to(self._root)),
            )
            self._sequence += 1
            return frame
        if self._sequence == 0:
            raise CameraError(
                self._root, got=f"none of its {self.skipped_files} images can be read"
            )
        return None

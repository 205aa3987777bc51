"""Video files and folders of images as sources of frames."""

from __future__ import annotations

import math
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.buffers import FramePool
from edgeinfer.device.cameras.base import Camera, Pacer, Warn, ignore_warning, quiet_opencv
from edgeinfer.device.cameras.pictures import class_of, image_paths, no_images
from edgeinfer.device.errors import CameraError, DataError
from edgeinfer.device.images import read_image
from edgeinfer.device.preprocess.spec import PreprocessSpec
from edgeinfer.device.types import Frame

PLAUSIBLE_FPS = (1.0, 240.0)
"""A rate that a video file gives outside of this is a damaged header's."""
DEFAULT_FPS = 30.0

SHORT_BY = 0.05
"""How much of a video may be missing without a word: some containers only estimate their length."""


class VideoCamera(Camera):
    """A video file, from its first frame to its last.

    Args:
        path: the file.
        realtime: deliver the frames at the file's own rate, as a live source.
        warn: takes a line when the file ends before its time.

    Raises:
        CameraError: not one frame can be decoded.
    """

    def __init__(self, path: Path, *, realtime: bool = False, warn: Warn = ignore_warning) -> None:
        quiet_opencv()
        self._path = path
        self._warn = warn
        self._sequence = 0
        # An absolute path: FFmpeg takes what stands before a colon for a protocol.
        self._capture = cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG)
        self._pool = FramePool()
        self._ahead = self._decode()
        if self._ahead is None:
            self._capture.release()
            raise CameraError(
                path,
                got="is empty" if path.stat().st_size == 0 else "no frame can be decoded",
                expected="a complete video file",
                next_step="play it elsewhere to see whether it is damaged",
            )
        self._announced = max(0.0, self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        if not (math.isfinite(fps) and PLAUSIBLE_FPS[0] <= fps <= PLAUSIBLE_FPS[1]):
            fps = DEFAULT_FPS
        self._pacer = Pacer(fps) if realtime else None
        self.live = realtime
        height, width = self._ahead.shape[:2]
        self.description = f"{path}, {width}x{height}, {fps:.4g} frames/s"
        if realtime:
            self.description += " in real time"

    def read(self) -> Frame | None:
        """Decode the next frame; None at the end of the file."""
        pixels = self._ahead if self._ahead is not None else self._decode()
        self._ahead = None
        if pixels is None:
            self._check_length()
            return None
        captured_ns = self._pacer.wait() if self._pacer else time.monotonic_ns()
        frame = Frame(
            pixels=pixels,
            format="bgr",
            sequence=self._sequence,
            captured_ns=captured_ns,
            name=self._path.name,
        )
        self._sequence += 1
        return frame

    def skip(self) -> bool:
        """Let a frame go by: its colours need not be converted."""
        if self._ahead is not None:
            self._ahead = None
        elif not self._capture.grab():
            self._check_length()
            return False
        if self._pacer is not None:
            self._pacer.wait()
        self._sequence += 1
        return True

    def close(self) -> None:
        """Close the file."""
        self._capture.release()

    def _decode(self) -> NDArray[np.uint8] | None:
        """Return the next picture, (H, W, 3) uint8 BGR."""
        if not self._capture.grab():
            return None
        size = (cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FRAME_WIDTH)
        buffer = self._pool.take((*(int(self._capture.get(side)) for side in size), 3))
        # A picture of another size than announced gets memory of its own.
        delivered, picture = self._capture.retrieve(buffer)
        return np.asarray(picture, np.uint8) if delivered else None

    def _check_length(self) -> None:
        if self._sequence < self._announced * (1 - SHORT_BY):
            self._warn(
                f"{self._path}: ended after {self._sequence} of {self._announced:.0f} frames; "
                "the file is damaged or cut short"
            )
            self._announced = 0.0


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

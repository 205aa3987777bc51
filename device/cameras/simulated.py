"""A camera that needs no camera: labelled pictures move past it, one after the other.

Each picture slides in from the right, stands almost still while it is looked at and slides out to
the left, as on a conveyor that stops at every piece. The background is the picture's own border
colour with a little grain. On top come the hand's shake, motion blur, changing light and the
sensor's noise. The frame has the shape of the pictures, so that a picture in the middle fills it:
what a model sees is the picture it might have been tested on, under worse conditions.

A frame's label is that of the picture over its centre. Frames are the same for the same seed.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.cameras.base import Camera, Pacer
from edgeinfer.device.cameras.files.labelled import LabelledPicture
from edgeinfer.device.core.errors import CameraError, DataError
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.pictures.pixel_formats import Pixels

_LOG = logging.getLogger(__name__)

LONG_SIDE = 320
"""The frame's longer side in pixels."""
MAX_ASPECT = 16 / 9
FRAMES_A_PICTURE = 30
"""Frames from one picture's entry to the next picture's."""
SPACING = 1.1
"""Distance between the centres of two pictures, in frame widths."""
STEEPNESS = 25
"""How suddenly a picture comes and goes: its way is the phase (-1 to 1) to this power."""
SHAKE = 0.02
"""The hand's shake: largest shift, in frame sizes."""
ZOOM = 0.04
"""Largest change of scale."""
LIGHT = 0.18
"""Largest change of brightness."""
NOISE = 7.0
"""The sensor's noise: standard deviation, in pixel units (0 to 255)."""
TEXTURE = 6.0
"""The background's texture: standard deviation, in pixel units."""
EXPOSURE = 0.5
"""The part of a frame's time during which the shutter is open; motion blurs over it."""
FIELD_MARGIN = 64
"""How much larger than a frame a field of noise is, in pixels."""


@dataclass(frozen=True, kw_only=True)
class _Shown:
    """A picture on its way: enlarged to the frame, with its background around it."""

    scene: Pixels
    background: Pixels
    label: str | None


class SimulatedCamera(Camera):
    """See the module.

    Args:
        pictures: what moves past; asking for one may raise DataError, then it is skipped.
        fps: frames per second.
        seed: of the order, the shake, the light and the noise.
        frame_limit: after how many frames it ends; None for never.

    Raises:
        CameraError: no picture can be read.
    """

    live = True

    def __init__(
        self,
        pictures: Sequence[LabelledPicture],
        *,
        fps: float = 30.0,
        seed: int = 0,
        frame_limit: int | None = None,
    ) -> None:
        self._pictures = pictures
        self._frame_limit = frame_limit
        self._pacer = Pacer(fps)
        self._random = np.random.default_rng(seed)
        self._damaged: set[int] = set()
        self._order: list[int] = []
        self._sequence = 0
        first, label = self._draw()
        self._size = _frame_size(first)
        self._noise = self._noise_field(NOISE)
        self._texture = self._noise_field(TEXTURE)
        self._previous: _Shown | None = None
        self._current = self._show(first, label)
        self._next = self._show(*self._draw())
        self.labelled = label is not None
        self.description = (
            f"simulated, {len(pictures)} pictures moving past, "
            f"{self._size[0]}x{self._size[1]}, {fps:.4g} frames/s"
        )

    def read(self) -> Frame | None:
        """Compose the next frame and wait until it is due."""
        if self._sequence == self._frame_limit:
            return None
        if self._sequence and self._sequence % FRAMES_A_PICTURE == 0:
            self._previous, self._current = self._current, self._next
            self._next = self._show(*self._draw())
        pixels, label = self._compose(self._sequence % FRAMES_A_PICTURE)
        frame = Frame(
            pixels=pixels, sequence=self._sequence, captured_ns=self._pacer.wait(), label=label
        )
        self._sequence += 1
        return frame

    def _draw(self) -> LabelledPicture:
        """Read the next picture of a seeded order that is new in every round."""
        while len(self._damaged) < len(self._pictures):
            if not self._order:
                self._order = [int(i) for i in self._random.permutation(len(self._pictures))]
            index = self._order.pop()
            if index in self._damaged:
                continue
            try:
                return self._pictures[index]
            except DataError as error:
                self._damaged.add(index)
                self.skipped_files += 1
                _LOG.warning("%s; skipped", error)
        raise CameraError("simulated", got=f"none of {len(self._pictures)} pictures can be read")

    def _show(self, picture: Pixels, label: str | None) -> _Shown:
        """Bring a picture to the frame's size and make its background."""
        scene = _cover(picture, self._size)
        border = np.concatenate((scene[0], scene[-1], scene[:, 0], scene[:, -1]))
        background = np.median(border, axis=0) + self._crop_of(self._texture)
        return _Shown(
            scene=scene, background=np.clip(background, 0, 255).astype(np.uint8), label=label
        )

    def _compose(self, step: int) -> tuple[Pixels, str | None]:
        """Return the frame at a step of the current picture's way, and its label."""
        width, height = self._size
        place = _place(step)
        time_s = self._sequence / 30
        shift_x = SHAKE * width * math.sin(5.3 * time_s)
        shift_y = SHAKE * height * math.sin(4.1 * time_s + 1)
        zoom = 1 + ZOOM * math.sin(1.7 * time_s)
        frame: Pixels = self._current.background.copy()
        neighbour = self._previous if place > 0 else self._next
        neighbour_place = place - math.copysign(SPACING, place)
        for shown, centre in ((neighbour, neighbour_place), (self._current, place)):
            if shown is None or abs(centre) > 1:
                continue
            left = (1 - zoom) * width / 2 + shift_x + centre * width
            top = (1 - zoom) * height / 2 + shift_y
            cv2.warpAffine(
                shown.scene,
                np.array([[zoom, 0, left], [0, zoom, top]]),
                (width, height),
                dst=frame,
                flags=cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_TRANSPARENT,
            )
        travel = abs(_place(step + 0.5) - _place(step - 0.5)) * width * EXPOSURE
        if travel >= 2:
            frame = np.asarray(cv2.blur(frame, (int(travel), 1)), dtype=np.uint8)
        light = 1 + LIGHT * (math.sin(0.9 * time_s) + math.sin(2.3 * time_s)) / 2
        exposed = cv2.add(
            cv2.convertScaleAbs(frame, alpha=light),
            self._crop_of(self._noise),
            dtype=cv2.CV_8U,  # of a larger sum the nearest that fits, as a sensor does
        )
        covered = abs(place * width + shift_x) < zoom * width / 2
        return (
            np.asarray(exposed, dtype=np.uint8),
            self._current.label if covered else None,
        )

    def _noise_field(self, deviation: float) -> NDArray[np.int16]:
        """Return noise larger than a frame: cutting a piece is cheaper than making new noise."""
        width, height = self._size
        field = self._random.standard_normal((height + FIELD_MARGIN, width + FIELD_MARGIN, 3))
        return np.asarray(np.rint(field * deviation), dtype=np.int16)

    def _crop_of(self, field: NDArray[np.int16]) -> NDArray[np.int16]:
        """Cut a frame out of a noise field, at a random place."""
        width, height = self._size
        top, left = (int(i) for i in self._random.integers(0, FIELD_MARGIN, 2))
        return np.asarray(field[top : top + height, left : left + width], dtype=np.int16)


def _place(step: float) -> float:
    """Return where a picture's centre is at a step of its way: frame widths right of the middle."""
    phase = max(-1.0, min(1.0, (2 * step + 1) / FRAMES_A_PICTURE - 1))
    return -0.5 * SPACING * math.copysign(abs(phase) ** STEEPNESS, phase)


def _frame_size(picture: Pixels) -> tuple[int, int]:
    """Return (width, height) of frames in the shape of `picture`."""
    height, width = picture.shape[:2]
    aspect = max(1 / MAX_ASPECT, min(MAX_ASPECT, width / height))
    if aspect >= 1:
        return LONG_SIDE, round(LONG_SIDE / aspect)
    return round(LONG_SIDE * aspect), LONG_SIDE


def _cover(picture: Pixels, size: tuple[int, int]) -> Pixels:
    """Cut the middle of a picture to the shape of (width, height) and resize it to that."""
    height, width = picture.shape[:2]
    scale = max(size[0] / width, size[1] / height)
    cut_width, cut_height = (
        min(width, round(size[0] / scale)),
        min(height, round(size[1] / scale)),
    )
    left, top = (width - cut_width) // 2, (height - cut_height) // 2
    cut = picture[top : top + cut_height, left : left + cut_width]
    kernel = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(cut, size, interpolation=kernel), dtype=np.uint8)

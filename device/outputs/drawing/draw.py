"""Answers drawn onto their frames: labels, boxes, areas, keypoints, for recordings and windows.

Letters and lines grow with the picture; a picture too small for letters is enlarged first, and one
too narrow for them gets a black strip next to it. Letters have a dark outline, which reads on any
background.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.loop.results import Answer
from edgeinfer.device.outputs.drawing.ascii_text import plain
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.pictures.region import Region
from edgeinfer.device.tasks.prediction import Colour, Point

MIN_SIDE = 240
"""A picture's shorter side is at least this many pixels when it is drawn on."""
MAX_ENLARGED_SIDE = 4096
"""No picture is enlarged beyond this: one of 5000 by 1 would take a gigabyte."""
MAX_DRAWN_SIDE = 16_384
"""Longer pictures are made smaller: JPEG ends at 65,500 pixels, and so do many viewers before."""

Picture = NDArray[np.uint8]
"""(H, W, 3) uint8 BGR, as OpenCV writes and shows it."""

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_LETTER_PX = 21
"""How high a capital is at scale 1."""
_WHITE: Colour = (255, 255, 255)
_DARK: Colour = (16, 16, 16)


def annotate(answer: Answer, *, caption: str = "") -> Picture:
    """Draw an answer onto its frame.

    Args:
        answer: the frame stays as it is.
        caption: a line at the bottom, such as the time.

    Returns:
        A new array, (H, W, 3) uint8 BGR; see `MIN_SIDE`, `MAX_ENLARGED_SIDE` and `MAX_DRAWN_SIDE`.

    Raises:
        ImageError: the frame is a JPEG that cannot be decoded.
    """
    picture = _enlarged(within(picture_bgr(answer.frame), MAX_DRAWN_SIDE))
    canvas = PictureCanvas(_with_strip(picture), size=(picture.shape[1], picture.shape[0]))
    if answer.region is not None:
        canvas.outside(answer.region)
    answer.prediction.draw(canvas, answer.frame.label)
    if caption:
        canvas.caption(caption)
    return canvas.picture


def class_colour(index: int) -> Colour:
    """Return the colour of a class, BGR: always the same, and unlike its neighbours'."""
    hue = (0.33 + index * 0.618034) % 1.0  # the golden ratio spreads any number of hues evenly
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.85, 1.0)
    return round(blue * 255), round(green * 255), round(red * 255)


def _light(colour: Colour) -> Colour:
    """Return the colour half way to white: letters in pure blue do not read on a dark outline."""
    blue, green, red = ((part + 255) // 2 for part in colour)
    return blue, green, red


class PictureCanvas:
    """A picture, and what is drawn on it in sizes that suit it; see `Canvas`.

    Args:
        picture: is drawn on.
        size: (width, height) of what the answer is about, in the upper left corner; None for all of
            it. What is next to it is a strip for the lines.

    Attributes:
        picture: the picture, with all that is drawn so far.
        width: of what the answer is about.
        height: of it.
    """

    def __init__(self, picture: Picture, *, size: tuple[int, int] | None = None) -> None:
        self.picture = picture
        bottom, right = picture.shape[:2]
        self.width, self.height = size if size is not None else (right, bottom)
        self._inner = picture[: self.height, : self.width]
        self._left = self.width if self.width < right else 0
        self._top = self.height if self.height < bottom else 0
        side = min(bottom, right)
        self.letter_px = min(max(side / 28, 11.0), 60.0)
        self.thickness = max(1, round(side / 240))
        self._scale = self.letter_px / _LETTER_PX
        self._stroke = max(1, round(self.letter_px / 11))
        self._margin = round(self.letter_px / 2)
        self._line_px = round(self.letter_px * 1.7)

    def places(self, points: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
        """Return where points (..., 2) of a picture of `size` (width, height) are in this one.

        What a broken model puts far outside, OpenCV could not draw.
        """
        near = np.clip(np.nan_to_num(points), -(2.0**15), 2.0**15)
        limit = 2.0 * max(self.width, self.height)
        factors = np.array([self.width / size[0], self.height / size[1]])
        placed: NDArray[np.float64] = np.clip(near * factors, -limit, limit)
        return placed

    def text_width(self, text: str) -> int:
        """Return the width of a line in pixels, its outline included."""
        outline = 3 * self._stroke
        return int(cv2.getTextSize(text, _FONT, self._scale, self._stroke)[0][0]) + outline

    def text(self, text: str, x: float, baseline: float, colour: Colour = _WHITE) -> None:
        """Write a line, cut to the picture's width."""
        room = self.picture.shape[1] - round(x)
        if self.text_width(text) > room:
            while text and self.text_width(text + "..") > room:
                text = text[:-1]
            text += ".."
        at = (round(x), round(baseline))
        # The letter O of width 3 has no hole where its outline is 3 times as wide.
        outline = self._stroke + 2 * max(1, round(self.letter_px / 14))
        for ink, width in ((_DARK, outline), (colour, self._stroke)):
            cv2.putText(self.picture, text, at, _FONT, self._scale, ink, width, cv2.LINE_AA)

    def colour(self, index: int) -> Colour:
        """Return the colour of a class."""
        return class_colour(index)

    def name(self, label: str, index: int) -> str:
        """Return a label in the letters that OpenCV can draw; `class N` where it has none."""
        return plain(label, instead=f"class {index}")

    def lines(self, lines: Sequence[str], colours: Sequence[Colour] = ()) -> None:
        """Write lines from the upper left corner on, or from that of the strip, as many as there is
        room for."""
        for number, line in enumerate(map(plain, lines)):
            baseline = self._top + self._margin + self.letter_px + number * self._line_px
            if baseline + self._margin > self.picture.shape[0] - self._line_px:
                break
            colour = _light(colours[number]) if number < len(colours) else _WHITE
            self.text(line, self._left + self._margin, baseline, colour)

    def caption(self, text: str) -> None:
        """Write a line at the bottom."""
        self.text(plain(text), self._left + self._margin, self.picture.shape[0] - self._margin)

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """Draw a rectangle with a dark outline."""
        corners = (round(left), round(top)), (round(right), round(bottom))
        for ink, extra in ((_DARK, 2), (colour, 0)):
            cv2.rectangle(self._inner, *corners, ink, self.thickness + extra)

    def outside(self, region: Region) -> None:
        """Darken what is outside a part of the picture, and draw a line around the part."""
        x, y, width, height = region
        left, top = round(x * self.width), round(y * self.height)
        right, bottom = round((x + width) * self.width), round((y + height) * self.height)
        part = self._inner[top:bottom, left:right].copy()
        self._inner //= 2
        self._inner[top:bottom, left:right] = part
        self.box(left, top, right - 1, bottom - 1, _WHITE)

    def tag(self, text: str, left: float, top: float, colour: Colour) -> None:
        """Write a line above a box's upper edge, below it where there is no room above."""
        baseline = top - self._margin / 2 - self.thickness
        if baseline < self.letter_px + 2:
            baseline = max(top, 0) + self.letter_px + self._margin
        text = plain(text)
        bottom, right = self.picture.shape[:2]
        latest = right - self.text_width(text)
        self.text(text, max(2.0, min(left, latest)), min(baseline, bottom - 4), _light(colour))

    def figure(
        self, segments: Sequence[tuple[Point, Point]], dots: Sequence[Point], colour: Colour
    ) -> None:
        """Draw lines and dots that belong together, their dark outline below all of them."""
        radius = self.thickness + 2
        for ink, extra in ((_DARK, 2), (colour, 0)):
            for start, end in segments:
                width = self.thickness + extra
                cv2.line(self._inner, start, end, ink, width, cv2.LINE_AA)
            for dot in dots:
                cv2.circle(self._inner, dot, radius + extra // 2, ink, cv2.FILLED, cv2.LINE_AA)

    def tint(self, classes: NDArray[np.uint8], colours: Mapping[int, Colour]) -> None:
        """Colour the pixels of some classes; a picture of another size is scaled."""
        if classes.shape != self._inner.shape[:2]:
            size = (self.width, self.height)
            classes = np.asarray(
                cv2.resize(classes, size, interpolation=cv2.INTER_NEAREST), np.uint8
            )
        table = np.zeros((256, 3), np.uint8)
        for index, colour in colours.items():
            table[index] = colour
        inside = np.isin(classes, list(colours))
        blended = cv2.addWeighted(self._inner, 0.55, table[classes], 0.45, 0)
        self._inner[inside] = blended[inside]

    def cover(self, pixels: NDArray[np.uint8], seen: NDArray[np.bool_]) -> None:
        """Put pixels, (height, width, 3) of this picture's size, in place of those there."""
        self._inner[seen] = pixels[seen]


def picture_bgr(frame: Frame) -> Picture:
    """Return a frame's picture in separate memory.

    Raises:
        ImageError: the frame is a JPEG that cannot be decoded.
    """
    if frame.format == "bgr":
        return frame.pixels.copy()
    return np.ascontiguousarray(frame.rgb()[..., ::-1])


def within(picture: Picture, max_side: int) -> Picture:
    """Return a picture whose longer side is at most `max_side` pixels."""
    height, width = picture.shape[:2]
    if max(height, width) <= max_side:
        return picture
    factor = max_side / max(height, width)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _enlarged(picture: Picture) -> Picture:
    shorter, longer = sorted(picture.shape[:2])
    factor = min(math.ceil(MIN_SIDE / shorter), MAX_ENLARGED_SIDE // longer)
    if factor <= 1:
        return picture
    return np.ascontiguousarray(picture.repeat(factor, axis=0).repeat(factor, axis=1))


def _with_strip(picture: Picture) -> Picture:
    """Return the picture in the upper left corner of one that has room for letters."""
    height, width = picture.shape[:2]
    if min(height, width) >= MIN_SIDE:
        return picture
    whole = np.zeros((max(height, MIN_SIDE), max(width, MIN_SIDE), 3), np.uint8)
    whole[:height, :width] = picture
    return whole

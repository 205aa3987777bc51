"""Answers drawn onto their frames: labels, boxes, areas, keypoints, for recordings and windows.

Letters and lines grow with the picture; a picture too small for letters is enlarged first. Letters
have a dark outline, which reads on any background.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.loop.results import Answer
from edgeinfer.device.models.predictions.kinds import Classification
from edgeinfer.device.models.predictions.located import UNSEEN, Detections, Mask, Poses, class_name
from edgeinfer.device.outputs.drawing.ascii_text import plain
from edgeinfer.device.pictures.frame import Frame

MIN_SIDE = 240
"""A picture's shorter side is at least so many pixels when it is drawn on."""

MIN_KEYPOINT_SCORE = 0.3
"""Keypoints below are guesses, of hidden limbs mostly, and clutter the picture."""

MIN_AREA = 0.005
"""Smaller areas of a mask are coloured and not named."""

SHOWN_LABELS = 3

Picture = NDArray[np.uint8]
"""(H, W, 3) uint8 BGR, as OpenCV writes and shows it."""

Colour = tuple[int, int, int]

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
        A new array, (H, W, 3) uint8 BGR; see `MIN_SIDE`.

    Raises:
        ImageError: the frame is a JPEG that cannot be decoded.
    """
    canvas = _Canvas(_enlarged(_bgr(answer.frame)))
    prediction = answer.prediction
    if isinstance(prediction, Mask):
        _draw_mask(canvas, prediction)
    elif isinstance(prediction, Detections):
        _draw_boxes(canvas, prediction)
    elif isinstance(prediction, Poses):
        _draw_poses(canvas, prediction)
    else:
        lines = [plain(prediction.text())]
        if isinstance(prediction, Classification):
            lines = _ranking(prediction)
            truth = answer.frame.label
            if truth in prediction.labels and truth != prediction.label:
                name = plain(truth, instead=f"class {prediction.labels.index(truth)}")
                lines.append(f"truth: {name}")
        canvas.lines(lines)
    if caption:
        canvas.caption(plain(caption))
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


class _Canvas:
    """A picture, and what is drawn on it in sizes that suit it."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.height, self.width = picture.shape[:2]
        side = min(self.width, self.height)
        self.letter_px = min(max(side / 28, 11.0), 60.0)
        self.thickness = max(1, round(side / 240))
        self._scale = self.letter_px / _LETTER_PX
        self._stroke = max(1, round(self.letter_px / 11))
        self._margin = round(self.letter_px / 2)
        self._line_px = round(self.letter_px * 1.7)

    def places(self, points: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
        """Return where points (..., 2) of a picture of `size` (width, height) lie in this one.

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
        room = self.width - round(x)
        if self.text_width(text) > room:
            while text and self.text_width(text + "..") > room:
                text = text[:-1]
            text += ".."
        at = (round(x), round(baseline))
        # The letter O of width 3 has no hole where its outline is 3 times as wide.
        outline = self._stroke + 2 * max(1, round(self.letter_px / 14))
        for ink, width in ((_DARK, outline), (colour, self._stroke)):
            cv2.putText(self.picture, text, at, _FONT, self._scale, ink, width, cv2.LINE_AA)

    def lines(self, lines: Sequence[str], colours: Sequence[Colour] = ()) -> None:
        """Write lines from the upper left corner on, as many as there is room for."""
        for number, line in enumerate(lines):
            baseline = self._margin + self.letter_px + number * self._line_px
            if baseline + self._margin > self.height - self._line_px:
                break
            colour = _light(colours[number]) if number < len(colours) else _WHITE
            self.text(line, self._margin, baseline, colour)

    def caption(self, text: str) -> None:
        """Write a line at the bottom."""
        self.text(text, self._margin, self.height - self._margin)

    def tag(self, text: str, left: float, top: float, colour: Colour) -> None:
        """Write a line above a box's upper edge, below it where there is no room above."""
        baseline = top - self._margin / 2 - self.thickness
        if baseline < self.letter_px + 2:
            baseline = max(top, 0) + self.letter_px + self._margin
        latest = self.width - self.text_width(text)
        self.text(text, max(2.0, min(left, latest)), min(baseline, self.height - 4), _light(colour))


def _bgr(frame: Frame) -> Picture:
    """Return the picture in memory of its own."""
    if frame.format == "bgr":
        return frame.pixels.copy()
    return np.ascontiguousarray(frame.rgb()[..., ::-1])


def _enlarged(picture: Picture) -> Picture:
    side = min(picture.shape[:2])
    if side >= MIN_SIDE:
        return picture
    factor = math.ceil(MIN_SIDE / side)
    return np.ascontiguousarray(picture.repeat(factor, axis=0).repeat(factor, axis=1))


def _ranking(prediction: Classification) -> list[str]:
    """Return the best classes, the most probable one whatever its probability."""
    index_of = {label: index for index, label in enumerate(prediction.labels)}
    best, *others = prediction.top(SHOWN_LABELS)
    shown = [best, *(one for one in others if one[1] >= 0.01)]
    # The figure first: it is the name that is cut where there is no room.
    return [f"{p:.1%} {plain(name, instead=f'class {index_of[name]}')}" for name, p in shown]


def _name(labels: tuple[str, ...], index: int) -> str:
    return plain(class_name(labels, index), instead=f"class {index}")


def _draw_boxes(canvas: _Canvas, found: Detections) -> None:
    boxes = canvas.places(found.boxes.reshape(-1, 2, 2), found.size).reshape(-1, 4)
    # The surest last, on top of the others.
    order = range(len(found) - 1, -1, -1)
    for i in order:
        left, top, right, bottom = (round(value) for value in boxes[i].tolist())
        colour = class_colour(int(found.classes[i]))
        for ink, extra in ((_DARK, 2), (colour, 0)):
            width = canvas.thickness + extra
            cv2.rectangle(canvas.picture, (left, top), (right, bottom), ink, width)
    for i in order:
        name = _name(found.labels, int(found.classes[i]))
        colour = class_colour(int(found.classes[i]))
        canvas.tag(f"{name} {found.scores[i]:.0%}", boxes[i, 0], boxes[i, 1], colour)


def _draw_mask(canvas: _Canvas, mask: Mask) -> None:
    classes = mask.in_picture()
    if classes.shape != canvas.picture.shape[:2]:
        size = (canvas.width, canvas.height)
        classes = np.asarray(cv2.resize(classes, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    table = np.zeros((256, 3), np.uint8)
    present = [int(i) for i in np.flatnonzero(np.bincount(classes.reshape(-1), minlength=256))]
    shown = [index for index in present if index not in (0, UNSEEN)]
    for index in shown:
        table[index] = class_colour(index)
    inside = np.isin(classes, shown)
    blended = cv2.addWeighted(canvas.picture, 0.55, table[classes], 0.45, 0)
    canvas.picture[inside] = blended[inside]
    areas = dict(mask.areas())
    shown = [i for i in shown if areas.get(class_name(mask.labels, i), 0.0) >= MIN_AREA]
    shown.sort(key=lambda index: -areas[class_name(mask.labels, index)])
    canvas.lines(
        [
            f"{_name(mask.labels, i)} {areas[class_name(mask.labels, i)]:.1%}"
            for i in shown[:SHOWN_LABELS]
        ],
        [class_colour(i) for i in shown],
    )


def _draw_poses(canvas: _Canvas, poses: Poses) -> None:
    radius = canvas.thickness + 2
    for person in range(len(poses) - 1, -1, -1):
        colour = class_colour(person)
        places = canvas.places(poses.keypoints[person], poses.size).tolist()
        points = [(round(x), round(y)) for x, y in places]
        seen = poses.keypoint_scores[person] >= MIN_KEYPOINT_SCORE
        for ink, extra in ((_DARK, 2), (colour, 0)):
            for first, second in poses.limbs:
                if seen[first] and seen[second]:
                    width = canvas.thickness + extra
                    cv2.line(canvas.picture, points[first], points[second], ink, width, cv2.LINE_AA)
            for point, shown in zip(points, seen, strict=True):
                if shown:
                    cv2.circle(
                        canvas.picture, point, radius + extra // 2, ink, cv2.FILLED, cv2.LINE_AA
                    )
    canvas.lines([plain(poses.text())])

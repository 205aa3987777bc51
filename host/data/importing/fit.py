"""From boxes as someone wrote them to boxes in the picture as edgeinfer reads it: upright.

The picture is measured. Boxes that were written for the picture as it is stored are turned with
it; that is so where the written size is that of the stored picture. Where both have the same size,
or none is written, boxes count as those of the upright picture, which is what today's tools show.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edgeinfer.device.core.errors import ImageError
from edgeinfer.device.pictures.decode import image_size, read_image_bytes
from edgeinfer.device.pictures.folders.names import Split
from edgeinfer.device.pictures.headers import ImageHeader, read_header
from edgeinfer.host.data.importing.found import Box, FoundPicture, Record

MIN_SIDE = 1.0
"""Boxes narrower than a pixel show nothing."""

SAME_SHAPE = 0.01
"""So much may the ratio of the sides differ in pictures that were only made smaller."""

CUT = "box reaches over the edge of its picture; cut there"
OUTSIDE = "box outside of its picture"
EMPTY = "empty box"
SWAPPED = "box with its edges in the wrong order; swapped"
TURNED = "boxes of the stored picture turned with it"
SCALED = "boxes of a picture of another size; scaled"
WRONG_SIZE = "picture of another size than its labels say"
UNREADABLE = "picture that cannot be read"


@dataclass(frozen=True, kw_only=True, slots=True)
class FittedPicture:
    """A picture that can be read, with the boxes that are in it.

    Attributes:
        path: where it is.
        place: where its labels stand.
        split: its split, if any.
        size: (width, height) in pixels, upright.
        boxes: in pixels of the upright picture, with whole area inside it.
    """

    path: str
    place: str
    split: Split | None
    size: tuple[int, int]
    boxes: tuple[Box, ...]


def fit_picture(picture: FoundPicture, record: Record) -> FittedPicture | None:
    """Return a picture with its boxes made fit; None if it is left out, which is recorded."""
    try:
        data = read_image_bytes(picture.path)
        upright = image_size(data, subject=picture.path)
        header = read_header(data)
    except ImageError as error:
        record.left_out(UNREADABLE, picture.place, str(error))
        return None
    place = _placing(picture, upright, header, record)
    if place is None:
        return None
    boxes = []
    for box in picture.boxes:
        fitted = fit_box(Box(box.label, *place(box)), upright, record, picture.place)
        if fitted is not None:
            boxes.append(fitted)
    return FittedPicture(
        path=picture.path,
        place=picture.place,
        split=picture.split,
        size=upright,
        boxes=tuple(boxes),
    )


Placing = Callable[[Box], tuple[float, float, float, float]]


def _placing(
    picture: FoundPicture, upright: tuple[int, int], header: ImageHeader, record: Record
) -> Placing | None:
    """Return what makes upright pixels of a box's edges; None where no such thing is known."""
    width, height = upright
    if picture.ratio:
        return lambda b: (b.left * width, b.top * height, b.right * width, b.bottom * height)
    said = picture.size
    if said is None or said == upright or not picture.boxes:
        return lambda b: (b.left, b.top, b.right, b.bottom)
    if said == header.size:
        record.corrected(TURNED, picture.place, picture.path)
        return lambda b: turn(b, header.size, header.orientation)
    ratio = (said[0] / said[1]) / (width / height)
    detail = f"{said[0]}x{said[1]} is written, it has {width}x{height}"
    if abs(ratio - 1) > SAME_SHAPE:
        record.left_out(WRONG_SIZE, picture.place, detail)
        return None
    record.corrected(SCALED, picture.place, detail)
    x, y = width / said[0], height / said[1]
    return lambda b: (b.left * x, b.top * y, b.right * x, b.bottom * y)


def turn(box: Box, size: tuple[int, int], orientation: int) -> tuple[float, float, float, float]:
    """Return the edges of a box in the picture turned as Exif's number says.

    Args:
        box: in the picture as it is stored.
        size: (width, height) of that.
        orientation: Exif's number, 1 to 8.
    """
    left, top, right, bottom = box.left, box.top, box.right, box.bottom
    width, height = size
    if orientation >= 5:
        left, top, right, bottom = top, left, bottom, right
        width, height = height, width
    if orientation in (3, 4, 7, 8):
        top, bottom = height - bottom, height - top
    if orientation in (2, 3, 6, 7):
        left, right = width - right, width - left
    return left, top, right, bottom


def fit_box(box: Box, size: tuple[int, int], record: Record, place: str) -> Box | None:
    """Return the part of a box that is in the picture; None where nothing of it is.

    Args:
        box: in pixels.
        size: (width, height) of the picture.
        record: takes what is cut or left out.
        place: where the box is written.
    """
    left, right = sorted((box.left, box.right))
    top, bottom = sorted((box.top, box.bottom))
    said = f"{box.label} {box.left:g} {box.top:g} {box.right:g} {box.bottom:g}"
    if (left, top) != (box.left, box.top):
        record.corrected(SWAPPED, place, said)
    if right - left < MIN_SIDE or bottom - top < MIN_SIDE:
        record.left_out(EMPTY, place, said)
        return None
    width, height = size
    inside = Box(box.label, max(left, 0.0), max(top, 0.0), min(right, width), min(bottom, height))
    if inside.right - inside.left < MIN_SIDE or inside.bottom - inside.top < MIN_SIDE:
        record.left_out(OUTSIDE, place, said)
        return None
    # Half a pixel more is how boxes are rounded, and no fault.
    if max(-left, -top, right - width, bottom - height) > 1.0:
        record.corrected(CUT, place, said)
    return inside

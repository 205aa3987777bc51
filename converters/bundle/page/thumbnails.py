"""Small pictures for a page, as part of it."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np

from edgeinfer.converters.common.page.parts import (
    Gallery,
    Page,
    Part,
    Pictures,
    Section,
    Text,
    Tile,
)
from edgeinfer.converters.run_folder.samples import Sample, read_sample
from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.outputs.drawing.draw import PictureCanvas
from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.prediction import Canvas

SIDE = 128
"""The longer side of a thumbnail, pixels."""

MOST_TILES = 200
"""The most pictures of a page: with `SIDE` about 1.5 MB."""

_QUALITY = 82
_SMALL = 64
"""Pictures up to this side are enlarged in whole steps and stay exact."""

_READING = PreprocessSpec(size=(SIDE, SIDE), jpeg_reduction=8)


class Thumbnails:
    """Makes thumbnails, each one time, until a page has enough."""

    def __init__(self) -> None:
        self._made: dict[str, str] = {}
        self._drawn = 0

    def full(self) -> bool:
        """Return whether a page has as many as it may have."""
        return len(self._made) + self._drawn >= MOST_TILES

    def uri(self, source: str, draw: Callable[[Canvas], None] | None = None) -> str:
        """Return a picture's thumbnail as a `data:` address; empty if it cannot be read.

        Args:
            source: the picture.
            draw: draws onto the thumbnail; None draws nothing.
        """
        if draw is not None:
            self._drawn += 1
            return _uri(source, draw)
        if source not in self._made:
            self._made[source] = _uri(source)
        return self._made[source]


def with_thumbnails(page: Page, samples: Sequence[Sample], made: Thumbnails | None = None) -> Page:
    """Return a page in which galleries replace `Pictures`.

    Args:
        page: the page.
        samples: the pictures that its places count.
        made: keeps thumbnails for several parts of a page.
    """
    made = made or Thumbnails()
    sections = tuple(
        replace(section, parts=tuple(_shown(part, samples, made) for part in section.parts))
        for section in page.sections
    )
    return replace(page, sections=sections)


def section_with_thumbnails(
    section: Section, samples: Sequence[Sample], made: Thumbnails
) -> Section:
    """Return a section in which galleries replace `Pictures`; see `with_thumbnails`."""
    return replace(section, parts=tuple(_shown(part, samples, made) for part in section.parts))


def _shown(part: Part, samples: Sequence[Sample], made: Thumbnails) -> Part:
    if not isinstance(part, Pictures):
        return part
    if any(one.place >= len(samples) for one in part.pictures):
        return Text(paragraphs=(f"{part.title}: which pictures they are is not known.",))
    tiles = tuple(
        Tile(
            uri=made.uri(samples[one.place].source, one.draw),
            name=os.path.basename(samples[one.place].source),
            lines=one.lines,
        )
        for one in part.pictures
        if not made.full()
    )
    lost = sum(not tile.uri for tile in tiles)
    note = part.note
    if lost:
        note += f" {lost} of these pictures could no longer be read when this page was written."
    if len(tiles) < len(part.pictures):
        note += f" The page has room for {len(tiles)} of them."
    return Gallery(title=part.title, tiles=tiles, note=note.strip())


def _uri(source: str, draw: Callable[[Canvas], None] | None = None) -> str:
    try:
        small = _scaled(read_sample(source, _READING))
    # What OpenCV cannot scale is not worth the page.
    except (EdgeinferError, OSError, cv2.error):
        return ""
    exact = max(small.shape[:2]) <= SIDE and _few_colours(small)
    if draw is not None:
        canvas = PictureCanvas(np.ascontiguousarray(small[..., ::-1]))
        draw(canvas)
        small = np.ascontiguousarray(canvas.picture[..., ::-1])
    kind, options = (".png", [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not exact:
        kind, options = (".jpg", [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    content = cv2.imencode(kind, small[..., ::-1], options)[1].tobytes()
    return f"data:image/{'png' if exact else 'jpeg'};base64,{base64.b64encode(content).decode()}"


def _scaled(pixels: Pixels) -> Pixels:
    """Return a picture whose longer side is `SIDE` or, enlarged in whole steps, a bit less."""
    height, width = pixels.shape[:2]
    longest = max(height, width)
    if longest <= _SMALL:
        times = max(1, SIDE // longest)
        return np.repeat(np.repeat(pixels, times, axis=0), times, axis=1)
    scale = SIDE / longest
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(
        cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA), np.uint8
    )


def _few_colours(small: Pixels) -> bool:
    """Return whether a picture was enlarged in whole steps: PNG is exact and small then."""
    return bool((small[0::2][: len(small) // 2] == small[1::2][: len(small) // 2]).all())

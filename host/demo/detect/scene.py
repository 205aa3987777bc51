"""A scene: things pasted on a background, each with a box around what can be seen of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.host.demo.detect.cutout import Cutout, bounds

_TRIES = 30
_LEAST_CONTRAST = 30.0
"""Grey levels of one of the colours at least between a thing and what is behind it, on average."""
_NOBODY = -1


class Seen(NamedTuple):
    """A thing in a scene; edges are in whole pixels, right and bottom just beyond the thing."""

    label: str
    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A picture and what is in it."""

    picture: Pixels
    things: tuple[Seen, ...]


def compose(
    background: Pixels,
    things: Iterable[tuple[str, Cutout]],
    random: np.random.Generator,
    *,
    most_hidden: float = 0.0,
) -> Scene:
    """Paste things at random places, one after another.

    A thing for which no place is found is left out: one where it is whole, differs from what is
    behind it, and hides no other one too much.

    Args:
        background: (H, W, 3) uint8 RGB; it is not changed.
        things: (label, cutout) of each, at the size at which it is to be shown.
        random: chooses the places.
        most_hidden: the largest share of a thing's pixels that others may hide.
    """
    picture = background.copy()
    owners = np.full(picture.shape[:2], _NOBODY, np.int64)
    labels: list[str] = []
    areas: list[int] = []
    for label, thing in things:
        place = _place(picture, owners, thing, random, areas, most_hidden)
        if place is None:
            continue
        picture[place] = _over(picture[place], thing)
        owners[place][thing.belongs] = len(labels)
        labels.append(label)
        areas.append(int(thing.belongs.sum()))
    boxes = (bounds(owners == number) for number in range(len(labels)))
    return Scene(
        picture=picture,
        things=tuple(Seen(label, *box) for label, box in zip(labels, boxes, strict=True)),
    )


def _place(
    picture: Pixels,
    owners: NDArray[np.int64],
    thing: Cutout,
    random: np.random.Generator,
    areas: list[int],
    most_hidden: float,
) -> tuple[slice, slice] | None:
    """Return where a thing can be, or None."""
    height, width = thing.cover.shape
    room = picture.shape[0] - height, picture.shape[1] - width
    if min(room) < 0:
        return None
    whole = np.array(areas, np.int64)
    shown = np.bincount(owners[owners > _NOBODY], minlength=len(areas))
    colour = thing.pixels[thing.belongs].mean(axis=0)
    for _ in range(_TRIES):
        top, left = int(random.integers(room[0] + 1)), int(random.integers(room[1] + 1))
        place = np.s_[top : top + height, left : left + width]
        below = owners[place][thing.belongs]
        hidden = np.bincount(below[below > _NOBODY], minlength=len(areas))
        seen_enough = bool((shown - hidden >= (1 - most_hidden) * whole).all())
        behind = picture[place][thing.belongs].mean(axis=0)
        if seen_enough and np.abs(colour - behind).max() >= _LEAST_CONTRAST:
            return place
    return None


def _over(behind: Pixels, thing: Cutout) -> Pixels:
    share = thing.cover[..., None]
    return np.asarray(
        np.rint(behind + (thing.pixels - behind.astype(np.float32)) * share), np.uint8
    )


def photographed(picture: Pixels, random: np.random.Generator) -> Pixels:
    """Return a picture as a camera may see it: darker or brighter, not quite sharp, with noise."""
    blur = random.uniform(0.0, 0.8)
    seen = cv2.GaussianBlur(picture, (5, 5), blur) if blur > 0.3 else picture
    light = np.float32(random.uniform(0.7, 1.15))
    noise = random.standard_normal(picture.shape, np.float32) * np.float32(random.uniform(0, 6))
    return np.asarray(np.clip(np.rint(seen * light + noise), 0, 255), np.uint8)

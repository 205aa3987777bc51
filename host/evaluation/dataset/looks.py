"""One look at each picture of a data set: its size, a few statistics, and its sketch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from edgeinfer.converters.common.ordered_map import ordered_map
from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.host.data.groups.near.sketch import Sketch, make_sketch, read_small, small_grey

_SMALL = (32, 32)


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What is kept of a picture after one look.

    Attributes:
        sample: the picture and its target.
        split: where it is.
        width: in pixels, upright.
        height: the same.
        brightness: mean grey level, 0 to 255.
        contrast: standard deviation of the grey levels of the whole picture.
        colour: mean difference of the strongest and the weakest channel.
        sharpness: mean absolute second difference of the grey copy's levels.
        sketch: to find copies.
    """

    sample: Sample
    split: Split
    width: int
    height: int
    brightness: float
    contrast: float
    colour: float
    sharpness: float
    sketch: Sketch


def look_at_all(
    splits: dict[Split, list[Sample]], *, progress: Progress, threads: int = 2
) -> list[Look]:
    """Look at every picture once; large JPEG files are decoded at a part of their size.

    Args:
        splits: the usable pictures.
        progress: reports each picture.
        threads: how many pictures are decoded at the same time.

    Raises:
        ImageError: a picture that could be read before cannot be read now.
    """
    placed: Sequence[tuple[Split, Sample]] = [
        (split, sample) for split, samples in splits.items() for sample in samples
    ]
    progress.start("looking for copies and odd pictures", len(placed))
    looks = []
    for look in ordered_map(_look_at, placed, threads=threads):
        looks.append(look)
        progress.advance()
    return looks


def _look_at(placed: tuple[Split, Sample]) -> Look:
    split, sample = placed
    pixels, (width, height) = read_small(sample.source)
    grey = small_grey(pixels)
    # A few bright dots on black are a picture; a large one keeps them in its grey copy.
    small = cv2.resize(pixels, _SMALL, interpolation=cv2.INTER_AREA).astype(np.int16)
    return Look(
        sample=sample,
        split=split,
        width=width,
        height=height,
        brightness=float(grey.mean()),
        contrast=float(grey.std()),
        colour=float((small.max(axis=2) - small.min(axis=2)).mean()),
        sharpness=float(np.abs(cv2.Laplacian(grey, cv2.CV_16S)).mean()),
        sketch=make_sketch(grey),
    )

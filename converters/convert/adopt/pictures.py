"""Pictures for an adopted model: the user's, or generated ones where there are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.device.cameras.files.labelled import arrange_classes, image_paths
from edgeinfer.device.core.errors import DataError
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.pictures.pixel_formats import Pixels

MOST_MEASURED = 2000
"""Labelled pictures are answered up to this number."""

_SIZE = 320
_WAVES = 6


@dataclass(frozen=True, kw_only=True)
class LabelledPath:
    """A picture's file, and the name of its folder: its class, where folders are classes."""

    path: Path
    label: str | None


def read_folder(folder: Path, *, seed: int) -> list[LabelledPath]:
    """Return the pictures below a folder in a seeded order, at most `MOST_MEASURED`.

    Raises:
        DataError: the folder is missing or contains no images.
    """
    if not folder.is_dir():
        raise DataError(folder, got="is not a folder", expected="a folder of images")
    paths = list(image_paths(folder))
    if not paths:
        raise DataError(
            folder, got="contains no images", expected="pictures like those it will see"
        )
    order = np.random.default_rng(seed).permutation(len(paths))[:MOST_MEASURED]
    arrangement = arrange_classes(folder)
    return [LabelledPath(path=paths[i], label=arrangement.class_of(paths[i])) for i in order]


def golden_samples(pictures: Sequence[LabelledPath], count: int, folder: Path) -> list[Sample]:
    """Return the pictures of the golden frames: the first ones, else generated ones.

    Args:
        pictures: the user's; may be empty.
        count: how many frames.
        folder: receives generated pictures, as PNG files.
    """
    if pictures:
        return [Sample(source=str(picture.path.resolve())) for picture in pictures[:count]]
    samples = []
    for number in range(count):
        path = folder / f"generated-{number:03d}.png"
        write_atomically(path, encode_png(generated_picture(number)))
        samples.append(Sample(source=str(path)))
    return samples


def generated_picture(seed: int) -> Pixels:
    """Return a picture of soft colours with an edge, (320, 320, 3) uint8 RGB: always the same.

    It shows nothing, but uses all grey levels and fine and coarse structure, which is what
    preprocessing and a model's arithmetic are compared on.
    """
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[0:_SIZE, 0:_SIZE] / _SIZE
    picture = np.zeros((_SIZE, _SIZE, 3))
    for channel in range(3):
        for _ in range(_WAVES):
            across, down = generator.uniform(-9, 9, 2)
            phase, height = generator.uniform(0, 2 * np.pi), generator.uniform(0.3, 1)
            picture[..., channel] += height * np.sin(2 * np.pi * (across * x + down * y) + phase)
    picture += generator.uniform(-2, 2, 3) * (x + y * generator.uniform(-1, 1) > 0.5)[..., None]
    low, high = picture.min(), picture.max()
    pixels: Pixels = np.rint((picture - low) / (high - low) * 255).astype(np.uint8)
    return pixels

"""Training pictures of which some are made of four."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edgeinfer.host.data.mosaic import PARTS, Part, mosaic, whole
from edgeinfer.host.tasks.task import Rows, TaughtTask
from edgeinfer.host.training.data.batches import ImageSource

SHARE = 0.5
"""Of the pictures: the others show things at the size that they have in use."""


@dataclass(frozen=True)
class MosaicSource(ImageSource):
    """As an `ImageSource`, but `SHARE` of the random variants are mosaics of four.

    Attributes:
        task: gives the targets' rows of mosaics.
    """

    task: TaughtTask = field(kw_only=True)

    def variants(
        self, indices: NDArray[np.int64], generator: np.random.Generator | None
    ) -> tuple[NDArray[np.uint8], Rows]:
        """Return (n, H, W, C) uint8 and rows, which are as many for all pictures of a training."""
        pixels, rows = super().variants(indices, generator)
        if generator is None:
            return pixels, rows
        made = generator.random(len(indices)) < SHARE
        height, width = pixels.shape[1:3]
        found = []
        for place, own in enumerate(rows):
            parts: tuple[Part, ...] = (whole((width, height)),)
            together = own[None]
            if made[place]:
                others = generator.integers(0, len(self.images), PARTS - 1)
                three, theirs = super().variants(others, generator)
                four = np.concatenate([pixels[place][None], three])
                pixels[place], parts = mosaic(four, generator)
                together = np.concatenate([together, theirs])
            found.append(self.task.in_mosaic(together, parts))
        return pixels, np.stack(found)

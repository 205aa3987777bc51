"""Some of the pictures of a store, used like a whole one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.tasks.registry import find_measured
from edgeinfer.host.tasks.task import Rows
from edgeinfer.host.training.data.batches import Images


class Part:
    """Some of the pictures of a store; nothing is copied.

    Args:
        images: the store.
        places: (n,) which of its pictures, in their new order.

    Attributes:
        rows: (n, ...) their targets, in their task's form.
        shape: (n, H, W, C).
    """

    def __init__(self, images: Images, places: NDArray[np.int64]) -> None:
        self._images, self._places = images, places
        self.rows: Rows = images.rows[places]
        self.shape = (len(places), *images.shape[1:])

    def __len__(self) -> int:
        """Return n."""
        return len(self._places)

    def read(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return (n, H, W, C)."""
        return self._images.read(self._places[indices])


def choosing(validation: Images, task: str) -> Images:
    """Return the validation pictures that may choose a network's weights.

    What a task measures on validation afterwards, such as an interval, must not have chosen them.

    Args:
        validation: all of its pictures.
        task: the task's name.
    """
    everywhere = np.arange(len(validation.rows))
    back = find_measured(task).kept_back(len(everywhere))
    kept = np.setdiff1d(everywhere, everywhere[back])
    return validation if len(kept) == len(everywhere) else Part(validation, kept)

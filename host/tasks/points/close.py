"""Things that are too close to each other to be separate, by their centres."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.host.tasks.detection.things import NOTHING
from edgeinfer.host.tasks.task import Rows


def close_things(samples: Sequence[Sample], rows: Rows, cell: int) -> list[str]:
    """Return a sentence on the things that share a cell with others of their class, if some do.

    Args:
        samples: the pictures.
        rows: their things, see `thing_rows`.
        cell: its side in pixels of the prepared pictures.
    """
    there = rows[..., 4] > NOTHING
    picture = np.nonzero(there)[0]
    things = rows[there]
    cells = (things[:, :2] + things[:, 2:4]) // (2 * cell)
    groups, counts = np.unique(
        np.column_stack([picture, cells, things[:, 4]]), axis=0, return_counts=True
    )
    close = int((counts - 1).sum())
    if not close:
        return []
    most = int(counts.argmax())
    source = samples[int(groups[most, 0])].source
    return [
        f"{close:,} of {len(things):,} things are not told from another of their class, whose "
        f"centre is in the same {cell} x {cell} pixels, such as {counts[most]} at one place of "
        f"{source}, which count as one; take a larger --size, or cut pictures into smaller ones "
        "and run with --tiles"
    ]

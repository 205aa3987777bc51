"""Some of the pictures of a store."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgeinfer.host.data.store import ImageStore
from edgeinfer.host.training.data.part import Part


def test_a_part_reads_the_pictures_at_its_places(tmp_path: Path) -> None:
    pixels = np.arange(6 * 2 * 2, dtype=np.uint8).reshape(6, 2, 2, 1)
    (tmp_path / "all.u8").write_bytes(pixels.tobytes())
    with ImageStore(tmp_path / "all.u8", np.arange(6) * 10, (2, 2, 1)) as store:
        part = Part(store, np.array([1, 3, 5]))
        assert len(part) == 3
        assert part.shape == (3, 2, 2, 1)
        assert part.rows.tolist() == [10, 30, 50]
        assert np.array_equal(part.read(np.array([2, 0])), pixels[[5, 1]])

"""Small pictures and records for tests of imports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeinfer.host.data.importing.found import Record

MakePictures = Callable[..., None]


@pytest.fixture
def record() -> Record:
    return Record()


@pytest.fixture
def pictures(tmp_path: Path) -> MakePictures:
    """Return a function that writes different pictures of 40 by 30 pixels below `tmp_path`."""
    count = 0

    def make(*names: str, size: tuple[int, int] = (40, 30)) -> None:
        nonlocal count
        for name in names:
            count += 1
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.full((size[1], size[0], 3), count, np.uint8)
            assert cv2.imwrite(str(path), pixels)

    return make


def reasons(record: Record) -> dict[str, int]:
    """Return how often each reason is in a record."""
    return {what: count for (_, what), count in record.counts.items()}

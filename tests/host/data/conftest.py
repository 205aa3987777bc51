"""Generated photographs: small, all different, in folders named after their labels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

MakePhoto = Callable[..., Path]
MakeFolder = Callable[..., Path]


@pytest.fixture
def make_photo(tmp_path: Path) -> MakePhoto:
    """Return a function that writes the picture number `seed`: the same pixels for one number."""

    def make(name: str, seed: int, *, size: tuple[int, int] = (24, 18)) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
        pixels = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)
        done, encoded = cv2.imencode(path.suffix, pixels)
        assert done
        path.write_bytes(encoded.tobytes())
        return path

    return make


@pytest.fixture
def make_folder(tmp_path: Path, make_photo: MakePhoto) -> MakeFolder:
    """Return a function that fills ROOT with `count` different pictures for each class folder."""

    def make(counts: dict[str, int], *, root: str = "photos") -> Path:
        seed = 1000
        for folder, count in counts.items():
            (tmp_path / root / folder).mkdir(parents=True, exist_ok=True)
            for index in range(count):
                make_photo(f"{root}/{folder}/{index:03}.png", seed)
                seed += 1
        return tmp_path / root

    return make

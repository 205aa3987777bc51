"""A checkpoint comes back as it was, or not at all."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeinfer.host.training.keeping.checkpoint_file import (
    Checkpoint,
    read_checkpoint,
    write_checkpoint,
)

ARRAYS: list[NDArray[Any]] = [
    np.arange(6, dtype=np.float32).reshape(2, 3),
    np.array(7, np.int64),
    np.zeros((0, 4), np.uint32),
]


def _write(path: Path) -> None:
    facts = {"epoch": 3, "best": math.inf, "stage": [1, "head"]}
    write_checkpoint(path, Checkpoint(facts=facts, arrays={"model": ARRAYS, "best": []}))


def test_it_comes_back_bit_for_bit(tmp_path: Path) -> None:
    _write(tmp_path / "checkpoint")
    found = read_checkpoint(tmp_path / "checkpoint")
    assert found is not None
    assert found.facts == {"epoch": 3, "best": math.inf, "stage": [1, "head"]}
    assert list(found.arrays["best"]) == []
    for array, expected in zip(found.arrays["model"], ARRAYS, strict=True):
        assert (array.dtype, array.shape) == (expected.dtype, expected.shape)
        assert array.tobytes() == expected.tobytes()


@pytest.mark.parametrize("length", [0, 10, 31, 32, 100, -1])
def test_a_cut_file_counts_as_missing(tmp_path: Path, length: int) -> None:
    path = tmp_path / "checkpoint"
    _write(path)
    path.write_bytes(path.read_bytes()[:length])
    assert read_checkpoint(path) is None
    assert read_checkpoint(tmp_path / "no-such-file") is None


def test_a_changed_byte_counts_as_missing(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    _write(path)
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert read_checkpoint(path) is None, place

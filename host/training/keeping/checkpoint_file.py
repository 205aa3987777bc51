"""A checkpoint's file: facts as JSON and arrays as they are, with a digest at the end.

It appears by rename when it is on the disk. A file that was cut or changed has another digest and
counts as missing, so the one before it is used.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.files import atomic_file

_MAGIC = b"edgeinfer checkpoint 1\n"
_DIGEST_BYTES = 32
_BLOCK = 1 << 20

Arrays = dict[str, list[NDArray[Any]]]
"""Lists of arrays by name."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What a checkpoint holds.

    Attributes:
        facts: numbers and texts, as JSON can hold them.
        arrays: lists of arrays by name.
    """

    facts: Mapping[str, Any]
    arrays: Mapping[str, Sequence[NDArray[Any]]]


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; the file appears whole or not at all.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    # `ascontiguousarray` would give numbers without an axis one.
    arrays = {
        name: [np.asarray(array, order="C") for array in group]
        for name, group in checkpoint.arrays.items()
    }
    header = json.dumps(
        {
            "facts": checkpoint.facts,
            "arrays": {
                name: [[array.dtype.str, list(array.shape)] for array in group]
                for name, group in arrays.items()
            },
        }
    ).encode()
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    with atomic_file(path) as stream:

        def write(data: bytes | memoryview) -> None:
            digest.update(data)
            stream.write(data)

        write(_MAGIC)
        write(len(header).to_bytes(8, "little"))
        write(header)
        for group in arrays.values():
            for array in group:
                write(array.reshape(-1).view(np.uint8).data)
        stream.write(digest.digest())


def read_checkpoint(path: Path) -> Checkpoint | None:
    """Return a checkpoint, or None if there is none, or it was cut or changed."""
    try:
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size - _DIGEST_BYTES
            digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
            left = size
            while left > 0 and (block := stream.read(min(_BLOCK, left))):
                digest.update(block)
                left -= len(block)
            if left or stream.read() != digest.digest():
                return None
            stream.seek(0)
            if stream.read(len(_MAGIC)) != _MAGIC:
                return None
            header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
            arrays = {
                name: [_array(stream, np.dtype(kind), tuple(shape)) for kind, shape in group]
                for name, group in header["arrays"].items()
            }
    except (OSError, ValueError):
        return None
    return Checkpoint(facts=header["facts"], arrays=arrays)


def _array(stream: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    data = stream.read(dtype.itemsize * math.prod(shape))
    return np.frombuffer(data, dtype).reshape(shape)

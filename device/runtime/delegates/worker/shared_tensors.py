"""Tensors in memory that two processes share: a file without a name, removed with its last user."""

from __future__ import annotations

import fcntl
import math
import mmap
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec

_ALIGNMENT = 64
"""A cache line: two tensors never share one."""

# From linux/fcntl.h; Python's fcntl module has them from 3.9 on, on Linux only.
_ADD_SEALS = getattr(fcntl, "F_ADD_SEALS", 1033)
_SEALS = (
    getattr(fcntl, "F_SEAL_SEAL", 1)
    | getattr(fcntl, "F_SEAL_SHRINK", 2)
    | getattr(fcntl, "F_SEAL_GROW", 4)
)


def create_memory(specs: Sequence[TensorSpec]) -> int:
    """Return the descriptor of memory that holds tensors of these specs.

    Its size is sealed: a process that goes wrong cannot shrink it, which would kill the others that
    look at it.

    Raises:
        OSError: there is no memory.
    """
    memory = os.memfd_create("edgeinfer-tensors", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(memory, max(_layout(specs)[1], 1))
        fcntl.fcntl(memory, _ADD_SEALS, _SEALS)
    except BaseException:
        os.close(memory)
        raise
    return memory


def map_tensors(memory: int, specs: Sequence[TensorSpec]) -> list[NDArray[Any]]:
    """Return the tensors that are in `memory`, in the order of `specs`.

    They stay valid after the descriptor is closed. The memory is given back with the last of them.
    """
    offsets, size = _layout(specs)
    mapped = mmap.mmap(memory, max(size, 1))
    return [
        np.frombuffer(mapped, spec.dtype, math.prod(spec.shape), offset).reshape(spec.shape)
        for spec, offset in zip(specs, offsets, strict=True)
    ]


def _layout(specs: Sequence[TensorSpec]) -> tuple[list[int], int]:
    """Return where each tensor begins, and the size of all, bytes."""
    offsets, end = [], 0
    for spec in specs:
        offsets.append(end)
        size = math.prod(spec.shape) * np.dtype(spec.dtype).itemsize
        end += -(-size // _ALIGNMENT) * _ALIGNMENT
    return offsets, end

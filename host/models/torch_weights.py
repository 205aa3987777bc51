"""Read the weights in a torch file of the legacy format, without torch and without its code.

The format (torch.save before 1.6): four pickles (magic number, format version, the machine's type
sizes, the state dict), a fifth with the storages' keys, then for each key its number of elements
(int64, little endian) and its elements. In the state dict every tensor is a call of
`torch._utils._rebuild_tensor_v2` on a storage that a persistent id names.

A pickle is a program, so three limits apply: only the opcodes that a state dict needs are allowed,
only the few names in `_NAMES` are found and each is replaced by a function or class of this module,
and every size is checked with the file before anything is allocated.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.errors import ModelError

_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_MAX_FILE_BYTES = 1 << 30

_OPCODE_NAMES = (
    "PROTO STOP MARK GLOBAL REDUCE BUILD BINPERSID NONE NEWTRUE NEWFALSE LONG1 BININT BININT1 "
    "BININT2 BINFLOAT BINUNICODE EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST APPEND APPENDS "
    "EMPTY_DICT SETITEM SETITEMS BINGET LONG_BINGET BINPUT LONG_BINPUT"
)
_OPCODES = frozenset(_OPCODE_NAMES.split())


class _StateDict(dict[Any, Any]):
    """Replaces collections.OrderedDict; the attributes that torch adds to it are dropped."""

    def __setstate__(self, state: object) -> None:
        """Ignore torch's `_metadata`."""


class _Dtype:
    """Replaces a storage class: a name with a numpy dtype that cannot be called."""

    def __init__(self, code: str) -> None:
        self.dtype = np.dtype(code)


@dataclass(frozen=True)
class _Storage:
    """A run of elements somewhere after the pickles."""

    key: str
    dtype: np.dtype[Any]
    elements: int


@dataclass(frozen=True)
class _Tensor:
    """A view into a storage; sizes, strides and offset count elements."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """Size of a copy."""
        return math.prod(self.size) * self.storage.dtype.itemsize


def _rebuild_tensor(
    storage: object, offset: object, size: object, strides: object, *_: object
) -> Any:
    """Replace torch._utils._rebuild_tensor_v2; its last arguments are for gradients."""
    if (
        not isinstance(storage, _Storage)
        or not _is_index(offset)
        or not isinstance(size, tuple)
        or not isinstance(strides, tuple)
        or len(size) != len(strides)
        or len(size) > 8
        or not all(map(_is_index, (*size, *strides)))
    ):
        raise ValueError("a tensor is described in an unknown way")
    return _Tensor(storage, offset, size, strides)  # type: ignore[arg-type]


def _is_index(value: object) -> bool:
    return type(value) is int and 0 <= value <= _MAX_FILE_BYTES


class _Unpickler(pickle.Unpickler):
    """An unpickler that finds the names of a state dict and nothing else."""

    _NAMES: ClassVar[dict[tuple[str, str], object]] = {
        ("collections", "OrderedDict"): _StateDict,
        ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
        ("torch", "FloatStorage"): _Dtype("<f4"),
        ("torch", "DoubleStorage"): _Dtype("<f8"),
        ("torch", "HalfStorage"): _Dtype("<f2"),
        ("torch", "LongStorage"): _Dtype("<i8"),
        ("torch", "IntStorage"): _Dtype("<i4"),
        ("torch", "ByteStorage"): _Dtype("u1"),
    }

    def find_class(self, module: str, name: str) -> Any:
        """Return this module's replacement.

        Raises:
            pickle.UnpicklingError: the name does not belong in a state dict.
        """
        try:
            return self._NAMES[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"names {module}.{name}") from None

    def persistent_load(self, pid: Any) -> _Storage:
        """Return the storage that ("storage", class, key, device, elements, view) describes."""
        if not isinstance(pid, tuple) or len(pid) not in (5, 6) or pid[0] != "storage":
            raise pickle.UnpicklingError("holds an object that is not a storage")
        kind, key, elements = pid[1], pid[2], pid[4]
        if not isinstance(kind, _Dtype) or not isinstance(key, str) or not _is_index(elements):
            raise pickle.UnpicklingError("holds a storage that is described in an unknown way")
        if len(pid) == 6 and pid[5] is not None:
            raise pickle.UnpicklingError("holds a storage that is a view of another")
        return _Storage(key, kind.dtype, elements)


def read_state_dict(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a legacy torch file, by name, in the file's order.

    Raises:
        ModelError: the file cannot be read, is of another format, is truncated, or contains
            something other than tensors.
    """
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise ModelError(
                path, got="larger than 1 GiB", expected="a file of image-model weights"
            )
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(path, got=f"cannot be read ({error.strerror})") from error
    return parse_state_dict(content, subject=str(path))


def parse_state_dict(content: bytes, *, subject: str) -> dict[str, NDArray[Any]]:
    """Return the arrays in `content`; see `read_state_dict`. `subject` names it in errors."""
    if content.startswith(b"PK"):
        raise ModelError(
            subject,
            got="is in torch's newer ZIP format",
            expected="the legacy format",
            next_step="save it with torch.save(..., _use_new_zipfile_serialization=False)",
        )
    try:
        return _parse(content)
    # Any error that a hostile pickle causes within these limits is an error of the file. These are
    # the errors that the allowed opcodes and replacements can raise.
    except (
        pickle.UnpicklingError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        EOFError,
        OverflowError,
        RecursionError,
        MemoryError,
        struct.error,
        Warning,
    ) as error:
        raise ModelError(
            subject,
            got=f"is damaged or not a file of weights ({str(error) or type(error).__name__})",
            expected="a torch state dict in the legacy format",
        ) from error


def _parse(content: bytes) -> dict[str, NDArray[Any]]:
    stream = io.BytesIO(content)
    if _load(stream) != _MAGIC:
        raise ValueError("the magic number is missing")
    if _load(stream) != _VERSION:
        raise ValueError("the format version is unknown")
    _load(stream)
    state = _load(stream)
    keys = _load(stream)
    if not isinstance(state, _StateDict) or not all(
        isinstance(name, str) and isinstance(value, _Tensor) for name, value in state.items()
    ):
        raise ValueError("it holds something other than named tensors")
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise ValueError("the list of storages is damaged")
    described = {tensor.storage.key: tensor.storage for tensor in state.values()}
    storages: dict[str, NDArray[Any]] = {}
    position = stream.tell()
    for key in keys:
        if key not in described:
            raise ValueError(f"storage {key} belongs to no tensor")
        storage = described[key]
        (elements,) = struct.unpack_from("<q", content, position)
        if elements != storage.elements:
            raise ValueError(f"storage {key} has {elements} elements, expected {storage.elements}")
        storages[key] = np.frombuffer(content, storage.dtype, elements, position + 8)
        position += 8 + elements * storage.dtype.itemsize
    # Tensors may share a storage (tied weights), but not so many that memory runs out.
    if sum(tensor.bytes for tensor in state.values()) > 2 * len(content):
        raise ValueError("its tensors are larger than the file")
    return {name: _view(tensor, storages[tensor.storage.key]) for name, tensor in state.items()}


def _load(stream: io.BytesIO) -> Any:
    """Unpickle the next pickle of the stream, after checking each of its opcodes."""
    start = stream.tell()
    # pickletools warns of odd escapes in names; no allowed name has any.
    with warnings.catch_warnings(action="error"):
        for opcode, argument, _ in pickletools.genops(stream):
            if opcode.name not in _OPCODES:
                raise pickle.UnpicklingError(f"uses {opcode.name}")
            # The C unpickler allocates its memo up to the largest index.
            if opcode.name == "LONG_BINPUT" and int(argument or 0) > stream.tell():
                raise pickle.UnpicklingError("a memo index is out of range")
    stream.seek(start)
    return _Unpickler(stream).load()


def _view(tensor: _Tensor, storage: NDArray[Any]) -> NDArray[Any]:
    """Copy a tensor out of its storage."""
    if not tensor.bytes:
        return np.empty(tensor.size, storage.dtype)
    steps = zip(tensor.size, tensor.strides, strict=True)
    last = tensor.offset + sum((size - 1) * step for size, step in steps)
    if tensor.bytes > storage.nbytes or last >= storage.size:
        raise ValueError("a tensor reaches beyond its storage")
    strides = tuple(step * storage.itemsize for step in tensor.strides)
    view = np.lib.stride_tricks.as_strided(
        storage[tensor.offset :], tensor.size, strides, writeable=False
    )
    return np.ascontiguousarray(view).reshape(tensor.size)

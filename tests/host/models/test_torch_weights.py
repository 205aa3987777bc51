"""The reader of torch's legacy format, on files in that format that the tests write themselves."""

from __future__ import annotations

import io
import os
import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.device.core.errors import ModelError
from edgeinfer.host.models.torch_weights import parse_state_dict, read_state_dict

MAGIC = 0x1950A86A20F9469CFC6C
EXPECTED: dict[str, NDArray[Any]] = {
    "conv.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "bn.num_batches_tracked": np.array(7, dtype=np.int64),
}


class _Global:
    """Pickles as a bare name, the way torch's classes and functions do."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class _Call:
    """Pickles as a call of a name."""

    def __init__(self, target: _Global, *arguments: object) -> None:
        self.target, self.arguments = target, arguments


class _Storage:
    def __init__(self, kind: str, key: str, elements: int) -> None:
        self.pid = ("storage", _Global("torch", kind), key, "cpu", elements, None)


# The pure-Python pickler lets us write names that cannot be imported here.
_PurePickler: Any = vars(pickle)["_Pickler"]


class _Pickler(_PurePickler):  # type: ignore[misc]
    """Writes stand-ins the way torch writes its own objects."""

    def persistent_id(self, obj: object) -> object:
        return obj.pid if isinstance(obj, _Storage) else None

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, _Global):
            self.write(b"c" + obj.module.encode() + b"\n" + obj.name.encode() + b"\n")
        elif isinstance(obj, _Call):
            self.save(obj.target)
            self.save(obj.arguments)
            self.write(pickle.REDUCE)
        else:
            super().save(obj, save_persistent_id)


def _dump(value: object) -> bytes:
    stream = io.BytesIO()
    _Pickler(stream, protocol=2).dump(value)
    return stream.getvalue()


def _tensor(
    storage: _Storage, offset: int, size: tuple[int, ...], strides: tuple[int, ...]
) -> _Call:
    return _Call(
        _Global("torch._utils", "_rebuild_tensor_v2"),
        storage,
        offset,
        size,
        strides,
        False,
        OrderedDict(),
    )


def _file(
    state: object = None, *, magic: int = MAGIC, tail: Callable[[bytes], bytes] = lambda b: b
) -> bytes:
    """Return a small state dict in the legacy format."""
    if state is None:
        state = OrderedDict(
            {
                "conv.weight": _tensor(_Storage("FloatStorage", "1", 24), 0, (2, 3, 4), (12, 4, 1)),
                "bn.num_batches_tracked": _tensor(_Storage("LongStorage", "2", 1), 0, (), ()),
            }
        )
    storages = struct.pack("<q24f", 24, *range(24)) + struct.pack("<qq", 1, 7)
    parts = [magic, 1001, {"little_endian": True}, state, ["1", "2"]]
    return b"".join(map(_dump, parts)) + tail(storages)


def test_reads_tensors() -> None:
    state = parse_state_dict(_file(), subject="w.pth")
    assert list(state) == list(EXPECTED)
    for name, expected in EXPECTED.items():
        assert state[name].dtype == expected.dtype
        np.testing.assert_array_equal(state[name], expected)


def test_reads_a_transposed_view_with_an_offset() -> None:
    state = {
        "a": _tensor(_Storage("FloatStorage", "1", 24), 2, (4, 3), (1, 4)),
        "b": _tensor(_Storage("LongStorage", "2", 1), 0, (1,), (1,)),
    }
    parsed = parse_state_dict(_file(OrderedDict(state)), subject="w.pth")
    np.testing.assert_array_equal(parsed["a"], np.arange(2, 14, dtype=np.float32).reshape(3, 4).T)


def test_every_truncation_is_refused() -> None:
    content = _file()
    for length in range(len(content)):
        with pytest.raises(ModelError, match=r"w\.pth"):
            parse_state_dict(content[:length], subject="w.pth")


@pytest.mark.parametrize(
    "evil",
    [
        _Call(_Global("os", "system"), "touch RAN"),
        _Call(_Global("builtins", "eval"), "open('RAN', 'w')"),
        _Call(_Global("torch", "load"), "RAN"),
        OrderedDict({"a": _Call(_Global("posix", "system"), "touch RAN")}),
    ],
)
def test_foreign_names_are_refused(
    evil: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "evil.pth"
    path.write_bytes(_file(evil))
    with pytest.raises(ModelError, match=r"evil\.pth.*names"):
        read_state_dict(path)
    assert os.listdir(tmp_path) == ["evil.pth"]


@pytest.mark.parametrize(
    ("tensor", "why"),
    [
        (_tensor(_Storage("FloatStorage", "1", 24), 0, (25,), (1,)), "beyond"),
        (_tensor(_Storage("FloatStorage", "1", 24), 20, (5,), (1,)), "beyond"),
        (_tensor(_Storage("FloatStorage", "1", 24), 0, (2, 2), (23, 2)), "beyond"),
        (_tensor(_Storage("FloatStorage", "1", 24), 0, (1 << 29, 1 << 29), (0, 0)), "larger"),
        (_tensor(_Storage("FloatStorage", "1", 24), 0, (5, 5), (0, 1)), "beyond"),
        (_tensor(_Storage("FloatStorage", "1", 24), -1, (2,), (1,)), "unknown way"),
        (_tensor(_Storage("FloatStorage", "1", 1 << 40), 0, (2,), (1,)), "unknown way"),
        (_tensor(_Storage("FloatStorage", "1", 23), 0, (2,), (1,)), "elements"),
        (
            _tensor(_Storage("FloatStorage", "9", 24), 0, (2,), (1,)),
            "storage 1 belongs to no tensor",
        ),
        (7, "something other than named tensors"),
    ],
)
def test_impossible_tensors_are_refused(tensor: object, why: str) -> None:
    state = OrderedDict({"a": tensor, "b": _tensor(_Storage("LongStorage", "2", 1), 0, (), ())})
    with pytest.raises(ModelError, match=why):
        parse_state_dict(_file(state), subject="w.pth")


def test_other_formats_are_refused() -> None:
    for content in (b"", b"PK\x03\x04rest", _file(magic=1), b"\x89HDF\r\n\x1a\n" + bytes(100)):
        with pytest.raises(ModelError, match=r"w\.pth"):
            parse_state_dict(content, subject="w.pth")


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.pth: cannot be read"):
        read_state_dict(tmp_path / "none.pth")


@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(_file()) - 1), st.integers(0, 255)), min_size=1, max_size=6
    )
)
@settings(max_examples=300, deadline=None)
def test_mutated_files_are_read_or_refused(changes: list[tuple[int, int]]) -> None:
    """Nothing but ModelError comes out, and what is read are arrays within the file's size."""
    content = bytearray(_file())
    for position, value in changes:
        content[position] = value
    try:
        state = parse_state_dict(bytes(content), subject="w.pth")
    except ModelError:
        return
    assert all(isinstance(array, np.ndarray) for array in state.values())
    assert sum(array.nbytes for array in state.values()) <= 2 * len(content)


@given(content=st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_random_bytes_after_the_header_are_refused(content: bytes) -> None:
    header = b"".join(map(_dump, [MAGIC, 1001, {}]))
    with pytest.raises(ModelError):
        parse_state_dict(header + content, subject="w.pth")

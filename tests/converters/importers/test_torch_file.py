"""Files of PyTorch are known by what they name; nothing in them runs."""

from __future__ import annotations

import pickle
import sys
import tempfile
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.converters.importers.source import find_imported
from edgeinfer.converters.importers.torch_file import pickled_class
from edgeinfer.device.core.errors import ModelError

MAGIC = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
"""What a file of torch before 1.6 begins with."""


@contextmanager
def classes(*names: str) -> Iterator[list[Any]]:
    """Give a class of each name, such as "torch.FloatStorage", in modules that seem imported."""
    made, modules = [], dict(sys.modules)
    try:
        for full in names:
            module, _, name = full.rpartition(".")
            kept = sys.modules.setdefault(module, ModuleType(module))
            made.append(type(name, (), {"__module__": module}))
            setattr(kept, name, made[-1])
        yield made
    finally:
        for name in set(sys.modules) - set(modules):
            del sys.modules[name]


def pickled(protocol: int = 2, *, module: bool = False, wrapped: bool = False) -> bytes:
    """Pickle a state_dict, or a checkpoint with one, or one with a whole module."""
    with classes("torch._utils._rebuild_tensor_v2", "torch.FloatStorage", "networks.Net") as (
        rebuild,
        storage,
        network,
    ):
        weights = OrderedDict(weight=[rebuild, (storage, "0", "cpu")], bias=[rebuild, (storage,)])
        value: object = {"epoch": 3, "state_dict": weights} if wrapped else weights
        value = {"epoch": 3, "model": network(), "weights": weights} if module else value
        return pickle.dumps(value, protocol)


def write_zip(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"net/{name}", content)
    return path


@pytest.mark.parametrize("protocol", [2, 4])
def test_weights_and_modules_of_either_age(tmp_path: Path, protocol: int) -> None:
    for content, found in (
        (pickled(protocol), ""),
        (pickled(protocol, wrapped=True), ""),
        (pickled(protocol, module=True), "networks.Net"),
    ):
        new = write_zip(tmp_path / "new.pt", **{"data.pkl": content, "version": b"3\n"})
        assert pickled_class(new) == found
        old = tmp_path / "old.pt"
        old.write_bytes(MAGIC + pickle.dumps(1001, 2) + pickle.dumps({"little": True}, 2) + content)
        assert pickled_class(old) == found


def test_what_it_did_not_write(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "other.pt", readme=b"x")
    assert pickled_class(path) == ""
    for content in (b"", b"PK\x03\x04", b"PK\x03\x04" + bytes(100), pickle.dumps([1])):
        path.write_bytes(content)
        assert pickled_class(path) == ""
    assert pickled_class(tmp_path / "absent.pt") == ""


@given(content=st.binary(max_size=200))
def test_bytes_behind_the_magic_number(content: bytes) -> None:
    with tempfile.NamedTemporaryFile(suffix=".pt") as stream:
        stream.write(MAGIC + content)
        stream.flush()
        assert len(pickled_class(Path(stream.name))) <= 100


WEIGHTS = (
    "holds weights alone, without the network's code, expected an exported program (.pt2) or "
    "model.py:function; write a function that builds the network, loads this file with "
    "load_state_dict(torch.load(path, weights_only=True)) and returns (network, example), and give "
    "model.py:function"
)
EXPORT = (
    ", expected an exported program (.pt2) or model.py:function; where the network's code is, run "
    "torch.export.save(torch.export.export(network.eval(), (example,)), 'model.pt2') and give "
    "model.pt2"
)


def refused(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        find_imported(path)
    return str(caught.value).removeprefix(f"{path}: ")


@pytest.mark.parametrize("name", ["net.pt", "net.pth", "net.pt2", "net.bin", "net"])
def test_each_is_refused_by_content_whatever_its_name(name: str, tmp_path: Path) -> None:
    path = write_zip(tmp_path / name, **{"data.pkl": pickled(), "version": b"3"})
    assert refused(path) == WEIGHTS
    path.write_bytes(MAGIC + pickle.dumps(1001, 2) + pickle.dumps({}, 2) + pickled())
    assert refused(path) == WEIGHTS
    write_zip(path, **{"data.pkl": pickled(module=True), "version": b"3"})
    module = "is a pickled module (networks.Net), which runs code when it is opened"
    assert refused(path) == module + EXPORT
    write_zip(path, **{"data.pkl": b"", "constants.pkl": b"", "code/net.py": b"x"})
    assert refused(path) == "is a TorchScript model" + EXPORT


def test_an_exported_program_is_taken_whatever_its_name(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "net.pt", archive_format=b"pt2", **{"models/model.json": b"{}"})
    imported = find_imported(path)
    assert imported is not None
    assert imported.kind == "pt2"

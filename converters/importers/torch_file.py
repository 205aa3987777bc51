"""What a file of `torch.save` holds, without opening it as PyTorch does: that runs code out of it.

It is a ZIP, before PyTorch 1.6 several pickles one after another. Pickles are only parsed here: the
classes that they name say whether they hold weights or a whole module.
"""

from __future__ import annotations

import io
import pickletools
import zipfile
from pathlib import Path
from typing import BinaryIO

from edgeinfer.device.core.errors import ModelError

_ZIP = b"PK\x03\x04"
_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""The pickle of MAGIC_NUMBER in torch/serialization.py."""
_MOST_BYTES = 16 << 20
"""Of a pickle, which names the tensors but does not hold their numbers."""
_LEGACY_PICKLES = 4
"""A magic number, a version, the system, then the object."""

_OF_WEIGHTS = ("collections.OrderedDict", "torch._utils.", "torch.serialization.", "numpy.")
_TORCH_TYPES = ("Storage", "Tensor", "Size", "device", "dtype", "Parameter")
_PLAIN = ("builtins.", "__builtin__.", "_codecs.", "copyreg.", "copy_reg.", "datetime.")

_EXPORT = (
    "where the network's code is, run torch.export.save(torch.export.export(network.eval(), "
    "(example,)), 'model.pt2') and give model.pt2"
)
_BUILD = (
    "write a function that builds the network, loads this file with load_state_dict(torch.load("
    "path, weights_only=True)) and returns (network, example), and give model.py:function"
)


def pickled_class(path: Path) -> str:
    """Return a class of a module that a file names; empty for weights alone.

    Args:
        path: a file that `torch.save` wrote. Of one that cannot be read, nothing is known.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(len(_LEGACY))
            stream.seek(0)
            if head == _LEGACY:
                return _first_class(stream.read(_MOST_BYTES), _LEGACY_PICKLES)
            if head.startswith(_ZIP):
                return _of_zip(stream)
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        pass
    return ""


def refuse_torch_file(path: Path, *, script: bool) -> ModelError:
    """Return the error for a file of PyTorch that no importer takes, with what to do instead.

    Args:
        path: the file.
        script: it is a TorchScript model.
    """
    next_step = _EXPORT
    if script:
        got = "is a TorchScript model"
    elif name := pickled_class(path):
        got = f"is a pickled module ({name}), which runs code when it is opened"
    else:
        got, next_step = "holds weights alone, without the network's code", _BUILD
    return ModelError(
        path,
        got=got,
        expected="an exported program (.pt2) or model.py:function",
        next_step=next_step,
    )


def _of_zip(stream: BinaryIO) -> str:
    with zipfile.ZipFile(stream) as archive:
        # All is in one folder with the name that the file had when it was saved.
        name = next((n for n in archive.namelist() if n.partition("/")[2] == "data.pkl"), None)
        if name is None:
            return ""
        with archive.open(name) as member:
            return _first_class(member.read(_MOST_BYTES), 1)


def _first_class(content: bytes, pickles: int) -> str:
    """Return the first class that weights have no need of; empty where there is none."""
    for name in _classes(io.BytesIO(content), pickles):
        if name.startswith((*_OF_WEIGHTS, *_PLAIN)):
            continue
        if name.startswith("torch.") and name.endswith(_TORCH_TYPES):
            continue
        if name.startswith("torch.") and name.count(".") == 1:  # such as torch.float32
            continue
        return name[:100]
    return ""


def _classes(stream: BinaryIO, pickles: int) -> list[str]:
    """Return the classes and functions that pickles name, up to where they can be parsed."""
    found: list[str] = []
    texts = ["", ""]
    try:
        for _ in range(pickles):
            for opcode, argument, _place in pickletools.genops(stream):
                if opcode.name == "GLOBAL":
                    found.append(str(argument).replace(" ", "."))
                elif opcode.name == "STACK_GLOBAL":
                    found.append(".".join(texts))
                elif isinstance(argument, str):
                    texts = [texts[1], argument]
    except Exception:  # genops has many ways to say that bytes are not a pickle
        return found
    return found

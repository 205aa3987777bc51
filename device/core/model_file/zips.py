"""What a ZIP is, by the names of its members: a bundle, Keras, PyTorch, or a packed model.

Only its directory is read, and no more than 4 MiB of it: nothing is unpacked.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from edgeinfer.device.core.model_file.kinds import ModelKind

_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\x05\x06"
_LONGEST_COMMENT = 0xFFFF
_ENTRY = struct.Struct("<4s24x3H12x")
"""A member's entry in the directory: signature, the bytes of its name, extra field and comment."""
_ENTRY_SIGNATURE = b"PK\x01\x02"
_MOST_DIRECTORY_BYTES = 4 << 20

MODEL_SUFFIXES = (
    *(".edgebundle", ".tflite", ".keras", ".h5", ".hdf5", ".onnx", ".pt2", ".mlmodel"),
    *(".mlpackage", ".pth", ".pt", ".safetensors", ".pb"),
)
"""How the names of models end, the easiest to use first."""


def zip_members(path: Path) -> tuple[str, ...]:
    """Return the names in a ZIP's directory; none where it has no directory that can be read.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as stream:
        return read_names(stream)


def read_names(stream: BinaryIO) -> tuple[str, ...]:
    """Return the same for an open file."""
    size = stream.seek(0, os.SEEK_END)
    start = stream.seek(max(0, size - _END.size - _LONGEST_COMMENT))
    tail = stream.read()
    found = tail.rfind(_END_SIGNATURE)
    if found < 0 or len(tail) - found < _END.size:
        return ()
    *_, size_bytes, offset, _ = _END.unpack_from(tail, found)
    # The directory ends where its end begins, whatever the offset says: a ZIP may follow something.
    # In a ZIP64 file another end comes in between, and the offset is right.
    end = start + found
    if not 0 < size_bytes <= min(end, _MOST_DIRECTORY_BYTES):
        return ()
    for place in (offset, end - size_bytes):
        if place + size_bytes <= end and (names := _names(stream, place, size_bytes)):
            return names
    return ()


def _names(stream: BinaryIO, place: int, size_bytes: int) -> tuple[str, ...]:
    stream.seek(place)
    directory = stream.read(size_bytes)
    names, at = [], 0
    while at + _ENTRY.size <= len(directory):
        signature, name_bytes, extra_bytes, comment_bytes = _ENTRY.unpack_from(directory, at)
        if signature != _ENTRY_SIGNATURE:
            break
        name = directory[at + _ENTRY.size : at + _ENTRY.size + name_bytes]
        names.append(name.decode("utf-8", "replace"))
        at += _ENTRY.size + name_bytes + extra_bytes + comment_bytes
    return tuple(names)


def kind_of_members(names: tuple[str, ...]) -> tuple[ModelKind, str]:
    """Return what a ZIP with these members is, and the model that is packed in it.

    Args:
        names: its members.

    Returns:
        The kind, "zip" for one that a model or nothing was packed into; and for that the member
            that is the model, or the folder of a SavedModel or Core ML model; else "".
    """
    present = set(names)
    if "manifest.json" in present:
        return "bundle", ""
    if {"config.json", "model.weights.h5"} <= present:
        return "keras", ""
    # torch puts everything into one folder, which has the name of the file as it was saved.
    base = {name.partition("/")[2] for name in names}
    if "serialized_exported_program.json" in present or (
        "archive_format" in base and any(n.startswith("models/") for n in base)
    ):
        return "pt2", ""
    if "constants.pkl" in base and any(name.startswith("code/") for name in base):
        return "torchscript", ""
    if "data.pkl" in base and "version" in base:
        return "torch", ""
    return "zip", _packed_model(names)


def _packed_model(names: tuple[str, ...]) -> str:
    """Return the path of the model that is easiest to use; "" where there is none."""
    paths = [PurePosixPath(name) for name in names if "__MACOSX" not in name]
    for path in paths:
        if path.name == "saved_model.pb":
            return str(path.parent) if len(path.parts) > 1 else str(path)
    for path in paths:
        if path.suffix == ".mlpackage" or path.parent.suffix == ".mlpackage":
            return str(path if path.suffix == ".mlpackage" else path.parent)
    ranked = [
        (MODEL_SUFFIXES.index(path.suffix.lower()), len(path.parts), str(path))
        for path in paths
        if path.suffix.lower() in MODEL_SUFFIXES
    ]
    if ranked:
        return min(ranked)[2]
    return next((str(path) for path in paths if path.name == "model.json"), "")

"""What a Keras file says of itself, before Keras reads it: who wrote it, and whether it runs code.

Keras 2 and 3 write files of the same names, and neither reads all of the other's. Each file says
which of the two wrote it. Loading a model makes the objects that its configuration names, so a
configuration can also name functions that do harm, or hold Python code itself.
"""

from __future__ import annotations

import builtins
import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from edgeinfer.device.core.errors import ConversionError, ModelError

Generation = Literal[2, 3]

_MOST_CONFIG_BYTES = 64 * 2**20
_DAMAGED = "save it again"
_UNREADABLE = (
    *(OSError, KeyError, ValueError, AttributeError, EOFError),
    *(zipfile.BadZipFile, RuntimeError, zlib.error),  # encrypted, damaged
)
_KERAS = ("keras", "tf_keras")
# Where Keras keeps functions that a model may name; others of its functions fetch files.
_FUNCTION_HOMES = frozenset(
    ("activations", "initializers", "losses", "metrics", "ops", "regularizers", "constraints")
)
# Layers of Keras 2 that call a function of TensorFlow by its name. These compute and nothing more;
# among the others are some that remove folders or load libraries.
_CALLS = ("TFOpLambda", "ClassMethod", "InstanceMethod", "InstanceProperty")
_COMPUTING = ("math.", "nn.", "image.", "linalg.", "__operators__.", "keras.backend.", "bitwise.")
_COMPUTING_WORDS = """
add argmax argmin broadcast_to cast clip_by_value concat convert_to_tensor cumsum einsum expand_dims
fill gather gather_nd identity matmul maximum minimum multiply ones ones_like pad range rank
reduce_max reduce_mean reduce_min reduce_prod reduce_sum repeat reshape reverse roll round shape
sigmoid sign slice split sqrt square squeeze stack stop_gradient strided_slice subtract tanh tile
transpose unstack where zeros zeros_like
compat.v1.gather compat.v1.image.resize compat.v1.image.resize_bilinear
compat.v1.image.resize_nearest_neighbor compat.v1.nn.relu6 compat.v1.pad compat.v1.squeeze
compat.v1.transpose
"""
_COMPUTING_TOO = frozenset(_COMPUTING_WORDS.split())


@dataclass(frozen=True, kw_only=True)
class KerasFile:
    """What a file says.

    Attributes:
        version: of the Keras that wrote it, such as "2.15.0"; "" where it does not say.
        generation: 2 or 3: which Keras reads it.
        code: names of the layers that run code out of the file: pickled lambdas, and calls of
            functions that do more than compute.
        strange: layers and functions of other programs than Keras, by their names.
    """

    version: str
    generation: Generation
    code: tuple[str, ...]
    strange: tuple[str, ...]


def read_keras_file(path: Path) -> KerasFile:
    """Read what a `.keras` or `.h5` file says, without making any object of it.

    The version is that of the attribute `keras_version` (`.h5`) or of metadata.json (`.keras`); a
    `.h5` without it is older than that attribute, and so of Keras 2 or before.

    Raises:
        ConversionError: it has no architecture, only weights; or its description is damaged.
        ModelError: it cannot be read.
    """
    try:
        if zipfile.is_zipfile(path):
            version, text = _of_archive(path)
        else:
            version, text = _of_hdf5(path)
        config = json.loads(text)
    except (ConversionError, ModelError):
        raise
    except _UNREADABLE as error:
        raise ConversionError(
            path,
            got=f"cannot be converted: its description cannot be read ({_short(error)})",
            next_step=_DAMAGED,
        ) from error
    code, strange = _scan(config)
    major = version.split(".")[0]
    generation: Generation = 3 if major.isdecimal() and int(major) >= 3 else 2
    return KerasFile(version=version, generation=generation, code=code, strange=strange)


def _of_archive(path: Path) -> tuple[str, str]:
    with zipfile.ZipFile(path) as archive:
        metadata = json.loads(_member(archive, "metadata.json"))
        return str(metadata.get("keras_version", "")), _member(archive, "config.json").decode()


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # Of the others zipfile unpacks in one step as much as the member has.
        raise ValueError(f"{name} is not stored and not deflated")
    with archive.open(name) as stream:
        content = stream.read(_MOST_CONFIG_BYTES + 1)
    if len(content) > _MOST_CONFIG_BYTES:
        raise ValueError(f"{name} has more than {_MOST_CONFIG_BYTES >> 20} MiB")
    return content


def _of_hdf5(path: Path) -> tuple[str, str]:
    import h5py

    with h5py.File(path, "r") as file:
        config = file.attrs.get("model_config")
        if config is None:
            raise ConversionError(
                path,
                got="holds weights alone, without the layers that they belong to",
                expected="a whole model",
                next_step="load the weights into the model and save it with model.save('NAME.h5')",
            )
        return _word(file.attrs.get("keras_version", "")), _word(config)


def _word(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _short(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _scan(config: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the layers that run code, and what is not Keras's own."""
    code: dict[str, None] = {}
    strange: dict[str, None] = {}
    for entry, layer in _entries(config):
        if _runs_code(entry):
            code[layer] = None
        elif name := _strange_name(entry):
            strange[name] = None
    return tuple(code), tuple(strange)


def _entries(config: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Give each object of a configuration with the name of the layer that it belongs to."""
    waiting: list[tuple[Any, str]] = [(config, "model")]
    while waiting:
        value, layer = waiting.pop()
        if isinstance(value, dict):
            inner = value.get("config")
            if isinstance(inner, dict) and isinstance(inner.get("name"), str):
                layer = inner["name"]
            yield value, layer
            waiting += [(one, layer) for one in reversed(value.values())]
        elif isinstance(value, list):
            waiting += [(one, layer) for one in reversed(value)]


def _runs_code(entry: dict[str, Any]) -> bool:
    kind, config = entry.get("class_name"), entry.get("config")
    if kind == "__lambda__":
        return True
    if any(entry.get(f"{part}_type") == "lambda" for part in ("function", "output_shape", "mask")):
        return True
    if kind in _CALLS and isinstance(config, dict):
        called = str(config.get("function", config.get("cls_symbol", "")))
        return not (called.startswith(_COMPUTING) or called in _COMPUTING_TOO)
    if kind == "function":
        home = str(entry.get("module") or "builtins")
        ours = home.split(".")[0] in _KERAS
        return ours and not _FUNCTION_HOMES.intersection(home.split("."))
    return False


def _strange_name(entry: dict[str, Any]) -> str:
    """Return the name of a class or function that is not Keras's own; otherwise ""."""
    kind, home = entry.get("class_name"), entry.get("module")
    if not isinstance(kind, str) or not isinstance(home, str):
        return ""
    name = entry.get("config") if kind == "function" else kind
    if home.split(".")[0] in (*_KERAS, ""):
        return ""
    if home == "builtins" and str(name) not in vars(builtins):
        return ""
    return str(name)


def saved_model_outputs(folder: Path) -> tuple[str, ...]:
    """Return the outputs of a SavedModel of Keras 2, in the order of its model.

    A signature keeps their names alone. keras_metadata.pb is a SavedMetadata message of Keras 2
    (saved_metadata.proto): nodes (1), each with its path (3) and its description as JSON (5).

    Returns:
        The names; () where the file is absent, damaged, or of a model without them.
    """
    try:
        for node in _fields((folder / "keras_metadata.pb").read_bytes(), 1):
            if b"root" in _fields(node, 3):
                config = json.loads(next(iter(_fields(node, 5))))["config"]
                outputs = cast("list[list[Any]]", config["output_layers"])
                return tuple(str(name) for name, *_ in outputs)
    except (OSError, ValueError, LookupError, TypeError, RecursionError, StopIteration):
        pass
    return ()


def _fields(message: bytes, number: int) -> list[bytes]:
    """Return a field's values in a protocol buffer of numbers and texts.

    Raises:
        ValueError: it is something else.
    """
    found, place = [], 0
    while place < len(message):
        key, place = _varint(message, place)
        if key & 7 == 0:
            _, place = _varint(message, place)
            continue
        if key & 7 != 2:
            raise ValueError("is of another kind")
        size, place = _varint(message, place)
        if size > len(message) - place:
            raise ValueError("is truncated")
        if key >> 3 == number:
            found.append(message[place : place + size])
        place += size
    return found


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            break
        byte = message[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    raise ValueError("is truncated")

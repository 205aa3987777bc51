"""ZIPs of one model and its labels, as Teachable Machine and others hand them out.

Such a ZIP is untrusted. Only the model and its labels are unpacked, into a folder that is
given, and in bounds.

What a Teachable Machine image model takes is in the programs that it shows with each export (its
repository teachablemachine-community, snippets/markdown/image/tensorflow/keras.md): the largest
square in the middle of the picture, and `pixel / 127.5 - 1`.
"""

from __future__ import annotations

import re
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TypeVar

from edgeinfer.converters.convert.foreign_model import ForeignModel
from edgeinfer.device.core.errors import ModelError, storage_error
from edgeinfer.device.core.model_file import MAX_MODEL_BYTES, model_kind, zip_members
from edgeinfer.device.models.plain_tflite import PlainModel
from edgeinfer.device.preprocess.spec import CropPolicy
from edgeinfer.device.runtime.open_options import OpenOptions

Told = TypeVar("Told", OpenOptions, ForeignModel)

MOST_MEMBERS = 2000
"""A SavedModel has some ten files; listing more takes memory."""

_EXPECTED = "a ZIP with one model and its labels, as Teachable Machine makes them"
_MODEL_NAMES = (".tflite", ".keras", ".h5", ".hdf5")
_SAVED_MODEL = "saved_model.pb"
_CHUNK = 2**20
# What macOS and Windows add by themselves.
_ADDED = re.compile(r"(?:^|/)(?:__MACOSX/|\._|\.DS_Store$|Thumbs\.db$)")
_NUMBERED = re.compile(r"\d+ +\S.*")
_MOST_LABEL_BYTES = 2**20
# Its float exports; the others say their range by their quantization.
_TEACHABLE_MACHINE = frozenset(("keras_model.h5", "model_unquant.tflite", "model.savedmodel"))


@dataclass(frozen=True, kw_only=True)
class ModelForm:
    """What the makers of a model of some form feed it.

    Attributes:
        input_range: of its pixels, a key of `RANGES`.
        crop: what happens to pictures of another aspect ratio.
        reason: what states it, for people.
    """

    input_range: str
    crop: CropPolicy
    reason: str


TEACHABLE_MACHINE = ModelForm(
    input_range="-1..1",
    crop="center-crop",
    reason="the ZIP is Teachable Machine's, whose own programs feed -1..1 and crop to the middle",
)


@dataclass(frozen=True, kw_only=True)
class UnpackedZip:
    """A model that was in a ZIP, or was none in the first place.

    Attributes:
        model: the file, or the folder of a SavedModel.
        labels: the file with its class names, or None.
        form: what the ZIP says about how the model is fed; None for nothing.
    """

    model: Path
    labels: Path | None = None
    form: ModelForm | None = None


def with_form(options: Told, form: ModelForm | None) -> Told:
    """Return what the user says of a model, and what its form says where the user says nothing."""
    if form is None:
        return options
    told = (options.input_range, options.mean, options.std) != (None, None, None)
    return replace(
        options,
        crop=options.crop or form.crop,
        input_range=options.input_range if told else form.input_range,
    )


def stated_by(plain: PlainModel, form: ModelForm | None) -> PlainModel:
    """Return a description that names the form as what states the input's range."""
    if form is None:
        return plain
    stated = replace(plain.input_range, reason=form.reason)
    return replace(plain, input_range=stated, notes=(*plain.notes, form.reason))


def is_model_zip(path: Path) -> bool:
    """Return whether a file is a ZIP that may have a model in it: no bundle and no `.keras` file.

    Raises:
        ModelError: it cannot be read.
    """
    kind = model_kind(path)
    # Of a ZIP that was cut off nothing is known but its name.
    return kind == "zip" or (path.suffix.lower() == ".zip" and not zip_members(path))


@contextmanager
def opened_model(path: Path) -> Iterator[UnpackedZip]:
    """Unpack a model's ZIP for as long as the context lasts; all else is given as it is.

    Raises:
        ModelError: see `unpack_model_zip`.
        StorageError: there is no place for temporary files.
    """
    if not path.is_file() or not is_model_zip(path):
        yield UnpackedZip(model=path)
        return
    with tempfile.TemporaryDirectory(prefix="edgeinfer-zip-") as folder:
        # Errors then name the ZIP, too.
        inside = Path(folder, path.name)
        try:
            inside.mkdir()
        except OSError as error:
            raise storage_error(inside, error) from error
        yield unpack_model_zip(path, inside)


def unpack_model_zip(path: Path, folder: Path) -> UnpackedZip:
    """Unpack the one model of a ZIP, and its labels.

    Args:
        path: the ZIP.
        folder: an existing folder, which receives them.

    Raises:
        ModelError: it is damaged, encrypted or too large, has members that would be written outside
            the folder, or has no model or several.
        StorageError: the folder cannot be written.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _unpack(path, archive, folder)
    # What zipfile raises on members that are encrypted, of an unknown compression, or damaged.
    except (zipfile.BadZipFile, RuntimeError, zlib.error, EOFError, ValueError) as error:
        raise _bad(path, f"cannot be unpacked ({str(error).lower()})") from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise _bad(path, "has a file and a folder of the same name") from error
    except OSError as error:
        raise storage_error(folder, error) from error


def _unpack(path: Path, archive: zipfile.ZipFile, folder: Path) -> UnpackedZip:
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise _bad(path, f"has {len(members):,} members")
    for member in members:
        _require_inside(path, member)
    files = {
        member.filename: member
        for member in members
        if not member.is_dir() and not _ADDED.search(member.filename)
    }
    model = _one_model(path, list(files))
    labels = _labels(list(files), model)
    wanted = [name for name in files if name == model or name.startswith(f"{model}/")]
    if model == ".":
        wanted = list(files)
    left = MAX_MODEL_BYTES
    for name in (*wanted, *(() if labels is None or labels in wanted else (labels,))):
        left -= _write(path, archive, files[name], folder / name, left)
    label_file = None if labels is None else folder / labels
    return UnpackedZip(
        model=folder / model, labels=label_file, form=_form(PurePosixPath(model).name, label_file)
    )


def _require_inside(path: Path, member: zipfile.ZipInfo) -> None:
    """Refuse a name that leads elsewhere; zipfile would change it in silence."""
    name = member.filename
    parts = name.replace("\\", "/").split("/")
    outside = name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]
    if outside or stat.S_ISLNK(member.external_attr >> 16):
        raise _bad(path, f"has the member '{name}', which leads out of its folder")


def _one_model(path: Path, names: Sequence[str]) -> str:
    """Return the file, or the folder of a SavedModel.

    Raises:
        ModelError: there is none, or there are several.
    """
    saved = [str(PurePosixPath(name).parent) for name in names if _is_named(name, _SAVED_MODEL)]
    models = saved or [name for name in names if name.lower().endswith(_MODEL_NAMES)]
    if len(models) > 1:
        raise _bad(
            path, f"has {len(models)} models: {', '.join(models[:5])}", "unpack it and name one"
        )
    if not models:
        found = ", ".join(names[:5]) or "nothing"
        if any(_is_named(name, "model.json") for name in names):
            raise _bad(path, f"has a model for TensorFlow.js ({found})", "export it as Keras")
        raise _bad(path, f"has no model that edgeinfer reads: {found}")
    return models[0]


def _is_named(name: str, wanted: str) -> bool:
    return PurePosixPath(name).name == wanted


def _labels(names: Sequence[str], model: str) -> str | None:
    """Return the text file next to the model, or at the top, that is named after labels."""
    places = (PurePosixPath(model).parent, PurePosixPath("."))
    found = [
        name
        for name in names
        if PurePosixPath(name).parent in places
        and re.fullmatch(r".*labels?.*\.txt", PurePosixPath(name).name, re.IGNORECASE)
    ]
    return min(found, key=len, default=None)


def _write(
    path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, place: Path, limit: int
) -> int:
    """Unpack a member and return its size."""
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # Of the others zipfile unpacks in one step as much as the member has.
        raise ValueError(f"{member.filename} is not stored and not deflated")
    place.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with archive.open(member) as source, place.open("xb") as target:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > limit:
                raise _bad(path, f"has more than {MAX_MODEL_BYTES >> 30} GiB in it")
            target.write(chunk)
    return size


def _form(model: str, labels: Path | None) -> ModelForm | None:
    """Return what the ZIP's form says: Teachable Machine numbers its labels."""
    if labels is None or model.lower() not in _TEACHABLE_MACHINE:
        return None
    with labels.open("rb") as stream:
        text = stream.read(_MOST_LABEL_BYTES).decode("utf-8", "replace")
    lines = text.strip().splitlines()
    numbered = lines and all(_NUMBERED.fullmatch(line) for line in lines)
    return TEACHABLE_MACHINE if numbered else None


def _bad(path: Path, got: str, next_step: str = "") -> ModelError:
    return ModelError(path, got=got, expected=_EXPECTED, next_step=next_step)

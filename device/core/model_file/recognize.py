"""Recognizing a model: by its first bytes or what is in it, otherwise by its name."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.core.model_file.folders import TRAINED_FILE as TRAINED_FILE
from edgeinfer.device.core.model_file.folders import kind_of_folder
from edgeinfer.device.core.model_file.kinds import ADVICE, BY_NAME, IN_WORDS, ModelKind
from edgeinfer.device.core.model_file.magic import HEAD_BYTES, ZIP_MAGIC, kind_of
from edgeinfer.device.core.model_file.meant import meant_command
from edgeinfer.device.core.model_file.protobuf import kind_of_protobuf
from edgeinfer.device.core.model_file.reading import EXPECTED, cannot_be_read, require_file
from edgeinfer.device.core.model_file.zips import kind_of_members, read_names

_SHOWN_RUNS = 3

_LONGEST_NAME = 100
"""Of what is in a file or folder, in an error; a ZIP's member may have 65,535 bytes."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a path was found to be.

    Attributes:
        kind: what it is.
        inside: of a ZIP, the member that is a model; of a folder around models, their names.
    """

    kind: ModelKind
    inside: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What it is, as the object of "is"."""
        if not self.inside:
            return IN_WORDS[self.kind]
        names = self._first
        if self.kind == "runs":
            names = f"{len(self.inside)}, the newest: {', '.join(self.inside[:_SHOWN_RUNS])}"
            return f"{IN_WORDS[self.kind]} ({names})"
        if len(self.inside) > 1:
            names = f"{len(self.inside)} models, such as {names}"
        return f"a ZIP that contains {names}" if self.kind == "zip" else f"a folder around {names}"

    def next_step(self, path: Path, command: str = "") -> str:
        """Return what to do with it where something else is wanted; may be empty.

        Args:
            path: where it is.
            command: the command that it was given to; "" where a model for a board is wanted.
        """
        meant = meant_command(self.kind, path, command, self.inside)
        if meant or not self.inside:
            return meant or ADVICE.get(self.kind, "")
        if self.kind == "zip":
            return f"unpack it and give {self._first}"
        return f"give {path / self.inside[0]}"

    @property
    def _first(self) -> str:
        name = self.inside[0]
        return name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "..."


def recognize(path: Path, *, expected: str = EXPECTED) -> Found:
    """Return what a path is: by its first bytes or what is in it, otherwise by its name.

    Whatever the size of the file, some kilobytes of it are read, and of a ZIP its directory.

    Args:
        path: a file or a folder.
        expected: what an error says that should be there.

    Raises:
        ModelError: it cannot be read, or is not a file or folder.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            kind, inside = kind_of_folder(path)
            return Found(kind=kind, inside=inside)
        require_file(path, status, expected)
        with path.open("rb") as stream:
            found = recognize_content(stream)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        raise cannot_be_read(path, error, expected) from error
    by_name = BY_NAME.get(path.suffix.lower(), "unknown")
    if found.kind == "unknown" or (by_name == "bundle" and found.kind == "zip"):
        return Found(kind=by_name)  # a bundle may be damaged: opening it says how
    # A Keras model that was packed again may have other members.
    if by_name == "keras" and found.kind in ("zip", "bundle") and not found.inside:
        return Found(kind=by_name)
    return found


def model_kind(path: Path, *, expected: str = EXPECTED) -> ModelKind:
    """Return the kind alone of what `recognize` finds, which see."""
    return recognize(path, expected=expected).kind


def is_bundle(path: Path) -> bool:
    """Return whether a model for a board is to be opened as a bundle, and not as a `.tflite`.

    What is named `.edgebundle` is, whatever is in it: opening it reports what is wrong.

    Raises:
        ModelError: it cannot be read, is not a regular file, a model that must be converted
            first, or something else that is known, such as a web page or another format's model.
    """
    found = recognize(path)
    if found.kind == "folder":
        raise ModelError(path, got="is not a file", expected=EXPECTED)
    if found.kind not in ("bundle", "tflite", "unknown"):
        raise ModelError(
            path, got=f"is {found.words}", expected=EXPECTED, next_step=found.next_step(path)
        )
    return found.kind == "bundle" or BY_NAME.get(path.suffix.lower()) == "bundle"


def recognize_content(stream: BinaryIO) -> Found:
    """Return what an open file is by its content alone; its position is moved.

    Raises:
        OSError: it cannot be read.
    """
    stream.seek(0)
    head = stream.read(HEAD_BYTES)
    kind = kind_of(head)
    if head.startswith(ZIP_MAGIC) and (names := read_names(stream)):
        kind, inside = kind_of_members(names)
        return Found(kind=kind, inside=(inside,) if inside else ())
    if kind == "unknown":
        kind = kind_of_protobuf(stream)
    return Found(kind=kind)

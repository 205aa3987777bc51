"""The one error tree. Every error says what, what was found, what was expected, what to do next.

The command line prints such an error as one line and exits with its `exit_code`; a library user
catches `EdgeinferError`.
"""

from __future__ import annotations

import errno
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar


def printable(text: str) -> str:
    """Return `text` on one line: control characters and single surrogates are escaped.

    File names may hold anything; an error message or a terminal must not.
    """
    return "".join(
        char
        if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        else ascii(char)[1:-1]
        for char in text
    )


class EdgeinferError(Exception):
    """Base of all errors that edgeinfer raises on purpose.

    Attributes:
        subject: what the error is about: a file, a tensor, a camera.
        got: what was found there.
        expected: what should have been there; may be empty where `got` says it all.
        next_step: what the user can do about it; may be empty.
        code: for programs, which must not read the sentence: the kind, such as `camera`, and after
            a point a more exact one, such as `releases.busy`.

    Examples:
        >>> error = ModelError("cats.tflite", got="is quantized already")
        >>> error.code, error.to_dict()["got"]
        ('model', 'is quantized already')
    """

    exit_code: ClassVar[int] = 1
    kind: ClassVar[str] = "edgeinfer"

    def __init_subclass__(cls, **arguments: object) -> None:
        """Name the kind by its class: `MissingExtraError` is `missing-extra`."""
        super().__init_subclass__(**arguments)
        name = cls.__name__.strip("_").removesuffix("Error")
        cls.kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()

    def __init__(
        self,
        subject: object,
        *,
        got: str,
        expected: str = "",
        next_step: str = "",
        detail: str = "",
    ) -> None:
        self.code = f"{self.kind}.{detail}" if detail else self.kind
        self.subject = printable(str(subject))
        self.got = printable(got)
        self.expected = printable(expected)
        self.next_step = printable(next_step)
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        sentence = f"{self.subject}: {self.got}"
        if self.expected:
            sentence += f", expected {self.expected}"
        if self.next_step:
            sentence += f"; {self.next_step}"
        return sentence

    def to_dict(self) -> dict[str, str]:
        """Return the error's parts, from which `from_dict` makes an equal one elsewhere."""
        return {
            "code": self.code,
            "subject": self.subject,
            "got": self.got,
            "expected": self.expected,
            "next_step": self.next_step,
        }

    @staticmethod
    def from_dict(parts: Mapping[str, object]) -> EdgeinferError:
        """Return the error that another process reported; one of the base's kind where it is
        unknown.

        Args:
            parts: what `to_dict` gave, perhaps of another version: what is missing is empty.
        """

        def text(key: str) -> str:
            return str(parts.get(key) or "")

        kind, _, detail = text("code").partition(".")
        found = next((one for one in _kinds(EdgeinferError) if one.kind == kind), EdgeinferError)
        return found(
            text("subject"),
            got=text("got"),
            expected=text("expected"),
            next_step=text("next_step"),
            detail=detail,
        )


def _kinds(base: type[EdgeinferError]) -> Iterator[type[EdgeinferError]]:
    yield base
    for kind in base.__subclasses__():
        yield from _kinds(kind)


class UsageError(EdgeinferError):
    """The command line asks for something that makes no sense."""

    exit_code = 2


class DataError(EdgeinferError):
    """A data set, or its layout, cannot be used."""


class ImageError(DataError):
    """A file is not a complete image."""


class BundleError(EdgeinferError):
    """A bundle is damaged, hostile, or of another version."""


class ModelError(EdgeinferError):
    """A model file is damaged, or is not what its surroundings say."""


class DelegateError(EdgeinferError):
    """An accelerator's delegate cannot be loaded, or was lost and nothing can take its place."""


class CameraError(EdgeinferError):
    """A camera or another source of frames cannot be opened or read."""


class MissingExtraError(EdgeinferError):
    """A command needs packages that the base install does not have."""


class VerificationError(EdgeinferError):
    """A golden vector was not reproduced."""


class AccuracyError(EdgeinferError):
    """A smaller model lost more accuracy than it was allowed."""


class ConversionError(EdgeinferError):
    """A model could not be converted."""


class TrainingError(EdgeinferError):
    """Training could not start or did not produce a usable model."""


class SearchError(EdgeinferError):
    """A search found nothing within its budget, or could not go on."""


class RemoteError(EdgeinferError):
    """A board cannot be reached over SSH, or a program failed there."""


class UnreachableError(RemoteError):
    """The connection to a board cannot be made, or was lost.

    Attributes:
        reason: what OpenSSH said of it; empty where it gave none.
    """

    reason = ""


class WheelError(EdgeinferError):
    """What a board needs to be installed cannot be had, or is not for that board."""


class EmulationError(EdgeinferError):
    """A board cannot be emulated on this machine."""


class ReleaseError(EdgeinferError):
    """A release cannot be installed or tried on this board, or what was sent of it is broken."""


class OutputError(EdgeinferError):
    """An output of the camera loop cannot work here."""


class StorageError(EdgeinferError):
    """A file could not be written, or be read where nothing more fitting is known of it."""


_WRITING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EPIPE})
"""What only writing gives."""


def system_error(error: OSError) -> StorageError:
    """Turn an `OSError` that came from anywhere into a sentence that claims no more than it says.

    A caller that knows whether a file was read or written raises its own error.
    """
    if error.errno in _WRITING:
        return storage_error(str(error.filename or "output"), error)
    return StorageError(
        str(error.filename or "a file"),
        got=f"cannot be read or written ({(error.strerror or str(error)).lower()})",
    )


def storage_error(path: str | os.PathLike[str], error: OSError) -> StorageError:
    """Turn the `OSError` that writing `path` gave into a sentence that says how to fix it."""
    next_steps = {
        errno.ENOSPC: "free some space or choose another place",
        errno.EDQUOT: "free some space or choose another place",
        errno.EACCES: "check the folder's permissions or choose another place",
        errno.EPERM: "check the folder's permissions or choose another place",
        errno.EROFS: "choose a place that can be written",
        errno.ENOENT: "create the folder first",
        errno.ENOTDIR: "choose a folder",
    }
    reason = (error.strerror or str(error)).lower()
    return StorageError(
        os.fspath(path),
        got=f"cannot be written ({reason})",
        next_step=next_steps.get(error.errno or 0, ""),
    )


def did_you_mean(typed: str, known: Iterable[str]) -> str:
    """Return the question for a mistyped name, as an error's next step; empty if none is close.

    >>> did_you_mean("rpy4", ["rpi4", "coral-dev"])
    "did you mean 'rpi4'?"
    >>> did_you_mean("toaster", ["rpi4", "coral-dev"])
    ''
    """
    from difflib import get_close_matches  # only mistakes need it

    names = {name.lower(): name for name in known}
    found = get_close_matches(typed.lower(), names, n=1)
    return f"did you mean '{names[found[0]]}'?" if found else ""

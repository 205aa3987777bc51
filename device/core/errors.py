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

_JOINERS = "\u200c\u200d"


def printable(text: str) -> str:
    """Return `text` on one line: control characters and single surrogates are escaped.

    File names may hold anything; an error message or a terminal must not. The joiners of emoji
    and of words in Persian or Hindi stay.
    """
    return "".join(
        char
        if char in _JOINERS or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        else ascii(char)[1:-1]
        for char in text
    )


class EdgeinferError(Exception):
    """The base class of all errors that edgeinfer raises on purpose.

    `str(error)` is the whole message in one sentence; the attributes are its parts.

    Attributes:
        subject: what the error is about: a file, a camera, an argument.
        got: what was found there.
        expected: what was expected instead. May be empty.
        next_step: what the user can do about it. May be empty.
        code: a short name for programs, such as "camera", sometimes with a more exact part after a
            point, such as "releases.busy". Use it instead of the sentence.

    Examples:
        >>> try:
        ...     edgeinfer.Model.open("cats.edgebundle")
        ... except edgeinfer.EdgeinferError as error:
        ...     print(error.code, error.got)
        model cannot be read (no such file or directory)
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
        """Return a dict of texts: `code`, `subject`, `got`, `expected` and `next_step`."""
        return {
            "code": self.code,
            "subject": self.subject,
            "got": self.got,
            "expected": self.expected,
            "next_step": self.next_step,
        }

    @staticmethod
    def from_dict(parts: Mapping[str, object]) -> EdgeinferError:
        """Return the error that another process reported, as an `EdgeinferError` if its kind is
        not known.

        Args:
            parts: the dict that `to_dict` returned; parts that are missing are empty.
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
    """An argument or an option is not possible, or two of them contradict each other."""

    exit_code = 2


class DataError(EdgeinferError):
    """A folder of pictures or another data set cannot be used."""


class ImageError(DataError):
    """A picture cannot be read, is damaged, or is not a picture."""


class BundleError(EdgeinferError):
    """A bundle is damaged or unsafe, or of a version that is not supported."""


class ModelError(EdgeinferError):
    """A model file is missing, damaged, or not of the expected kind; or the model is closed."""


class UnknownRangeError(ModelError):
    """Nothing states which numbers a model takes for pixels; the error lists the choices."""


class DelegateError(EdgeinferError):
    """An accelerator does not work, or was lost while it was used, and the CPU may not help."""


class CameraError(EdgeinferError):
    """A camera, a video file or another source of frames cannot be opened or read."""


class MissingExtraError(EdgeinferError):
    """A package is needed that is not installed; `next_step` says how to install it."""


class VerificationError(EdgeinferError):
    """This machine does not give the answers that are stored in the bundle."""


class AccuracyError(EdgeinferError):
    """A smaller model lost more accuracy than is allowed."""


class ConversionError(EdgeinferError):
    """A model could not be converted."""


class TrainingError(EdgeinferError):
    """Training could not start or did not produce a usable model."""


class SearchError(EdgeinferError):
    """A search found no model within its budget, or could not continue."""


class RemoteError(EdgeinferError):
    """A board cannot be reached over SSH, or a program on the board failed."""


class UnreachableError(RemoteError):
    """The connection to a board cannot be made, or was lost.

    Attributes:
        reason: the message of OpenSSH. May be empty.
    """

    reason = ""


class WheelError(EdgeinferError):
    """A package that a board needs was not found, or is not for that board."""


class EmulationError(EdgeinferError):
    """A board cannot be emulated on this machine."""


class ReleaseError(EdgeinferError):
    """A release cannot be installed or tried on this board, or its files are damaged."""


class OutputError(EdgeinferError):
    """An output of `edgeinfer run`, such as its window, does not work on this machine."""


class StorageError(EdgeinferError):
    """A file could not be written or read, for example because the disk is full."""


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

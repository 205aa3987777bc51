"""Label files: the names of a model's classes, in the usual formats.

- One name a line; the line's number, from 0, is the class.
- `NUMBER NAME` or `NUMBER: NAME` a line, numbers rising; those left out are classes without a name.
- TensorFlow's label map: `item { id: 1 name: 'cat' }`, with `display_name` where there is one.

Models of one family differ in whether class 0 is the background, and so do their label files;
`fit_labels` finds out by counting, and never guesses: labels off by one look right in demos.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from pathlib import Path

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.core.paths import AnyPath
from edgeinfer.device.tflite.metadata.zip_behind import MAX_MEMBER_BYTES, ZipError, read_behind

UNNAMED = "???"
"""What label files write for something that is not a class."""

MAX_LABEL_FILE_BYTES = MAX_MEMBER_BYTES
"""Largest label file that is read."""
MAX_LABEL_CHARACTERS = 1000
"""Longest name of a class; ImageNet's longest has some 130."""
MAX_CLASS = 100_000
"""Largest class number of a file that has numbers: a line may state any."""

_BACKGROUNDS = frozenset({"background", "__background__", "_background_", "bg", UNNAMED})
_IMAGENET_CLASSES = 1000
# Not compiled here: few files need them, and every start would wait for it.
_NUMBERED = r"(\d{1,9})(?:\s*[:,]\s*|\s+)(\S.*)"
_ITEM = r"\bitem\s*\{"
# Each alternative consumes what it looks at: the text is read once, whatever is in it.
_LABEL_MAP = (
    r"#[^\n]*"
    r"|(?P<item>\bitem\s*\{)|(?P<open>\{)|(?P<close>\})"
    r"|\b(?P<key>id|name|display_name)\s*:\s*"
    r"(?:(?P<number>\d{1,9})|\"(?P<double>[^\"\n]*)\"|'(?P<single>[^'\n]*)')"
    r"|\"[^\"\n]*\"|'[^'\n]*'"
)
_NEXT_STEP = "fetch or convert the model again"


def read_label_file(path: AnyPath) -> tuple[str, ...]:
    """Return the class names of a file; see `parse_labels`.

    Raises:
        ModelError: it cannot be read, is too large, not UTF-8, or empty.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_LABEL_FILE_BYTES + 1)
        if len(content) > MAX_LABEL_FILE_BYTES:
            raise ModelError(
                path,
                got=f"has more than {MAX_LABEL_FILE_BYTES:,} bytes",
                expected="class names",
            )
        labels = parse_labels(content.decode("utf-8-sig"))
        _check_lengths(labels)
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            path, got=f"cannot be read ({error})", expected="class names in UTF-8"
        ) from error
    except ValueError as error:
        raise ModelError(path, got=str(error), expected="one class name a line") from error
    if not labels:
        got = "is a label map that names no class" if content.strip() else "is empty"
        raise ModelError(path, got=got, expected="one class name a line")
    return labels


def parse_labels(text: str) -> tuple[str, ...]:
    """Return the class names of a label file; those that have none are `UNNAMED` or empty."""
    if re.search(_ITEM, text):
        return _by_number(_label_map(text))
    lines = [line.strip() for line in text.rstrip().splitlines()]
    matches = [re.fullmatch(_NUMBERED, line) for line in lines if line]
    numbered = [(int(match[1]), match[2]) for match in matches if match]
    numbers = [number for number, _ in numbered]
    if numbered and len(numbered) == len(matches) and _rise(numbers):
        return _by_number(dict(numbered))
    return tuple(lines)


def fit_labels(
    labels: tuple[str, ...], classes: int, *, subject: str, of: str = "outputs"
) -> tuple[tuple[str, ...], str | None]:
    """Return as many labels as the model has classes.

    A background that only one of the two counts is added or taken away: the first label says
    whether the file counts it, and of models only those of ImageNet's 1,000 classes are known to
    have 1,001. What follows an empty line behind the last class is a remark.

    Args:
        labels: as a file has them.
        classes: how many the model has.
        subject: the model, for errors.
        of: what has the labels, for errors.

    Returns:
        The labels, and what was done to them, None for nothing.

    Raises:
        ModelError: there are more or fewer.
    """
    note = None
    if len(labels) > classes and labels[classes] == "":
        labels = labels[:classes]
    if len(labels) == classes + 1 and is_background(labels[0]):
        note = f"the model has no class '{labels[0]}': label 2 of {len(labels):,} is its first"
        labels = labels[1:]
    elif (len(labels), classes) == (_IMAGENET_CLASSES, _IMAGENET_CLASSES + 1) and not (
        is_background(labels[0])
    ):
        note = "the labels leave out the model's first class, the background"
        labels = ("background", *labels)
    if len(labels) != classes:
        raise ModelError(
            subject,
            got=f"{len(labels)} labels for {classes} {of}",
            expected=f"as many labels as {of}",
            next_step="give the matching file with --labels",
        )
    return named(labels), note


def named(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return the labels, with `class N` for those without a name."""
    return tuple(
        f"class {index}" if label in ("", UNNAMED) else label for index, label in enumerate(labels)
    )


def is_background(label: str) -> bool:
    """Return whether a label stands for no class."""
    return label.lower() in _BACKGROUNDS


def labels_in_model(data: bytes, *, subject: str = "model") -> tuple[str, ...] | None:
    """Return the labels that a model carries in a ZIP behind it, or None.

    The label file is the `.txt` member whose name says `label`; of several, translations for
    instance, the one with the shortest name. Empty lines at the end are not labels.

    Raises:
        ModelError: a label file is there but damaged, too large, or not UTF-8.
    """
    return _labels_in_zip(data, None, subject)


def labels_in_file(data: bytes, names: Sequence[str], *, subject: str) -> tuple[str, ...] | None:
    """Return the labels of the first of these files that a ZIP behind a model has, None of none.

    Raises:
        ModelError: it is damaged, too large, or not UTF-8.
    """
    return _labels_in_zip(data, names, subject)


def _labels_in_zip(
    data: bytes, names: Sequence[str] | None, subject: str
) -> tuple[str, ...] | None:
    try:
        content = read_behind(data, lambda members: _label_member(members, names))
    except ZipError as error:
        raise _bad_labels(subject, str(error)) from error
    if content is None:
        return None
    try:
        labels = parse_labels(content.decode("utf-8-sig"))
        _check_lengths(labels)
    except UnicodeDecodeError as error:
        raise _bad_labels(subject, "it is not UTF-8 text") from error
    except ValueError as error:
        raise _bad_labels(subject, f"it {error}") from error
    if not labels and content.strip():
        raise _bad_labels(subject, "its label map names no class")
    return labels or None


def _label_member(members: Sequence[str], names: Sequence[str] | None) -> str | None:
    """Return the first of `names` that is there; without names, what looks like a label file."""
    if names is not None:
        return next((name for name in names if name in members), None)
    found = [name for name in members if name.endswith(".txt") and "label" in name.lower()]
    return min(found, key=lambda name: (len(name), name), default=None)


def _bad_labels(subject: str, reason: str) -> ModelError:
    return ModelError(subject, got=f"its label file cannot be read: {reason}", next_step=_NEXT_STEP)


def _label_map(text: str) -> dict[int, str]:
    """Return name by id of a label map; an item that another begins within does not count."""
    found: dict[int, str] = {}
    fields: dict[str, str] = {}
    number, depth = -1, 0
    for token in re.finditer(_LABEL_MAP, text):
        if token["item"]:
            number, depth = -1, 1
            fields.clear()
        elif token["open"]:
            depth += 1
        elif token["close"]:
            name = fields.get("display_name") or fields.get("name")
            if depth == 1 and name and 0 <= number <= MAX_CLASS:
                found[number] = name
            depth = max(0, depth - 1)
        # What is nested in an item, such as its keypoints, has its own names.
        elif token["key"] and depth == 1:
            if token["key"] != "id":
                fields[token["key"]] = token["double"] or token["single"] or token["number"] or ""
            elif token["number"]:
                number = int(token["number"])
    return found


def _check_lengths(labels: tuple[str, ...]) -> None:
    """Raise ValueError for a name that no picture, table or terminal should be filled with."""
    longest = max(map(len, labels), default=0)
    if longest > MAX_LABEL_CHARACTERS:
        raise ValueError(f"has a class name of {longest:,} characters")


def _by_number(names: dict[int, str]) -> tuple[str, ...]:
    return tuple(names.get(number, UNNAMED) for number in range(max(names, default=-1) + 1))


def _rise(numbers: list[int]) -> bool:
    """Return whether numbers are those of classes: rising from 0 or 1, within bounds."""
    rising = all(a < b for a, b in itertools.pairwise(numbers))
    return numbers[0] <= 1 and rising and numbers[-1] <= MAX_CLASS

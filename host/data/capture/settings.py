"""What a user says about a capture: labels and their keys, a value's name, and when to save."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from dataclasses import dataclass

from edgeinfer.device.core.errors import UsageError
from edgeinfer.host.data.importing.formats.texts import number
from edgeinfer.host.data.importing.found import Record
from edgeinfer.host.data.importing.names import label_folder

END_KEY = "q"
UNDO_KEY = "u"
_OWN_KEYS = (END_KEY, UNDO_KEY)
_GIVEN_KEYS = [key for key in f"1234567890{string.ascii_lowercase}" if key not in _OWN_KEYS]
_VALUE = re.compile(r"(?P<name>[^=]+?)\s*(?:=\s*(?P<number>.*))?", re.DOTALL)

LABEL_OPTION = "--label"
VALUE_OPTION = "--value"


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelKey:
    """A label, and the key that saves a picture of it."""

    key: str
    label: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueWish:
    """A value that is written for each picture.

    Attributes:
        name: of its column, such as "temperature".
        number: what it is as long as no other is typed; None where it must be typed.
    """

    name: str
    number: float | None = None


@dataclass(frozen=True, kw_only=True)
class CaptureSettings:
    """When pictures are saved, and as what.

    Attributes:
        labels: the labels with their keys.
        value: the value that is written instead of labels; None for labels.
        every_s: save by itself, at most one picture in this time, in seconds.
        change: save by itself when this much of the picture has changed since the one that was
            saved last, as a share of its area.
        min_sharpness: leave out pictures that are less sharp than this share of what is usual.
        max_frames: end after this many pictures.
        max_seconds: end after this time.
        lossless: write PNG instead of JPEG.

    Raises:
        UsageError: settings contradict each other, or nothing says what the pictures show.
    """

    labels: tuple[LabelKey, ...] = ()
    value: ValueWish | None = None
    every_s: float | None = None
    change: float | None = None
    min_sharpness: float | None = None
    max_frames: int | None = None
    max_seconds: float | None = None
    lossless: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if bool(self.labels) == (self.value is not None):
            raise UsageError(
                f"{LABEL_OPTION} and {VALUE_OPTION}",
                got="are both given" if self.labels else "are both missing",
                expected="labels, such as --label open --label shut, or one value, such as "
                "--value temperature",
            )
        if self.keyed:
            return
        if len(self.labels) > 1:
            raise UsageError(
                LABEL_OPTION,
                got=f"is given {len(self.labels)} times, and pictures are saved by themselves",
                expected="the one label of what the camera sees",
                next_step="capture one label after the other, the second with --add; or leave out "
                "--every and --on-change, to press keys",
            )
        if self.value is not None and self.value.number is None:
            raise UsageError(
                f"{VALUE_OPTION} {self.value.name}",
                got="has no number, and pictures are saved by themselves",
                expected=f"{VALUE_OPTION} {self.value.name}=20.5",
            )

    @property
    def keyed(self) -> bool:
        """Whether a person presses a key for each picture."""
        return self.every_s is None and self.change is None


def parse_labels(texts: Iterable[str]) -> tuple[LabelKey, ...]:
    """Return labels with their keys, as `--label` gives them; those without a key get one.

    Args:
        texts: `LABEL`, or `KEY=LABEL` with a key of one character.

    Raises:
        UsageError: a label cannot be a folder's name, or a key or label is given twice.

    Examples:
        >>> [(one.key, one.label) for one in parse_labels(["o=open", "shut"])]
        [('o', 'open'), ('1', 'shut')]
    """
    said = [_divided(text) for text in texts]
    keys = {key for key, _ in said if key}
    free = iter([key for key in _GIVEN_KEYS if key not in keys])
    found: list[LabelKey] = []
    for key, label in said:
        _check_label(label)
        for other in found:
            same_label = other.label.casefold() == label.casefold()
            if same_label or other.key == key:
                raise UsageError(
                    f"{LABEL_OPTION} {f'{key}=' if key else ''}{label}",
                    got=f"has the same {'name' if same_label else 'key'} as '{other.label}'",
                    expected="a name and a key for each label",
                )
        if not key:
            key = next(free, "")
            if not key:
                raise UsageError(
                    LABEL_OPTION, got=f"is given {len(said)} times", expected="at most 34 labels"
                )
        found.append(LabelKey(key=key, label=label))
    return tuple(found)


def _divided(text: str) -> tuple[str, str]:
    key, equals, label = text.partition("=")
    if not equals or len(key) != 1:
        return "", text.strip()
    if key in _OWN_KEYS or not key.isprintable() or key.isspace():
        raise UsageError(
            f"{LABEL_OPTION} {text}",
            got=f"has the key '{key}'",
            expected=f"another one: {END_KEY} ends, {UNDO_KEY} takes the last picture back",
        )
    return key, label.strip()


def _check_label(label: str) -> None:
    folder = label_folder(label) if label else ""
    if folder != label or not label:
        raise UsageError(
            f"{LABEL_OPTION} {label}",
            got="cannot be the name of a folder",
            expected="a label such as open",
            next_step=f"take '{folder}'" if folder else "",
        )


def parse_value(text: str) -> ValueWish:
    """Return the value that `--value` names: `NAME`, or `NAME=NUMBER` to begin with a number.

    Raises:
        UsageError: there is no name, it cannot head a column, or the number is none.
    """
    match = _VALUE.fullmatch(text.strip())
    name = match["name"].strip() if match else ""
    if not name.isprintable() or not name or set(name) & set(",;\"'=+@\t") or name[0] == "-":
        raise UsageError(
            f"{VALUE_OPTION} {text}",
            got="has no name that can head a column of a table",
            expected="a name such as temperature",
        )
    if name.casefold() in {"file", "split"}:
        raise UsageError(
            f"{VALUE_OPTION} {text}", got="names a column that the table has", expected="another"
        )
    if match is None or match["number"] is None:
        return ValueWish(name=name)
    try:
        return ValueWish(name=name, number=parse_number(match["number"]))
    except ValueError as error:
        raise UsageError(
            f"{VALUE_OPTION} {text}", got=str(error), expected=f"{VALUE_OPTION} {name}=20.5"
        ) from error


def parse_number(text: str) -> float:
    """Return a number as a person types it, also with a decimal comma.

    Raises:
        ValueError: it is none.
    """
    return number(text, Record(), "")

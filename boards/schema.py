"""Frozen dataclasses out of parsed TOML and JSON, strictly: what no dataclass has is refused.

The types are the schema: an unknown key, a missing one or a value of another type is an error that
says where it is; a misspelt key would otherwise be a setting that silently does nothing. Floats
must be finite; a bool is not a number.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import re
import types
from collections.abc import Callable
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")

MOST_WHOLE = 2**63 - 1
"""The largest whole number, and without its sign the smallest: what computes with it has 64 bits.
"""

_SHOWN = 60
_TOLD = 300
"""How many characters of a value, and of a place or a fault, an error tells."""


class SchemaError(ValueError):
    """A value does not fit the type that was expected at its place.

    Attributes:
        where: the path to the value, such as `variants.cpu.input`.
        got: what is there.
        expected: what should.
    """

    def __init__(self, where: str, *, got: str, expected: str) -> None:
        self.where, self.got = _cut(where or "the document"), _cut(got)
        self.expected = expected
        place = f"{self.where}: " if where else ""
        super().__init__(f"{place}{self.got}" + (f", expected {expected}" if expected else ""))


def _cut(text: str) -> str:
    """Return the beginning of a text that a file may have made long."""
    return text if len(text) <= _TOLD else text[: _TOLD - 3] + "..."


def build(
    kind: type[T], value: object, where: str = "", *, most_characters: int | None = None
) -> T:
    """Build a `kind` from what a parser of TOML or JSON gave.

    Args:
        kind: a dataclass, or any annotation made of dataclasses, tuples, dicts with string keys,
            literals, unions with None, str, int, float, bool, and object for anything.
        value: what was parsed.
        where: the path to `value`, for errors.
        most_characters: of one text; None for any number.

    Raises:
        SchemaError: the value does not fit.
    """
    result: T = _Builder(most_characters).convert(kind, value, where)
    return result


@dataclasses.dataclass(frozen=True)
class _Builder:
    most_characters: int | None

    def convert(self, kind: Any, value: object, where: str) -> Any:
        origin, arguments = get_origin(kind), get_args(kind)
        if dataclasses.is_dataclass(kind):
            return self._dataclass(kind, value, where)
        if origin is Literal:
            if not any(value == allowed and type(value) is type(allowed) for allowed in arguments):
                raise SchemaError(where, got=_show(value), expected=f"one of {list(arguments)}")
            return value
        if origin in (Union, types.UnionType):
            inner = next(item for item in arguments if item is not type(None))
            return None if value is None else self.convert(inner, value, where)
        if origin is tuple:
            return self._tuple(arguments, value, where)
        if origin is dict:
            items = _expect(dict, value, where, "an object")
            keys, values = arguments
            return {
                self.convert(keys, key, where): self.convert(values, item, _within(where, key))
                for key, item in items.items()
            }
        if kind is object:
            return value
        if kind is float:
            return _number(value, where)
        if kind is int:
            return _whole(value, where)
        if kind is str:
            return self._text(value, where)
        return _expect(kind, value, where, "true or false")

    def _dataclass(self, kind: Any, value: object, where: str) -> Any:
        items = _expect(dict, value, where, "an object")
        hints, fields = _hints(kind), _fields(kind)
        unknown = sorted(set(items) - set(fields))
        if unknown:
            raise SchemaError(
                where, got=f"an unknown key {unknown[0]!r}", expected=f"only {sorted(fields)}"
            )
        missing = sorted(name for name, needed in fields.items() if needed and name not in items)
        if missing:
            raise SchemaError(
                where, got=f"no key {missing[0]!r}", expected=f"all of {sorted(fields)}"
            )
        converted = {
            name: self.convert(hints[name], item, _within(where, name))
            for name, item in items.items()
        }
        try:
            return kind(**converted)
        except ValueError as error:
            told = str(error)
            expected = "" if "expected" in told else "possible values"
            raise SchemaError(where, got=told, expected=expected) from error

    def _tuple(self, arguments: tuple[Any, ...], value: object, where: str) -> tuple[Any, ...]:
        items = _expect(list, value, where, "a list")
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(
                self.convert(arguments[0], item, f"{where}[{i}]") for i, item in enumerate(items)
            )
        if len(items) != len(arguments):
            raise SchemaError(where, got=f"{len(items)} items", expected=f"{len(arguments)} items")
        return tuple(
            self.convert(kind, item, f"{where}[{i}]")
            for i, (kind, item) in enumerate(zip(arguments, items, strict=True))
        )

    def _text(self, value: object, where: str) -> str:
        text: str = _expect(str, value, where, "text")
        try:
            text.encode()
        except UnicodeEncodeError as error:  # JSON can spell half a character
            raise SchemaError(where, got=_show(value), expected="whole characters") from error
        if self.most_characters is not None and len(text) > self.most_characters:
            raise SchemaError(
                where,
                got=f"{len(text):,} characters",
                expected=f"{self.most_characters} or less",
            )
        return text


def _within(where: str, key: str) -> str:
    return f"{where}.{key}".lstrip(".")


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


@functools.cache
def _fields(kind: Any) -> dict[str, bool]:
    """Return whether a document must have each field."""
    missing = dataclasses.MISSING
    return {
        field.name: field.default is missing and field.default_factory is missing
        for field in dataclasses.fields(kind)
    }


def _number(value: object, where: str) -> float:
    # Beyond 64 bits a whole number may be one that no float can hold.
    within = isinstance(value, float) or (isinstance(value, int) and abs(value) <= MOST_WHOLE)
    if isinstance(value, bool) or not within or not math.isfinite(cast("float", value)):
        raise SchemaError(where, got=_show(value), expected="a finite number")
    return float(cast("float", value))


def _whole(value: object, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise SchemaError(where, got=_show(value), expected="a whole number")
    if abs(value) > MOST_WHOLE:
        raise SchemaError(where, got=_show(value), expected="a whole number of 64 bits")
    return value


def _expect(kind: Any, value: object, where: str, name: str) -> Any:
    if not isinstance(value, kind):
        raise SchemaError(where, got=_show(value), expected=name)
    return value


def _show(value: object) -> str:
    return shown(value, write=lambda value: json.dumps(value, ensure_ascii=False, default=str))


def shown(value: object, *, write: Callable[[object], str] = repr) -> str:
    """Return the beginning of a value, for errors; of what holds others, only what it is."""
    if isinstance(value, (list, dict)) and value:  # however deep: its text may be endless
        return "a list" if isinstance(value, list) else "an object"
    if isinstance(value, int) and abs(value) > MOST_WHOLE:  # Python may refuse to write it
        return f"a number of {value.bit_length()} bits"
    text = write(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def refuse_unless_text(field: str, text: str) -> None:
    """Refuse what is empty, blank, or would damage a terminal.

    Raises:
        ValueError: it is refused.
    """
    if not text.strip() or not text.isprintable():
        raise ValueError(f"{field} is {shown(text)}, expected text")


def refuse_unless_match(field: str, text: str, pattern: re.Pattern[str], what: str) -> None:
    """Refuse what does not match as a whole.

    Raises:
        ValueError: it is refused.
    """
    if not pattern.fullmatch(text):
        raise ValueError(f"{field} is {shown(text)}, expected {what}")


def refuse_unless_among(field: str, values: tuple[str, ...], known: tuple[str, ...]) -> None:
    """Refuse a value that is not known, and one that is there twice.

    Raises:
        ValueError: it is refused.
    """
    for value in values:
        if value not in known:
            raise ValueError(f"{field} has {shown(value)}, expected only {list(known)}")
    if len(set(values)) < len(values):
        raise ValueError(f"{field} is {', '.join(sorted(set(values)))}, expected each once")

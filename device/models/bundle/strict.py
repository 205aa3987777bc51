"""JSON to frozen dataclasses and back, refusing whatever the types do not name.

The types are the schema: an unknown key, a missing one or a value of another type is an error
that says where it stands. Floats must be finite; a bool is no number.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import types
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")

MOST_WHOLE = 2**63 - 1
"""The largest whole number, and without its sign the smallest: what computes with it has 64 bits.
"""

_MOST_DIGITS = 1000
"""Of a whole number, before it is looked at: Python converts only so many, and slowly."""

_SHOWN = 60
_TOLD = 300
"""How many characters of a value, and of a place or a fault, an error tells."""


class SchemaError(ValueError):
    """A JSON value does not fit the type that was expected at its place.

    Attributes:
        where: the path to the value, such as `variants.cpu.input`.
        got: what stands there.
        expected: what should.
    """

    def __init__(self, where: str, *, got: str, expected: str) -> None:
        self.where, self.got = _cut(where or "the document"), _cut(got)
        self.expected = expected
        super().__init__(
            f"{self.where}: {self.got}" + (f", expected {expected}" if expected else "")
        )


def _cut(text: str) -> str:
    """Return the beginning of a text that a file may have made long."""
    return text if len(text) <= _TOLD else text[: _TOLD - 3] + "..."


def parse_json(text: bytes) -> object:
    """Parse JSON in UTF-8, refusing NaN, infinities and keys that occur twice.

    Raises:
        SchemaError: the text is no such JSON.
    """

    def no_constant(name: str) -> object:
        raise SchemaError("", got=f"the number {name}", expected="finite numbers")

    def whole(digits: str) -> int:
        if len(digits) > _MOST_DIGITS:
            raise SchemaError("", got=f"a number of {len(digits):,} digits", expected="64 bits")
        return int(digits)

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        result = dict(pairs)
        if len(result) != len(pairs):
            raise SchemaError("", got="a key that occurs twice", expected="each key once")
        return result

    try:
        return json.loads(
            text.decode(), parse_int=whole, parse_constant=no_constant, object_pairs_hook=unique
        )
    except SchemaError:
        raise
    except RecursionError as error:
        raise SchemaError("", got="values nested too deeply", expected="JSON text") from error
    except ValueError as error:
        raise SchemaError("", got=f"no valid JSON ({error})", expected="JSON text") from error


def from_json(kind: type[T], value: object, where: str = "") -> T:
    """Build a `kind` from parsed JSON.

    Args:
        kind: a dataclass, or any annotation made of dataclasses, tuples, dicts with string keys,
            literals, unions with None, str, int, float, bool, and object for any JSON.
        value: what `parse_json` gave.
        where: the path to `value`, for errors.

    Raises:
        SchemaError: the value does not fit.
    """
    result: T = _convert(kind, value, where)
    return result


def to_json(value: object) -> Any:
    """Return what `json.dumps` takes; fields that are None are left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value))
        return {name: to_json(item) for name, item in pairs if item is not None}
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_json(item) for item in value]
    return value


def _convert(kind: Any, value: object, where: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, value, where)
    if origin is Literal:
        if not any(value == allowed and type(value) is type(allowed) for allowed in arguments):
            raise SchemaError(where, got=_show(value), expected=f"one of {list(arguments)}")
        return value
    if origin in (Union, types.UnionType):
        inner = next(item for item in arguments if item is not type(None))
        return None if value is None else _convert(inner, value, where)
    if origin is tuple:
        return _tuple(arguments, value, where)
    if origin is dict:
        items = _expect(dict, value, where, "an object")
        return {
            _convert(arguments[0], k, where): _convert(arguments[1], v, f"{where}.{k}".lstrip("."))
            for k, v in items.items()
        }
    if kind is object:
        return value
    if kind is float:
        return _number(value, where)
    if kind is int:
        return _whole(value, where)
    if kind is str:
        return _text(value, where)
    return _expect(kind, value, where, "true or false")


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


def _dataclass(kind: Any, value: object, where: str) -> Any:
    items = _expect(dict, value, where, "an object")
    hints, fields = _hints(kind), _fields(kind)
    unknown = sorted(set(items) - set(fields))
    if unknown:
        raise SchemaError(
            where, got=f"an unknown key {unknown[0]!r}", expected=f"only {sorted(fields)}"
        )
    missing = sorted(name for name, needed in fields.items() if needed and name not in items)
    if missing:
        raise SchemaError(where, got=f"no key {missing[0]!r}", expected=f"all of {sorted(fields)}")
    converted = {
        name: _convert(hints[name], item, f"{where}.{name}".lstrip("."))
        for name, item in items.items()
    }
    try:
        return kind(**converted)
    except ValueError as error:
        told = str(error)
        expected = "" if "expected" in told else "possible values"
        raise SchemaError(where, got=told, expected=expected) from error


def _tuple(arguments: tuple[Any, ...], value: object, where: str) -> tuple[Any, ...]:
    items = _expect(list, value, where, "a list")
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(_convert(arguments[0], item, f"{where}[{i}]") for i, item in enumerate(items))
    if len(items) != len(arguments):
        raise SchemaError(where, got=f"{len(items)} items", expected=f"{len(arguments)} items")
    return tuple(
        _convert(kind, item, f"{where}[{i}]")
        for i, (kind, item) in enumerate(zip(arguments, items, strict=True))
    )


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


def _text(value: object, where: str) -> str:
    text: str = _expect(str, value, where, "text")
    try:
        text.encode()
    except UnicodeEncodeError as error:  # JSON can spell half a character
        raise SchemaError(where, got=_show(value), expected="whole characters") from error
    return text


def _expect(kind: Any, value: object, where: str, name: str) -> Any:
    if not isinstance(value, kind):
        raise SchemaError(where, got=_show(value), expected=name)
    return value


def _show(value: object) -> str:
    """Return the beginning of a value; of what holds others, only what it is."""
    if isinstance(value, (list, dict)) and value:
        return "a list" if isinstance(value, list) else "an object"
    if isinstance(value, int) and abs(value) > MOST_WHOLE:
        return f"a number of {value.bit_length()} bits"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."

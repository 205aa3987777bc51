"""JSON to frozen dataclasses and back; `edgeinfer.boards.schema` says how strictly."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from edgeinfer.boards.schema import SchemaError as SchemaError
from edgeinfer.boards.schema import build

from_json = build
"""Builds a dataclass from what `parse_json` gave, or raises SchemaError."""

_MOST_DIGITS = 1000
"""The most digits of a whole number: Python is slow with more, and refuses very many."""


def parse_json(text: bytes) -> object:
    """Parse JSON in UTF-8, refusing NaN, infinities and keys that occur twice.

    Raises:
        SchemaError: the text is not such JSON.
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
        raise SchemaError("", got=f"invalid JSON ({error})", expected="JSON text") from error


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

"""Frozen dataclasses out of TOML tables, strictly: what no dataclass has is refused.

A misspelt key would otherwise be a setting that silently does nothing.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")

MOST_CHARACTERS = 2000
"""Of one text: far above any that a profile needs."""

_MOST_NUMBER = 2**63
_SHOWN = 60

_KINDS: dict[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


def build(kind: type[T], table: Mapping[str, Any], **given: object) -> T:
    """Build a dataclass from a TOML table.

    Args:
        kind: a dataclass whose attributes are texts, numbers, booleans, such dataclasses, or
            tuples of texts or of such dataclasses.
        table: the table; its keys are the names of attributes.
        given: attributes that the table may not state.

    Raises:
        ValueError: a key is not known or missing, or a value is of another type or impossible.
    """
    fields = {
        field.name: field
        for field in dataclasses.fields(kind)  # type: ignore[arg-type]
        if field.name not in given
    }
    unknown = sorted(set(table) - set(fields))
    if unknown:
        raise ValueError(f"unknown key {shown(unknown[0])}, expected only {sorted(fields)}")
    for key, field in fields.items():
        needed = field.default is dataclasses.MISSING
        if needed and field.default_factory is dataclasses.MISSING and key not in table:
            raise ValueError(f"no key {key!r}, expected {sorted(fields)}")
    hints = get_type_hints(kind)
    values = {key: _value(key, item, hints[key]) for key, item in table.items()}
    return kind(**given, **values)


def _value(key: str, value: object, hint: Any) -> Any:
    """Return the value as the attribute's type; a bool is no number."""
    if get_origin(hint) is tuple:
        return _values(key, value, get_args(hint)[0])
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _nested(key, value, hint)
    if isinstance(value, int) and abs(value) > _MOST_NUMBER:  # TOML knows no limit
        raise ValueError(f"{key} is {shown(value)}, expected 64 or less")
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise ValueError(f"{key} is {shown(value)}, expected {_KINDS[hint]}")
    return _text(key, value) if isinstance(value, str) else value


def _values(key: str, value: object, kind: Any) -> tuple[Any, ...]:
    if kind is str:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ValueError(f"{key} is {shown(value)}, expected a list of texts")
        return tuple(_text(key, item) for item in value)
    if not isinstance(value, list):
        raise ValueError(f"{key} is {shown(value)}, expected tables [[{key}]]")
    return tuple(_nested(f"{key} {i}", item, kind) for i, item in enumerate(value, start=1))


def _text(key: str, value: str) -> str:
    if len(value) > MOST_CHARACTERS:
        raise ValueError(f"{key} has {len(value):,} characters, expected {MOST_CHARACTERS} or less")
    return value


def _nested(where: str, value: object, kind: type[T]) -> T:
    if not isinstance(value, dict):
        raise ValueError(f"{where} is {shown(value)}, expected a table")
    try:
        return build(kind, value)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def shown(value: object) -> str:
    """Return the beginning of a value, for errors; of what holds others, only what it is."""
    if isinstance(value, (list, dict)) and value:  # however deep: its text may be endless
        return "a list" if isinstance(value, list) else "a table"
    if isinstance(value, int) and abs(value) > _MOST_NUMBER:  # Python may refuse to write it
        return f"a number of {value.bit_length()} bits"
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def refuse_unless_text(field: str, text: str) -> None:
    """Refuse what is empty, blank, or would spoil a terminal.

    Raises:
        ValueError: it is so.
    """
    if not text.strip() or not text.isprintable():
        raise ValueError(f"{field} is {shown(text)}, expected text")


def refuse_unless_match(field: str, text: str, pattern: re.Pattern[str], what: str) -> None:
    """Refuse what does not match as a whole.

    Raises:
        ValueError: it is so.
    """
    if not pattern.fullmatch(text):
        raise ValueError(f"{field} is {shown(text)}, expected {what}")


def refuse_unless_among(field: str, values: tuple[str, ...], known: tuple[str, ...]) -> None:
    """Refuse a value that is not known, and one that is there twice.

    Raises:
        ValueError: it is so.
    """
    for value in values:
        if value not in known:
            raise ValueError(f"{field} has {shown(value)}, expected only {list(known)}")
    if len(set(values)) < len(values):
        raise ValueError(f"{field} is {', '.join(sorted(set(values)))}, expected each once")

"""JSON that another program left or sent, read without trusting it: values that code can use."""

from __future__ import annotations

import json
import math
from typing import Any

_MOST_WHOLE = 2**63 - 1
_MOST_DIGITS = 400
_DEEPEST = 40


def parse_json(text: str | bytes) -> Any:
    """Return what a JSON text says.

    Whole numbers have 64 bits, others are finite, texts are whole characters, and nothing nests
    deeper than 40: then no comparison, sum or print of a value raises anything.

    Raises:
        ValueError: it is not JSON, or says something else.
    """
    try:
        value = json.loads(
            text.decode() if isinstance(text, bytes) else text,
            parse_int=_whole,
            parse_float=_finite,
            parse_constant=_constant,
        )
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    _refuse_odd(value)
    return value


def _refuse_odd(value: object) -> None:
    waiting: list[tuple[object, int]] = [(value, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > _DEEPEST:
            raise ValueError("nested too deeply")
        if isinstance(value, str):
            value.encode()  # JSON can spell half a character
        elif isinstance(value, list):
            waiting += [(item, depth + 1) for item in value]
        elif isinstance(value, dict):
            waiting += [(item, depth + 1) for pair in value.items() for item in pair]


def _whole(digits: str) -> int:
    number = int(digits) if len(digits) <= _MOST_DIGITS else _MOST_WHOLE + 1
    if abs(number) > _MOST_WHOLE:
        raise ValueError("a whole number of more than 64 bits")
    return number


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number that is not finite")
    return number


def _constant(name: str) -> float:
    raise ValueError(f"the number {name}")

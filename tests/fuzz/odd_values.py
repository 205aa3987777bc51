"""Changes values of JSON-like documents into what readers do not expect."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from random import Random
from typing import Any

_BARE = "@bare@"
"""Marks a text that is written without its quotes: numbers that Python's writer has no way for."""

ODD_NUMBERS: tuple[object, ...] = (
    *(0, 1, -1, 2, 255, 256, 2**31 - 1, 2**31, -(2**31), 2**63 - 1, 2**63, -(2**63), 2**64),
    *(10**18, 10**400, -(10**400), 0.0, -0.0, 0.5, 1e-45, 1e-320, 1e30, -1e30, 3.5e38, 1.7e308),
    *(float("nan"), float("inf"), f"{_BARE}1e400", f"{_BARE}-1e400", f"{_BARE}{'9' * 5000}"),
)
ODD_TEXTS = (
    *("", " ", "a", "cpu", "none", "é", "\x00", "\n", "\x1b[2J", "\ud800", "\udcff", "\u202e"),
    *("../../etc/passwd", "/dev/stdin", "libc.so.6", "/tmp/x.so", "x" * 500, "y" * 100_000),
)
ODD_VALUES: tuple[object, ...] = (
    *ODD_NUMBERS,
    *ODD_TEXTS,
    *(None, True, False, [], {}, [[]], [1], [None], {"a": 1}, {"": {}}, [1] * 2000),
)


def change_value(document: Any, random: Random, others: Sequence[object] = ()) -> Any:
    """Return a copy of a document with one value replaced, taken out, added, repeated or moved.

    Args:
        document: dicts, lists and plain values.
        random: decides.
        others: values that may also be put in.
    """
    changed = copy.deepcopy(document)
    holders = _holders(changed)
    if not holders:
        return random.choice(ODD_VALUES)
    holder = random.choice(holders)
    odd = copy.deepcopy(random.choice((*ODD_VALUES, *others)))
    keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    kind = random.randrange(8)
    if not keys or kind == 0:
        if isinstance(holder, dict):
            holder[random.choice([*ODD_TEXTS, *keys, "label", "delegate"])] = odd
        else:
            holder.append(odd)
        return changed
    key = random.choice(keys)
    if kind == 1:
        del holder[key]
    elif kind == 2 and isinstance(holder, dict):
        holder[random.choice([*ODD_TEXTS, *keys])] = holder[key]
    elif kind == 2:
        holder *= random.choice((2, 100))
    elif kind == 3:
        holder[key] = _nested(random.choice((3, 50, 900, 5000)), random)
    elif kind == 4:
        one, other = random.choice(holders), random.choice(keys)
        holder[other] = copy.deepcopy(one)
    elif kind == 5:
        holder[key] = odd
    else:
        holder[key] = _same_kind(holder[key], odd, random)
    return changed


def _same_kind(value: object, odd: object, random: Random) -> object:
    """Return an odd value of the same kind, which gets further than others."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        near = (value + 1, value - 1, -value, value * 2, value // 3)
        return random.choice((*ODD_NUMBERS, *near))
    if isinstance(value, str):
        return random.choice((*ODD_TEXTS, value[:1], value + "x", value.upper(), value * 3))
    if isinstance(value, list):
        return random.choice((value[::-1], value[1:], value * 2, value[:1], [*value, odd]))
    return odd


def json_of(document: Any) -> str:
    """Return the JSON text, with half characters escaped and odd numbers bare."""
    parts = json.dumps(document).split(f'"{_BARE}')
    return parts[0] + "".join(part.replace('"', "", 1) for part in parts[1:])


def _holders(document: Any) -> list[Any]:
    found, waiting = [], [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, (dict, list)):
            found.append(value)
            waiting += value.values() if isinstance(value, dict) else value[:20]
    return found


def _nested(depth: int, random: Random) -> Any:
    # Written out as text: Python's own writer would stumble first.
    start, end = random.choice((("[", "]"), ('{"a":', "}")))
    return f"{_BARE}{start * depth}1{end * depth}".replace('"', "\u0001")

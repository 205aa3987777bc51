"""Numbers as people and programs write them: decimal commas, groups of thousands, units.

`1,234` and `1.234` can be read in two ways. What a column's other numbers show decides; a column
that shows nothing is refused, unless its table is one of countries with decimal commas.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

NO_VALUE = frozenset({"", "-", "--", "?", "n/a", "na", "nan", "none", "null", "nil", "#n/a"})
"""What tables have where there is no value."""

_SPACES = " \u00a0\u2009\u202f'\u2019"
"""What may be between groups of thousands, as well as commas and points."""

_WRITTEN = re.compile(
    rf"""(?P<sign>[+-]?)
    (?P<digits>\d[\d.,{_SPACES}]*(?<=\d)\.?|[.,]\d+)
    (?P<power>[eE][+-]?\d{{1,3}})?
    [{_SPACES}]*
    (?P<unit>[^\d\s.,+;-][^\d;]{{0,19}}[23²³]?)?""",
    re.VERBOSE,
)
_GROUPED = re.compile(r"[1-9]\d{0,2}(?P<separator>[^\d])\d{3}(?:(?P=separator)\d{3})*")
_HEADER = re.compile(r"(?P<name>.*?)\s*[\[(]\s*(?P<unit>[^\[\]()]{1,20}?)\s*[\])]\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Written:
    """A number as it is written.

    Attributes:
        text: the sign, digits, separators and power of ten.
        unit: what follows, or "".
    """

    text: str
    unit: str


def split_unit(cell: str) -> Written | None:
    """Return the number and the unit of a cell; None where it is not a number.

    >>> split_unit("3,42 bar"), split_unit("12°")
    (Written(text='3,42', unit='bar'), Written(text='12', unit='°'))
    >>> split_unit("about 3") is None
    True
    """
    cell = cell.strip().replace("\u2212", "-")
    found = _WRITTEN.fullmatch(cell)
    if found is None:
        return None
    digits = found["digits"].strip(_SPACES)
    text = found["sign"] + digits + (found["power"] or "")
    return Written(text, (found["unit"] or "").strip(_SPACES))


def header_unit(name: str) -> tuple[str, str]:
    """Return a column's name, and the unit in brackets behind it or "".

    >>> header_unit("pressure (bar)"), header_unit("angle [deg]"), header_unit("count")
    (('pressure', 'bar'), ('angle', 'deg'), ('count', ''))
    """
    found = _HEADER.fullmatch(name.strip())
    return (found["name"], found["unit"]) if found and found["name"] else (name.strip(), "")


class Unclear(ValueError):
    """A number that can be read in two ways; `args` are the number and both readings."""


@dataclass(frozen=True)
class Reader:
    """Reads the numbers of one column.

    Attributes:
        comma: what a comma before three digits is: True a decimal one, False between thousands,
            None not known.
        point: whether a point before three digits is a decimal one.
    """

    comma: bool | None = None
    point: bool = True

    def __call__(self, text: str) -> float:
        """Return the number.

        Raises:
            Unclear: it can be read in two ways.
            ValueError: it is not a finite number.
        """
        text = text.replace("\u2212", "-")
        number, power = [*re.split("[eE]", text, maxsplit=1), ""][:2]
        sign = "-" if number.startswith("-") else ""
        plain = self._plain(number.lstrip("+-"), text)
        value = float(f"{sign}{plain}" + (f"e{power}" if power else ""))
        if not math.isfinite(value):
            raise ValueError(f"{text!r} is not a finite number")
        return value

    def _plain(self, digits: str, text: str) -> str:
        """Return digits with a decimal point and nothing between thousands."""
        for space in _SPACES:
            if space in digits:
                whole, end = _without_groups(digits, space, text)
                digits = whole + end
        marks = [mark for mark in ",." if mark in digits]
        if len(marks) == 2:
            last = max(marks, key=digits.rfind)
            other = "." if last == "," else ","
            whole, _, end = digits.rpartition(last)
            if last in whole or (other in whole and not _GROUPED.fullmatch(whole)):
                raise ValueError(f"{text!r} is not a number")
            return f"{whole.replace(other, '')}.{end}"
        if not marks:
            return digits
        mark = marks[0]
        if digits.count(mark) > 1:
            if not _GROUPED.fullmatch(digits):
                raise ValueError(f"{text!r} is not a number")
            return digits.replace(mark, "")
        if _ambiguous(digits):
            decimal = self.comma if mark == "," else self.point
            if decimal is None:
                raise Unclear(text, digits.replace(mark, "."), digits.replace(mark, ""))
            return digits.replace(mark, "." if decimal else "")
        return digits.replace(mark, ".")


def reader_for(texts: Sequence[str], *, comma_country: bool = False) -> Reader:
    """Return what reads a column: its clear numbers say what the others mean.

    Args:
        texts: the numbers, as `split_unit` gives them.
        comma_country: whether the table is of a country with decimal commas, as cells with
            semicolons between them are.
    """
    commas = points = False
    for text in texts:
        digits = re.split("[eE]", text.lstrip("+-"), maxsplit=1)[0]
        last = max(",.", key=digits.rfind)
        if last not in digits:
            continue
        other = "." if last == "," else ","
        if digits.count(last) > 1:  # between thousands, so the other one is decimal
            last, other = other, last
        elif other not in digits and _ambiguous(digits):
            continue
        commas, points = commas or last == ",", points or last == "."
    if commas and not points:
        return Reader(comma=True, point=False)
    if points:
        return Reader(comma=commas, point=True)
    return Reader(comma=True if comma_country else None, point=True)


def _ambiguous(digits: str) -> bool:
    """Return whether one mark may be decimal or between thousands: 1,234 but not 0,123 or 12,3."""
    return re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", digits) is not None


def _without_groups(digits: str, space: str, text: str) -> tuple[str, str]:
    """Return digits without the spaces between thousands, and what follows the last of them."""
    found = re.fullmatch(
        rf"(?P<whole>\d{{1,3}}(?:{re.escape(space)}\d{{3}})+)(?P<end>[.,]\d*)?", digits
    )
    if found is None:
        raise ValueError(f"{text!r} is not a number")
    return found["whole"].replace(space, ""), found["end"] or ""
